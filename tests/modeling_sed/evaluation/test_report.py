"""The report: beside slow and other people's implementations, and by what must hold."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed import InputError
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.evaluation.json_values import without_nan
from modeling_sed.evaluation.pairing import Pairs, pair_annotations
from modeling_sed.evaluation.report import score_pairs, worst_utterances
from modeling_sed.evaluation.report_text import format_report
from modeling_sed.evaluation.tuning import UtterancePosteriors

CELL = 0.25  # seconds; borders are multiples of it, so that frames of it are exact
LABELS = ("neutral", "angry", "happy", "sad")


def segment(start: float, end: float, label: str) -> dict:
    return {"start": start, "end": end, "label": label}


def scored(references: list[list[dict]], predictions: list[list[dict]], durations: list[float], **options) -> dict:
    names = [f"u{number}" for number in range(len(durations))]
    return score_pairs(Pairs(names, references, predictions, durations), ["neutral"], **options)


tiles = st.lists(st.sampled_from(LABELS), min_size=17, max_size=17)  # labels of frames
corpora = st.lists(st.tuples(tiles, tiles, st.integers(1, 17)), min_size=1, max_size=3)


def as_segments(frames: list[str]) -> list[dict]:
    return [segment(index * CELL, (index + 1) * CELL, label) for index, label in enumerate(frames)]


def report_of(corpus) -> tuple[dict, np.ndarray, np.ndarray]:
    """The report, and the true and predicted labels of all frames."""
    true, predicted = ([side[: row[2]] for row in corpus for side in [row[which]]] for which in (0, 1))
    report = scored(
        [as_segments(frames) for frames in true],
        [as_segments(frames) for frames in predicted],
        [CELL * count for *_, count in corpus],
    )
    return report, np.concatenate(true), np.concatenate(predicted)


@settings(max_examples=50, deadline=None)
@given(corpora)
def test_rates_of_time_are_those_of_frames_by_scikit_learn(corpus):
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    report, true, predicted = report_of(corpus)
    frames = report["frames"]
    assert frames["accuracy"] == pytest.approx(sklearn.accuracy_score(true, predicted))
    assert frames["macro_f1"] == pytest.approx(sklearn.f1_score(true, predicted, average="macro", zero_division=0))
    present = sorted(set(true))
    recall = sklearn.recall_score(true, predicted, average="macro", labels=present, zero_division=0)
    assert frames["unweighted_average_recall"] == pytest.approx(recall)
    assert set(frames["per_label"]) == set(true) | set(predicted)


def slow_segment_errors(corpus) -> list[int]:
    """Active emotions, substitutions, deletions, insertions, one segment of a second after the other."""
    totals = [0, 0, 0, 0]
    for true, predicted, count in corpus:
        for first in range(0, count, round(1 / CELL)):
            last = min(first + round(1 / CELL), count)
            right, answer = (set(side[first:last]) - {"neutral"} for side in (true, predicted))
            missing, added = len(right - answer), len(answer - right)
            both = min(missing, added)
            for index, number in enumerate((len(right), both, missing - both, added - both)):
                totals[index] += number
    return totals


@settings(max_examples=100, deadline=None)
@given(corpora)
def test_segment_error_rate_equals_the_slow_reference(corpus):
    rate = report_of(corpus)[0]["segment_error_rate"]
    active, *errors = slow_segment_errors(corpus)
    assert [rate[name] for name in ("active", "substitutions", "deletions", "insertions")] == [active, *errors]
    assert rate["error_rate"] == pytest.approx(sum(errors) / active) if active else math.isnan(rate["error_rate"])


@settings(max_examples=100, deadline=None)
@given(corpora)
def test_parts_of_the_report_agree(corpus):
    report, true, predicted = report_of(corpus)
    assert report["frames"]["accuracy"] == pytest.approx(1 - report["eder_by_duration"])
    for label, one in report["emotions"].items():
        assert one["duration_bias"] == pytest.approx(CELL * ((predicted == label).sum() - (true == label).sum()))
        assert one["count_bias"] == one["predicted_events"] - one["reference_events"]
    assert report["boundaries"]["f1"] == pytest.approx(report["event_f1"][0]["f1"], nan_ok=True)
    assert report["event_f1"][0]["correct_events"] <= report["event_f1"][1]["correct_events"]
    found = [one["correct_events"] for one in report["segment_f1"]]
    assert found == sorted(found, reverse=True)
    assert max(report["per_utterance"]["eder"]) <= 1 and report["eder"] <= 1
    json.loads(json.dumps(without_nan(report), allow_nan=False))
    format_report(report, per_utterance=True)


def test_a_perfect_prediction_is_perfect_everywhere():
    reference = [[segment(1, 2, "sad")], [segment(0, 1, "happy"), segment(2, 3, "sad")]]
    report = scored(reference, reference, [3.0, 4.0])
    assert report["eder"] == report["segment_error_rate"]["error_rate"] == 0
    ones = [report["frames"][name] for name in ("accuracy", "macro_f1", "unweighted_average_recall")]
    ones += [one["f1"] for one in (*report["segment_f1"], *report["event_f1"])]
    assert ones == [1.0] * len(ones) and report["transitions"]["accuracy"] == 1 and report["notes"] == []


def test_what_a_collar_leaves_nothing_of_counts_nowhere():
    # 0.1 s before and after the border at 0.1 s of 0.2 s: 1e-17 s could be left
    references = [[segment(0, 0.1, "sad")], [segment(1, 3, "happy")]]
    report = scored(references, [[segment(0.1, 0.2, "sad")], references[1]], [0.2, 4.0], collar=0.1)
    assert report["eder"] == 0 and report["utterances"] == 1 and report["unscored"] == 1
    assert math.isnan(report["per_utterance"]["eder"][0]) and report["per_utterance"]["eder"][1] == 0
    assert [(note["about"], note["count"]) for note in report["notes"]] == [("unscored_utterances", 1)]
    assert set(report["per_label"]) == {"happy"}
    pairs = Pairs(["a", "b"], references, references, [0.2, 4.0])
    assert [item["name"] for item in worst_utterances(pairs, report, 5, ["neutral"])] == ["b"]


def test_notes_say_what_may_mislead():
    references = {
        "a": Annotation("a", [segment(0, 2, "sad"), segment(1, 2, "fear")], 4.0),
        "b": Annotation("b", [], 3.0),
        "c": Annotation("c", [segment(0, 1, "sad")], 2.0),
    }
    predictions = {
        "a": Annotation("a", [segment(0, 5, "sad")], 4.05),
        "c": Annotation("c", [segment(0, 1, "joy"), segment(1, 2, "joy")], 2.0005),
    }
    pairs = pair_annotations(references, predictions, {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0})
    notes = {note["about"]: note for note in score_pairs(pairs, ["neutral"])["notes"]}
    assert {about: note["count"] for about, note in notes.items()} == {
        "labels_only_in_references": 1,
        "labels_only_in_predictions": 1,
        "all_neutral_references": 2,
        "all_neutral_predictions": 2,
        "overlapping_references": 1,
        "missing_references": 1,
        "missing_predictions": 2,
        "different_durations": 1,
        "cut_predictions": 1,
    }
    assert notes["labels_only_in_references"]["text"] == "Only in the references: fear (1 event(s))."
    assert notes["missing_predictions"]["text"].startswith("2 of 4 utterances are not in the predictions")


def test_intervals_are_of_clusters_and_one_has_none():
    wrong, right = [segment(0, 1, "sad")], []
    answers = [wrong if number % 3 == 0 else right for number in range(60)]
    options = {"confidence_interval": 0.9, "by": "speaker"}
    report = scored([[]] * 60, answers, [1.0] * 60, clusters=[f"{number // 2}" for number in range(60)], **options)
    interval = report["confidence_interval"]
    assert (interval["level"], interval["by"], interval["clusters"]) == (0.9, "speaker", 30)
    assert report["eder"] == pytest.approx(1 / 3)
    assert interval["eder"][0] < report["eder"] < interval["eder"][1]
    assert math.isnan(interval["segment_error_rate"][0])  # of nothing: no emotion in the references
    alone = scored([[]], [wrong], [1.0], confidence_interval=0.9)
    assert np.isnan(alone["confidence_interval"]["eder"]).all()
    assert (
        alone["notes"][-1]["text"] == "There is no interval: one utterance does not tell how much others would differ."
    )
    assert "100.00 to" not in format_report(alone)
    with pytest.raises(InputError, match=r"between 0 and 1, such as 0\.95; got 95"):
        scored([[]], [[]], [1.0], confidence_interval=95)


def test_calibration_where_frames_have_scores():
    posteriors = np.tile([0.7, 0.1, 0.1, 0.1], (4, 1))
    item = UtterancePosteriors(Annotation("a", [], 4.0), posteriors, np.array([0, 0, 2, 2]), np.arange(5.0))
    report = scored([[]], [[]], [4.0], frame_scores=[item], confidence_interval=0.9)
    assert report["calibration"]["expected_calibration_error"] == pytest.approx(0.2)  # 70 % sure, half of them right
    (filled,) = [one for one in report["calibration"]["curve"] if one["frames"]]
    assert filled == {
        "low": pytest.approx(10 / 15), "high": pytest.approx(11 / 15), "frames": 4,
        "confidence": pytest.approx(0.7), "accuracy": 0.5,
    }  # fmt: skip
    assert "0.67 to 0.73" in format_report(report)
