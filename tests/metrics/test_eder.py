"""EDER: by hand, against a slow reference in rational arithmetic, and by what must not change it."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.metrics.eder.bootstrap import compare_systems
from modeling_sed.metrics.eder.scoring import find_error_segments, score_segments
from tests.conftest import REAL_DATA, REPOSITORY
from tests.metrics.slow_eder import COMPONENTS, slow_errors

MODULE = str(REPOSITORY / "metrics" / "eder")


def segment(start: float, end: float, label: str) -> dict:
    return {"start": start, "end": end, "label": label}


def components(result: dict) -> tuple[float, ...]:
    return tuple(result[name] for name in COMPONENTS)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),  # of 10 s: false alarm, missed emotion, confusion, overlap
    [
        ([], [], (0, 0, 0, 0)),
        ([(2, 5, "happy")], [(2, 5, "happy")], (0, 0, 0, 0)),
        ([(1, 4, "happy")], [(2, 5, "happy")], (0.1, 0.1, 0, 0)),  # 1-2 alarm, 4-5 missed
        ([(0, 10, "sad")], [(4, 6, "happy")], (0.8, 0, 0.2, 0)),  # 0-4 and 6-10 alarm, 4-6 confused
        ([(0, 4, "sad"), (2, 6, "happy")], [(2, 6, "happy")], (0.2, 0, 0, 0.2)),  # 0-2 alarm, 2-4 sad beside happy
        ([(2, 6, "happy")], [(2, 6, "happy"), (4, 8, "sad")], (0, 0.4, 0, 0)),  # 4-6 sad missed, 6-8 missed
        ([(2, 6, "angry")], [(2, 6, "happy"), (2, 6, "sad")], (0, 0, 0.4, 0)),
        ([(2, 6, "happy"), (2, 6, "angry")], [(2, 6, "happy"), (2, 6, "sad")], (0, 0, 0, 0.4)),
        ([(2, 6, "sad"), (2, 6, "happy")], [(2, 6, "happy"), (2, 6, "sad")], (0, 0, 0, 0)),
        ([(8, 15, "happy")], [(9, 10, "happy")], (0.1, 0, 0, 0)),  # what lies past the end does not count
        ([(12, 15, "happy")], [], (0, 0, 0, 0)),
        ([(3, 3, "sad")], [(4, 4, "happy")], (0, 0, 0, 0)),  # nothing lasts no time
        ([(0, 10, "neutral"), (2, 4, "sad")], [(2, 4, "sad")], (0, 0, 0, 0)),  # neutral says nothing
        ([(2, 4, "surprise")], [(2, 4, "sad")], (0, 0, 0.2, 0)),  # names count, not first letters
    ],
)
def test_small_cases_by_hand(prediction, reference, expected):
    result = score_segments([[segment(*s) for s in prediction]], [[segment(*s) for s in reference]], [10])
    assert components(result) == pytest.approx(expected, abs=1e-15)
    assert result["eder"] == pytest.approx(sum(expected), abs=1e-15)


LABELS = ("happy", "sad", "angry", "neutral")
# few distinct times, so that borders meet often; thirds and tenths, so that binary fractions do not come out even
TIMES = st.sampled_from([n / 3 for n in range(13)] + [n / 10 for n in range(41)] + [1e-9, 4 - 1e-9])


@st.composite
def segment_lists(draw, latest: float) -> list[dict]:
    times = draw(st.lists(st.tuples(TIMES, TIMES, st.sampled_from(LABELS)), max_size=6))
    return [segment(min(a, b, latest), min(max(a, b), latest), label) for a, b, label in times]


@st.composite
def utterances(draw) -> tuple[list[dict], list[dict], float]:
    duration = draw(st.sampled_from([0.001, 1 / 3, 2.0, 4.0, 36_000.0]))
    return draw(segment_lists(latest=np.inf)), draw(segment_lists(latest=duration)), duration


@st.composite
def tidy_segment_lists(draw, latest: float) -> list[dict]:
    """In order and apart, as systems answer."""
    times = sorted({min(time, latest) for time in draw(st.lists(TIMES, max_size=8))})
    return [segment(one, following, draw(st.sampled_from(LABELS))) for one, following in pairwise(times)]


@st.composite
def tidy_utterances(draw) -> tuple[list[dict], list[dict], float]:
    duration = draw(st.sampled_from([0.001, 1 / 3, 2.0, 4.0]))
    return draw(tidy_segment_lists(latest=np.inf)), draw(tidy_segment_lists(latest=duration)), duration


corpora = st.lists(utterances() | tidy_utterances(), min_size=1, max_size=4)


@settings(max_examples=300)
@given(corpora)
def test_equals_the_slow_reference(corpus):
    predictions, references, durations = map(list, zip(*corpus, strict=True))
    result = score_segments(predictions, references, durations, per_utterance=True)
    slow = [slow_errors(*utterance) for utterance in corpus]
    for name in COMPONENTS:
        rates = [float(errors[name]) / duration for errors, duration in zip(slow, durations, strict=True)]
        assert result["per_utterance"][name] == pytest.approx(rates, abs=1e-12)
        assert result[name] == pytest.approx(np.mean(rates), abs=1e-12)
        by_duration = float(sum(errors[name] for errors in slow)) / sum(durations)
        assert result[f"{name}_by_duration"] == pytest.approx(by_duration, abs=1e-12)
    assert all(rate <= 1 + 1e-12 for rate in result["per_utterance"]["eder"])


@given(corpora)
def test_components_add_up(corpus):
    result = score_segments(*map(list, zip(*corpus, strict=True)))
    assert sum(components(result)) == pytest.approx(result["eder"], abs=1e-12)
    by_duration = [result[f"{name}_by_duration"] for name in COMPONENTS]
    assert sum(by_duration) == pytest.approx(result["eder_by_duration"], abs=1e-12)


@given(utterances())
def test_a_perfect_prediction_scores_exactly_zero(utterance):
    _, reference, duration = utterance
    assert score_segments([reference], [reference], [duration])["eder"] == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(LABELS)), min_size=1, max_size=8))
def test_a_perfect_prediction_written_otherwise_scores_exactly_zero(parts):
    borders = np.cumsum([0.0, *(length for length, _ in parts)]).tolist()
    reference = [segment(borders[i], borders[i + 1], label) for i, (_, label) in enumerate(parts)]
    halves = []
    for part in reference:
        middle = (part["start"] + part["end"]) / 2
        halves += [part | {"end": middle}, part | {"start": middle}]
    assert score_segments([halves], [reference], [borders[-1] + 1])["eder"] == 0.0


@given(utterances(), st.randoms(use_true_random=False), st.sampled_from([0.0, 1e-4]))
def test_writing_the_same_annotation_otherwise_changes_nothing(utterance, shuffler: random.Random, collar):
    prediction, reference, duration = utterance

    def rewritten(segments: list[dict]) -> list[dict]:
        halves = []
        for part in segments:
            middle = (part["start"] + part["end"]) / 2
            halves += [part | {"end": middle, "score": 0.5}, part | {"start": middle, "score": 0.7}]
        halves.append(segment(0.0, duration, "neutral"))
        shuffler.shuffle(halves)
        return [{"emo" if key == "label" else key: value for key, value in part.items()} for part in halves]

    expected = score_segments([prediction], [reference], [duration], collar=collar)
    actual = score_segments([rewritten(prediction)], [rewritten(reference)], [duration], collar=collar)
    assert actual == pytest.approx(expected, abs=1e-12)


@given(utterances())
def test_exchanging_reference_and_prediction_exchanges_false_alarm_with_missed_speech(utterance):
    prediction, reference, duration = utterance
    prediction = [s | {"start": min(s["start"], duration), "end": min(s["end"], duration)} for s in prediction]
    one = score_segments([prediction], [reference], [duration])
    other = score_segments([reference], [prediction], [duration])
    assert one["eder"] == pytest.approx(other["eder"], abs=1e-12)
    assert one["confusion"] == pytest.approx(other["confusion"], abs=1e-12)
    assert one["false_alarm"] <= other["missed_emotion"] + 1e-12  # which also holds parts of overlapped references


def test_collar_leaves_out_the_time_around_inner_reference_borders():
    reference = [segment(0, 2, "happy"), segment(2, 4, "happy"), segment(6, 10, "sad")]
    # borders at 4 and 6: not at 0 and 10, where the recording ends, nor at 2, where nothing changes
    # left out: 3.5-4.5 and 5.5-6.5; of the errors, 4-5 alarm and 6-7 missed, 4.5-5 and 6.5-7 remain
    result = score_segments([[segment(0, 5, "happy"), segment(7, 10, "sad")]], [reference], [10], collar=0.5)
    assert components(result) == pytest.approx((0.5 / 8, 0.5 / 8, 0, 0))
    assert result["hours"] == pytest.approx(8 / 3600)
    with pytest.raises(ValueError, match="utterance 0: a collar of 5 s leaves nothing to score"):
        score_segments([[]], [reference], [10], collar=5)


def test_per_label_scores_and_durations():
    references = [[segment(1, 3, "happy")], [segment(0, 2, "sad"), segment(2, 4, "happy")], []]
    predictions = [[segment(1, 2, "happy"), segment(2, 3, "sad")], [segment(0, 4, "sad")], [segment(0, 1, "angry")]]
    result = score_segments(predictions, references, [4, 4, 4], per_label=True, neutral_label=["neutral", "null"])
    assert set(result["per_label"]) == {"happy", "sad"}
    assert result["per_label"]["happy"]["eder"] == pytest.approx((1 / 4 + 2 / 4) / 2)
    assert result["per_label"]["happy"]["utterances"] == 2
    assert result["per_label"]["sad"]["confusion"] == pytest.approx(2 / 4)
    assert result["durations"] == {
        "neutral": {"neutral": 2 + 3, "angry": 1, "happy": 0, "sad": 0},
        "angry": {"neutral": 0, "angry": 0, "happy": 0, "sad": 0},
        "happy": {"neutral": 0, "angry": 0, "happy": 1, "sad": 1 + 2},
        "sad": {"neutral": 0, "angry": 0, "happy": 0, "sad": 2},
    }


def test_other_neutral_labels_and_a_closed_set():
    annotation = [[segment(0, 1, "null"), segment(1, 2, "calm")]]
    assert score_segments(annotation, [[]], [2], neutral_label=("null", "calm"))["eder"] == 0
    with pytest.raises(ValueError, match=r"utterance 'a': the segment 'calm' .* has an unknown label; .* null, sad"):
        score_segments(annotation, [[]], [2], neutral_label="null", labels=["sad"], names=["a"])


@pytest.mark.parametrize(
    ("prediction", "reference", "duration", "message"),
    [
        ([segment(float("nan"), 1, "sad")], [], 2, "utterance 1: .*predictions, from nan to 1.0 s, .* not a finite"),
        ([segment(0, float("inf"), "sad")], [], 2, "utterance 1: .*predictions, from 0.0 to inf s, .* not a finite"),
        ([segment(-0.5, 1, "sad")], [], 2, "utterance 1: .*from -0.5 to 1.0 s, starts before 0"),
        ([], [segment(1.5, 1, "sad")], 2, "utterance 1: .*references, from 1.5 to 1.0 s, starts after its end"),
        ([], [segment(1, 2.5, "sad")], 2, "utterance 1: .*from 1.0 to 2.5 s, reaches past the end .* at 2.0 s"),
        ([], [], 0, "utterance 1: its duration must be a positive number of seconds, up to 1e\\+09; got 0.0"),
        (
            [],
            [],
            float("nan"),
            "utterance 1: its duration must be a positive number of seconds, up to 1e\\+09; got nan",
        ),
        ([], [{"start": 0, "end": 1}], 2, "utterance 1: a segment of its references needs start, end and label"),
        ([segment(0, "one", "sad")], [], 2, "utterance 1: end of a segment of its predictions .* got 'one'"),
        ([segment(0, 1, 3)], [], 2, "utterance 1: a label of its predictions must be a name; got 3"),
        ([segment(0, 1, None)], [], 2, "utterance 1: a label of its predictions must be a name; got None"),
        ("sad", [], 2, "utterance 1: its predictions must be a list of segments; got 'sad'"),
        (None, [], 2, "utterance 1: its predictions must be a list of segments; got None"),
    ],
)
def test_bad_input_is_named(prediction, reference, duration, message):
    fine = [segment(0, 1, "happy")]
    with pytest.raises(ValueError, match=message):
        score_segments([fine, prediction], [fine, reference], [1, duration])
    module = evaluate.load(MODULE)
    with pytest.raises(ValueError, match=message):
        module.compute(predictions=[fine, prediction], references=[fine, reference], durations=[1, duration])
    assert module.compute(predictions=[fine], references=[fine], durations=[1])["eder"] == 0  # it can be used again


def test_bad_lengths_and_options():
    for wrong in (([[]], [[], []], [1.0]), ([[]], [[]], []), ([], [], [])):
        with pytest.raises(ValueError, match="utterance"):
            score_segments(*wrong)
    for options in ({"collar": -1}, {"collar": float("nan")}, {"confidence_interval": 95}):
        with pytest.raises(ValueError, match=next(iter(options))):
            score_segments([[]], [[]], [1.0], **options)


def random_corpus(utterance_count: int, seed: int = 0) -> dict[str, list]:
    generator = np.random.default_rng(seed)

    def annotation() -> list[dict]:
        times = np.sort(generator.uniform(0, 5, 4))
        return [segment(*times[i : i + 2].tolist(), str(generator.choice(LABELS))) for i in (0, 1, 2)]

    return {
        "predictions": [annotation() for _ in range(utterance_count)],
        "references": [annotation() for _ in range(utterance_count)],
        "durations": generator.uniform(5, 6, utterance_count).tolist(),
    }


def test_evaluate_idioms_agree():
    corpus = random_corpus(23)
    options = {"per_utterance": True, "per_label": True, "confidence_interval": 0.9}
    expected = score_segments(**corpus, **options)
    module = evaluate.load(MODULE)
    assert module.compute(**corpus, **options) == expected
    for prediction, reference, duration in zip(*corpus.values(), strict=True):
        module.add(prediction=prediction, reference=reference, duration=duration)
    assert module.compute(**options) == expected
    for part in (slice(0, 10), slice(10, 23)):
        module.add_batch(**{name: column[part] for name, column in corpus.items()})
    assert module.compute(**options) == expected


def _score_share(process: int, experiment: str, cache: str, results) -> None:
    corpus = random_corpus(23)
    module = evaluate.load(MODULE, num_process=2, process_id=process, experiment_id=experiment, cache_dir=cache)
    module.add_batch(**{name: column[:9] if process == 0 else column[9:] for name, column in corpus.items()})
    results.put((process, module.compute(per_utterance=True)))


def test_several_processes_score_as_one(tmp_path: Path):
    context = get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_score_share, args=(n, "eder", str(tmp_path), results)) for n in (0, 1)]
    for process in processes:
        process.start()
    answers = dict(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    assert answers == {0: score_segments(**random_corpus(23), per_utterance=True), 1: None}


def test_confidence_interval_covers_the_truth_as_often_as_it_says():
    # Utterances of 1 s that are either right or all wrong, with probability 0.3: the true EDER is 0.3.
    generator, covered = np.random.default_rng(7), 0
    wrong, right = [segment(0, 1, "sad")], []
    for seed in range(200):
        predictions = [wrong if generator.random() < 0.3 else right for _ in range(100)]
        result = score_segments(predictions, [[]] * 100, [1.0] * 100, confidence_interval=0.9, seed=seed)
        low, high = result["confidence_interval"]["eder"]
        assert low <= result["eder"] <= high
        covered += low <= 0.3 <= high
    assert 0.83 <= covered / 200 <= 0.97  # 0.9 within three standard deviations, 3 * sqrt(0.9 * 0.1 / 200) = 0.064


def test_compare_systems():
    generator = np.random.default_rng(0)
    first = {"eder": generator.uniform(0, 1, 100).tolist()}
    better = {"eder": [rate - 0.1 + generator.normal(0, 0.05) for rate in first["eder"]]}
    comparison = compare_systems(first, better)
    assert comparison["difference"] == pytest.approx(0.1, abs=0.02)
    assert comparison["interval"][0] > 0.05 and comparison["p_value"] == 1 / 10_001
    assert compare_systems(first, first) == {"difference": 0.0, "interval": [0.0, 0.0], "p_value": 1.0}
    # systems that do not differ: p-values are uniform
    values = [
        compare_systems({"eder": generator.random(50)}, {"eder": generator.random(50)}, resamples=500)["p_value"]
        for _ in range(200)
    ]
    assert 0.015 <= np.mean(np.array(values) < 0.05) <= 0.1
    with pytest.raises(ValueError, match="same utterances; got 100 and 99"):
        compare_systems(first, {"eder": first["eder"][1:]})


def test_large_input_is_scored_in_blocks(monkeypatch: pytest.MonkeyPatch):
    corpus = random_corpus(50)
    expected = score_segments(**corpus, per_utterance=True, per_label=True, collar=0.1)
    monkeypatch.setattr("modeling_sed.metrics.eder.scoring.BLOCK", 7)
    actual = score_segments(**corpus, per_utterance=True, per_label=True, collar=0.1)
    assert actual["per_utterance"] == expected["per_utterance"]
    for reference, row in expected["durations"].items():
        assert actual["durations"][reference] == pytest.approx(row)


def test_any_number_of_utterances_may_be_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch):
    # more than 16 bits can number, each with an error of its own
    count = 70_000
    wrong = [[segment(0, number / count, "sad")] for number in range(count)]
    monkeypatch.setattr("modeling_sed.metrics.eder.scoring.BLOCK", count)
    result = score_segments(wrong, [[]] * count, [1.0] * count, per_utterance=True)
    assert result["per_utterance"]["false_alarm"] == [number / count for number in range(count)]


@given(corpora)
def test_utterances_do_not_influence_each_other(corpus):
    together = score_segments(*map(list, zip(*corpus, strict=True)), per_utterance=True)["per_utterance"]
    for index, utterance in enumerate(corpus):
        alone = score_segments(*([part] for part in utterance), per_utterance=True)["per_utterance"]
        assert {name: [rates[index]] for name, rates in together.items()} == alone


def test_real_zed_annotation():
    path = REAL_DATA / "ZED" / "ZED.json"
    if not path.is_file():
        pytest.skip(f"the annotation of ZED is not at {path}")
    entries = json.loads(path.read_text(encoding="utf-8"))
    references = [entry["emotion"] for entry in entries.values()]
    durations = [entry["duration"] for entry in entries.values()]
    names = list(entries)
    assert score_segments(references, references, durations, names=names)["eder"] == 0.0
    silent = score_segments([[]] * len(entries), references, durations, names=names)
    emotional = [sum(event["end"] - event["start"] for event in events) for events in references]
    shares = [seconds / duration for seconds, duration in zip(emotional, durations, strict=True)]
    assert silent["eder"] == silent["missed_emotion"] == pytest.approx(sum(shares) / 180, abs=1e-12)
    assert silent["eder"] == pytest.approx(0.58594096469528)
    assert silent["eder_by_duration"] == pytest.approx(0.5875, abs=5e-5)  # 58.75 % of all time is emotional


def neighbours(times: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    """Also the next float below and above, where subtractions round."""
    return times.flatmap(lambda time: st.sampled_from([time, np.nextafter(time, 0.0), np.nextafter(time, np.inf)]))


HARD_TIMES = neighbours(
    st.integers(0, 2_000).map(lambda n: n / 1_000)
    | st.floats(0, 1e9 - 1)
    | st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 0.30000000000000004, 0.374, 1.957, 999_999_999.9])
)


@st.composite
def hard_utterances(draw) -> tuple[list[dict], list[dict], float]:
    times = draw(st.lists(HARD_TIMES, min_size=1, max_size=6))
    duration = draw(HARD_TIMES | st.sampled_from(times)) or 1.0
    spans = st.lists(
        st.tuples(*[st.sampled_from([0.0, duration, *times])] * 2, st.sampled_from(["a", "b", "null", ""]))
    )
    predicted, true = ([segment(min(a, b), max(a, b), label) for a, b, label in draw(spans)[:4]] for _ in range(2))
    return predicted, [one | {key: min(one[key], duration) for key in ("start", "end")} for one in true], duration


@settings(deadline=None)
@given(hard_utterances())
def test_floats_that_subtractions_round_and_segments_of_errors_that_lie_side_by_side(utterance):
    prediction, reference, duration = utterance
    slow = slow_errors(prediction, reference, duration)
    result = score_segments([prediction], [reference], [duration])
    assert components(result) == pytest.approx(
        [float(slow[name] / Fraction(duration)) for name in COMPONENTS], abs=1e-9
    )
    errors = find_error_segments(prediction, reference, duration)
    borders = {0.0, duration, *(one[key] for one in (*prediction, *reference) for key in ("start", "end"))}
    assert {one[key] for one in errors for key in ("start", "end")} <= borders
    assert all(one["start"] < one["end"] <= duration for one in errors)
    assert all(
        one["end"] < other["start"] or (one["end"] == other["start"] and one["label"] != other["label"])
        for one, other in pairwise(errors)
    )
    for name in COMPONENTS:
        found = sum(Fraction(one["end"]) - Fraction(one["start"]) for one in errors if one["label"] == name)
        assert found == slow[name]


def test_an_error_ends_where_the_segment_does():
    reference = [segment(0.374, 1.957, "a")]  # 0.374 + (1.957 - 0.374) > 1.957
    assert find_error_segments([], reference, 1.957) == [{"start": 0.374, "end": 1.957, "label": "missed_emotion"}]


def test_durations_whose_sum_would_be_infinite_are_refused():
    with pytest.raises(ValueError, match=r"must be a positive number of seconds, up to 1e\+09; got 1e\+308"):
        score_segments([[], []], [[], []], [1e308, 1e308])
