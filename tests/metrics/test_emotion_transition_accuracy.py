"""Emotion transition accuracy: sequences by hand, Table 3's counts from the real annotation."""

from __future__ import annotations

import json
import time
from itertools import groupby

import evaluate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.metrics.emotion_transition_accuracy.transitions import (
    emotion_sequence,
    format_table,
    transition,
    transition_accuracy,
)
from tests.conftest import REAL_DATA, REPOSITORY
from tests.metrics.test_eder import segment


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([], "null"),
        ([(0, 4, "happy")], "happy"),
        ([(1, 4, "happy")], "null-happy"),
        ([(0, 1, "happy")], "happy-null"),
        ([(1, 2, "happy")], "null-happy-null"),
        ([(2, 3, "happy"), (1, 2, "happy")], "null-happy-null"),  # touching and unsorted: one run
        ([(1, 2, "happy"), (2.5, 3, "happy")], "null-happy-null-happy-null"),
        ([(0, 2, "sad"), (2, 9, "angry")], "sad-angry"),  # past the end: cut
        ([(0, 3, "sad"), (2, 4, "angry")], "sad-angry+sad-angry"),
        ([(0, 4, "neutral"), (2, 2, "sad")], "null"),
        ([(1e-9, 4 - 1e-9, "sad")], "sad"),  # rounding makes no neutral stretch
        ([(0.001, 1, "sad"), (1.001, 3.999, "sad")], "sad"),  # nor does a thousandth
        ([(0.002, 1, "sad"), (1.002, 3.998, "sad")], "null-sad-null-sad-null"),  # two thousandths do
        ([(0, 2.001, "sad"), (2, 4, "angry")], "sad-angry"),  # nor does it make an overlap
        ([(0, 2.002, "sad"), (2, 4, "angry")], "sad-angry+sad-angry"),
        ([(n / 2000, (n + 1) / 2000, "sad") for n in range(8000)], "sad"),  # however finely it is written
    ],
)
def test_sequences_by_hand(segments, expected):
    assert transition([segment(*s) for s in segments], 4.0) == expected


@pytest.mark.parametrize("offset", [0, 0.1, 1, 3.7, 59.999, 1234.567, 36_000, 86_399.999])
def test_a_gap_of_exactly_one_millisecond_is_none_anywhere(offset):
    before, after = segment(offset, offset + 1, "sad"), segment(round(offset + 1.001, 3), offset + 2, "sad")
    expected = "null-sad" if offset else "sad"
    assert transition([before, after], offset + 2) == expected
    late = after | {"start": round(offset + 1.002, 3)}
    assert transition([before, late], offset + 2) == f"{expected}-null-sad"


def test_an_utterance_that_hardly_lasts_has_its_longest_stretch():
    assert transition([segment(0, 0.0003, "sad")], 0.001) == "null"
    assert transition([segment(0, 0.0007, "sad")], 0.001) == "sad"


half_milliseconds = st.integers(0, 24)


@given(
    st.lists(st.tuples(half_milliseconds, half_milliseconds, st.sampled_from(["happy", "sad", "neutral"]))),
    st.integers(1, 24),
)
def test_agrees_with_looking_at_every_half_millisecond(spans, length):
    names = []
    for cell in range(length):
        active = {label for one, other, label in spans if min(one, other) <= cell < max(one, other)} - {"neutral"}
        names.append(tuple(sorted(active)))
    stretches = [(name, len(list(cells))) for name, cells in groupby(names)]
    lasting = [name for name, cells in stretches if cells > 2] or [max(stretches, key=lambda stretch: stretch[1])[0]]
    segments = [segment(min(one, other) / 2000, max(one, other) / 2000, label) for one, other, label in spans]
    expected = tuple(name for name, _ in groupby(lasting))
    assert emotion_sequence(segments, length / 2000, ("neutral",)) == expected


def test_time_grows_with_the_number_of_segments():
    segments = [segment(n / 2, (n + 1) / 2, ("happy", "sad")[n % 2]) for n in range(50_000)]
    start = time.perf_counter()
    assert len(emotion_sequence(segments, 25_000, ())) == 50_000
    assert time.perf_counter() - start < 10  # comparing all with all would take a quarter of an hour


runs = st.lists(st.sampled_from(["null", "happy", "sad", "angry"]), min_size=1, max_size=30)


