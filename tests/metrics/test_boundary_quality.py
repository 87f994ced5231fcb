"""Boundary quality: by hand, and by what must hold."""

from __future__ import annotations

import math

import evaluate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.metrics.boundary_quality.event_matching import boundary_quality
from tests.conftest import REPOSITORY
from tests.metrics.test_eder import segment


def test_errors_by_hand():
    references = [
        [segment(1.0, 3.0, "sad"), segment(5.0, 10.0, "happy")],  # the last one ends with the utterance
        [segment(0.0, 2.0, "angry")],  # begins with the utterance
        [segment(1.0, 2.0, "sad")],
    ]
    predictions = [
        [segment(1.1, 3.4, "sad"), segment(4.5, 9.0, "happy")],  # onsets off by 0.1 and 0.5, offset by 0.4
        [segment(0.3, 2.2, "angry"), segment(3.0, 4.0, "angry")],  # offset off by 0.2
        [segment(1.0, 2.0, "happy")],  # another emotion
    ]
    metric = evaluate.load(str(REPOSITORY / "metrics" / "boundary_quality"))
    result = metric.compute(predictions=predictions, references=references, durations=[10.0, 5.0, 4.0])
    assert result["onset"] == {
        "median": pytest.approx(0.3), "percentile_90": pytest.approx(0.46),  # of 0.1 and 0.5
        "within_0.1": 0.5, "within_0.2": 0.5, "within_0.5": 1.0, "count": 2,
    }  # fmt: skip
    assert result["offset"] == {
        "median": pytest.approx(0.3), "percentile_90": pytest.approx(0.38),  # of 0.4 and 0.2
        "within_0.1": 0.0, "within_0.2": 0.5, "within_0.5": 1.0, "count": 2,
    }  # fmt: skip
    # right: sad of the first utterance (0.4 is within a fifth of 2 s); not happy (onset), angry (onset) nor the others
    assert (result["correct_events"], result["predicted_events"], result["reference_events"]) == (1, 5, 4)
    assert (result["precision"], result["recall"]) == (1 / 5, 1 / 4)
    assert result["f1"] == pytest.approx(2 / 9)
    assert result["overlapped_events"] == 3


annotations = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 3), st.sampled_from(["happy", "sad", "neutral"])), max_size=5
).map(lambda events: [segment(start / 2, min((start + length) / 2, 5.0), label) for start, length, label in events])


@given(annotations)
def test_a_perfect_prediction_is_perfect(reference):
    result = boundary_quality([reference], [reference], [5.0])
    assert result["correct_events"] == result["reference_events"] == result["predicted_events"]
    assert result["overlapped_events"] == result["reference_events"]
    for border in ("onset", "offset"):
        assert not result[border]["count"] or result[border]["percentile_90"] == 0.0


@given(annotations, annotations)
def test_splitting_and_order_do_not_matter_and_counts_are_bounded(prediction, reference):
    result = boundary_quality([prediction], [reference], [5.0])
    halves = []
    for part in reversed(reference):
        middle = (part["start"] + part["end"]) / 2
        halves += [part | {"start": middle}, part | {"end": middle}]
    rewritten = boundary_quality([prediction], [halves], [5.0])
    assert str(rewritten) == str(result)  # as text, NaN equals NaN
    assert result["correct_events"] <= min(result["predicted_events"], result["reference_events"])


def test_nothing_has_no_rate():
    result = boundary_quality([[]], [[]], [1.0])
    assert math.isnan(result["f1"]) and math.isnan(result["onset"]["median"]) and result["onset"]["count"] == 0


@pytest.mark.parametrize(
    ("prediction", "duration", "options", "message"),
    [
        ([segment(2, 1, "sad")], 3, {}, "utterance 0: the segment 'sad' from 2 to 1 s"),
        ([], 0, {}, "utterance 0: its duration must be a positive number of seconds; got 0"),
        ([], 1, {"tolerance": 0}, "tolerance must be positive"),
    ],
)
def test_bad_input_is_named(prediction, duration, options, message):
    with pytest.raises(ValueError, match=message):
        boundary_quality([prediction], [[]], [duration], **options)
