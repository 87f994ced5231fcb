"""Fleiss' kappa: the literature's worked example, by hand, and against what must hold."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import evaluate
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.metrics.annotator_agreement.fleiss_kappa import annotator_agreement, fleiss_kappa
from tests.conftest import REPOSITORY
from tests.metrics.test_eder import segment


def test_worked_example_of_the_literature():
    # 10 items, 14 raters, 5 categories: the usual textbook table; kappa = 0.210
    ratings = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    kappa, observed, expected = fleiss_kappa(np.array(ratings))
    assert kappa == pytest.approx(0.210, abs=5e-4)
    assert (observed, expected) == (pytest.approx(0.378, abs=5e-4), pytest.approx(0.213, abs=5e-4))


def test_frames_by_hand():
    # 4 frames of 1 s; happy by annotator: 1100, 1110, 1100. Pairs agree fully but in frame 2, where 1 of 3 pairs does.
    annotations = [
        [[segment(0, 2, "happy")], [segment(0, 3, "happy")], [segment(0, 1, "happy"), segment(1, 2, "happy")]]
    ]
    result = annotator_agreement(annotations, [4.0], step=1.0)
    observed = (1 + 1 + 1 / 3 + 1) / 4
    expected = (7 / 12) ** 2 + (5 / 12) ** 2
    assert result["observed_agreement"] == pytest.approx(observed)
    assert result["expected_agreement"] == pytest.approx(expected)
    assert result["fleiss_kappa"] == pytest.approx((observed - expected) / (1 - expected))
    assert (result["frames"], result["annotators"]) == (4, 3)


def test_chance_gives_zero_and_agreement_one():
    generator = np.random.default_rng(0)

    def random_annotation() -> list[dict]:
        return [segment(t, t + 1, str(generator.choice(["happy", "sad", "neutral"]))) for t in range(20)]

    random = [[random_annotation() for _ in range(5)] for _ in range(50)]
    assert annotator_agreement(random, [20.0] * 50)["fleiss_kappa"] == pytest.approx(0, abs=0.03)
    same = [[utterance[0]] * 5 for utterance in random]
    assert annotator_agreement(same, [20.0] * 50)["fleiss_kappa"] == 1.0


def test_overlapping_emotions_are_a_category_whatever_their_order():
    one = [segment(0, 1, "happy"), segment(0, 1, "sad")]
    result = annotator_agreement([[one, one[::-1], one], [[], [], []]], [1.0, 1.0])
    assert result["fleiss_kappa"] == 1.0 and result["expected_agreement"] == 0.5


TIMES = st.integers(0, 40).map(lambda n: n / 20)  # borders and centres of frames, too
SPANS = st.lists(st.tuples(TIMES, TIMES, st.sampled_from(["a", "b", "a+b", "", "null", "neutral"])), max_size=4)


@given(st.lists(st.tuples(st.lists(SPANS, min_size=3, max_size=3), TIMES.filter(bool)), min_size=1, max_size=3))
def test_agrees_with_looking_at_every_frame(utterances):
    annotations = [
        [[segment(min(a, b), max(a, b), label) for a, b, label in spans] for spans in annotators]
        for annotators, _ in utterances
    ]
    durations = [duration for _, duration in utterances]
    step, agreeing, totals, frames = 0.1, 0.0, Counter(), 0
    for annotators, duration in zip(annotations, durations, strict=True):
        for frame in range(max(1, round(duration / step))):
            centre = (frame + 0.5) * step
            categories = Counter(
                frozenset(one["label"] for one in segments if one["start"] <= centre < one["end"]) - {"neutral"}
                for segments in annotators
            )
            agreeing += (sum(count**2 for count in categories.values()) - 3) / 6
            totals += categories
            frames += 1
    expected = sum((count / (3 * frames)) ** 2 for count in totals.values())
    result = annotator_agreement(annotations, durations, step=step)
    assert result["frames"] == frames
    assert result["observed_agreement"] == pytest.approx(agreeing / frames)
    assert result["expected_agreement"] == pytest.approx(expected)
    kappa = 1.0 if expected == 1 else (agreeing / frames - expected) / (1 - expected)
    assert result["fleiss_kappa"] == pytest.approx(kappa)


def test_a_few_bytes_do_not_take_gigabytes():
    tracemalloc.start()
    long = annotator_agreement([[[segment(0, 5e6, "a")], []]], [1e7])  # 1e9 frames of 10 ms
    many = [[segment(n, n + 1, f"l{n}") for n in range(3_000)] for _ in range(2)]
    assert annotator_agreement([many], [3_000.0])["fleiss_kappa"] == 1.0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert long["observed_agreement"] == 0.5 and peak < 20_000_000
    with pytest.raises(ValueError, match="have more than 1099511627776 frames"):
        annotator_agreement([[[], []]], [1e300])


def test_loads_by_evaluate():
    agreement = evaluate.load(str(REPOSITORY / "metrics" / "annotator_agreement"))
    result = agreement.compute(annotations=[[[segment(0, 1, "sad")], []], [[], []]], durations=[1.0, 1.0], step=0.1)
    # 20 frames; one of two annotators says sad in 10 of them
    assert result["observed_agreement"] == 0.5
    assert result["expected_agreement"] == pytest.approx(0.25**2 + 0.75**2)


@pytest.mark.parametrize(
    ("annotations", "durations", "options", "message"),
    [
        ([[[]]], [1.0], {}, r"the same number of annotators, two at least; got \[1\]"),
        ([[[], []], [[], [], []]], [1.0, 1.0], {}, r"got \[2, 3\]"),
        ([[[], []]], [0.0], {}, "utterance 0: its duration must be a positive number of seconds; got 0.0"),
        ([[[], [segment(2, 1, "sad")]]], [3.0], {}, "utterance 0: the segment 'sad' from 2 to 1 s"),
        ([[[], []]], [1.0], {"step": 0}, "step must be a positive number of seconds; got 0"),
        ([], [], {}, "got 0 and 0 of them"),
        ([[[], [{"start": 0}]]], [1.0], {}, "utterance 0: a segment needs start and end, in seconds, and label"),
    ],
)
def test_bad_input_is_named(annotations, durations, options, message):
    with pytest.raises(ValueError, match=message):
        annotator_agreement(annotations, durations, **options)