@given(runs)
def test_runs_of_any_length_are_found_again(labels):
    fused = [label for index, label in enumerate(labels) if index == 0 or label != labels[index - 1]]
    segments = [segment(index, index + 1, label) for index, label in enumerate(labels)]
    expected = tuple(() if label == "null" else (label,) for label in fused)
    assert emotion_sequence(segments, len(labels), {"null"}) == expected


TRICKY = st.sampled_from(["null", "", "a", "b", "a+b", "a-b", '"a"', "\\", "neutral"])


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), TRICKY), max_size=4), min_size=1, max_size=6))
def test_names_of_emotions_mean_nothing_else(utterances):
    """Sequences as texts are equal only where they are equal as sets of labels, looked at second by second."""
    segments = [[segment(start, start + 1, label) for start, label in spans] for spans in utterances]
    slow = []
    for spans in utterances:
        cells = [frozenset(label for start, label in spans if start == cell) - {"neutral"} for cell in range(6)]
        slow.append([cell for cell, _ in groupby(cells)])
    for one, slow_one in zip(segments, slow, strict=True):
        for other, slow_other in zip(segments, slow, strict=True):
            assert (transition(one, 6.0) == transition(other, 6.0)) == (slow_one == slow_other)
    first = segments[0]
    result = transition_accuracy([first] * len(segments), segments, [6.0] * len(segments))
    assert result["correct"] == slow.count(slow[0])
    assert sum(row["total"] for row in result["transitions"].values()) == len(segments)


def test_labels_that_could_be_mistaken_are_quoted():
    assert transition([segment(1, 2, "null"), segment(2, 3, "")], 4.0) == 'null-"null"-""-null'
    assert transition([segment(0, 4, "a+b")], 4.0) == '"a+b"' != transition([segment(0, 4, x) for x in "ab"], 4.0)
    null, nothing = [segment(0, 4, "null")], []
    assert transition_accuracy([null], [nothing], [4.0])["correct"] == 0


def test_table_3_is_printed_with_headings_in_words():
    references = [[segment(1, 2, "happy")], [segment(1, 2, "happy")], [segment(0, 2, "angry")], []]
    predictions = [[segment(0.5, 2, "happy")], [segment(0, 2, "happy")], [segment(0, 2, "angry")], []]
    metric = evaluate.load(str(REPOSITORY / "metrics" / "emotion_transition_accuracy"))
    result = metric.compute(predictions=predictions, references=references, durations=[2.0] * 4)
    assert (result["accuracy"], result["correct"], result["utterances"]) == (0.75, 3, 4)
    assert format_table(result).splitlines() == [
        "sequence of emotions  utterances   correct    accuracy",
        "null                           1         1     100.0 %",
        "angry                          1         1     100.0 %",
        "null-happy                     2         1      50.0 %",
        "total                          4         3      75.0 %",
    ]


@pytest.mark.parametrize(
    ("prediction", "duration", "message"),
    [
        ([segment(float("nan"), 1, "sad")], 1, "utterance 0: the segment 'sad' from nan to 1"),
        ([segment(1, 0.5, "sad")], 1, "utterance 0: the segment 'sad' from 1 to 0.5 s needs 0 <= start <= end"),
        ([], 0, "utterance 0: its duration must be a positive number of seconds; got 0"),
    ],
)
def test_bad_input_is_named(prediction, duration, message):
    with pytest.raises(ValueError, match=message):
        transition_accuracy([prediction], [[]], [duration])
    with pytest.raises(ValueError, match="got 0, 0 and 0 of them"):
        transition_accuracy([], [], [])


def test_table_3_counts_follow_from_the_real_annotation():
    path = REAL_DATA / "ZED" / "ZED.json"
    if not path.is_file():
        pytest.skip(f"the annotation of ZED is not at {path}")
    entries = json.loads(path.read_text(encoding="utf-8")).values()
    references = [[event | {"label": event["emo"]} for event in entry["emotion"]] for entry in entries]
    result = transition_accuracy(references, references, [entry["duration"] for entry in entries])
    paper = {  # column TN of Table 3
        "happy": 5, "null-happy": 31, "happy-null": 14, "null-happy-null": 12,
        "sad": 17, "null-sad": 33, "sad-null": 10, "null-sad-null": 6,
        "angry": 8, "null-angry": 30, "angry-null": 11, "null-angry-null": 3,
    }  # fmt: skip
    assert {name: row["total"] for name, row in result["transitions"].items()} == paper
    assert result["accuracy"] == 1.0
