"""Boundary quality: by hand, and by what must hold."""

from __future__ import annotations

import math

import evaluate
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mir_eval.transcription import match_notes
from scipy.optimize import linear_sum_assignment

from modeling_sed.metrics.boundary_quality.borders import boundary_quality
from modeling_sed.metrics.boundary_quality.event_matching import (
    match_by_shared_time,
    match_within_collar,
    pair_by_longest_overlap,
)
from modeling_sed.metrics.boundary_quality.events import EventTable, find_events
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


events_of_two_labels = st.lists(
    st.tuples(st.integers(0, 39), st.integers(1, 9), st.sampled_from(["happy", "sad"])), max_size=12
).map(lambda events: [segment(start / 10, (start + length) / 10, label) for start, length, label in events])
several = st.lists(st.tuples(events_of_two_labels, events_of_two_labels), min_size=1, max_size=3)


def tables(corpus) -> tuple[EventTable, EventTable]:
    """True and predicted events."""
    predicted, true = find_events([one for one, _ in corpus], [other for _, other in corpus], [5.0] * len(corpus))
    return true, predicted


def groups(true: EventTable, predicted: EventTable):
    """Events ``(events, 2)`` of both sides, of one utterance and label at a time."""
    for utterance in range(3):
        for label in range(len(true.labels)):
            yield tuple(
                np.stack([table.start, table.end], axis=1)[(table.utterance == utterance) & (table.label == label)]
                for table in (true, predicted)
            )


@given(several, st.sampled_from([0.1, 0.2, 0.5]), st.sampled_from([0.0, 0.2, 0.5]))
def test_as_many_are_within_a_collar_as_mir_eval_says(corpus, collar, offset_ratio):
    true, predicted = tables(corpus)
    expected = 0
    for ours, others in groups(true, predicted):
        if len(ours) and len(others):
            pitches = np.ones(len(ours)), np.ones(len(others))  # notes of one pitch are what it calls events of a label
            options = {"onset_tolerance": collar, "offset_ratio": offset_ratio, "offset_min_tolerance": collar}
            expected += len(match_notes(ours, pitches[0], others, pitches[1], **options))
    assert len(match_within_collar(true, predicted, collar, offset_ratio)) == expected


def shared_and_union(ours: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shared = np.minimum(ours[:, None, 1], others[None, :, 1]) - np.maximum(ours[:, None, 0], others[None, :, 0])
    shared = shared.clip(min=0)
    return shared, np.diff(ours) + np.diff(others).T - shared


@given(several, st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_pairs_by_shared_time_are_those_of_an_assignment(corpus, threshold):
    true, predicted = tables(corpus)
    matched, longest = 0, 0.0
    for ours, others in groups(true, predicted):
        shared, union = shared_and_union(ours, others)
        allowed = shared >= threshold * union - 1e-6
        matched += allowed[linear_sum_assignment(allowed, maximize=True)].sum()
        longest += shared[linear_sum_assignment(shared, maximize=True)].sum()
    assert len(match_by_shared_time(true, predicted, threshold)) == matched
    rows, columns = pair_by_longest_overlap(true, predicted)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    for column in ("utterance", "label"):
        assert (getattr(true, column)[rows] == getattr(predicted, column)[columns]).all()
    found = np.minimum(true.end[rows], predicted.end[columns]) - np.maximum(true.start[rows], predicted.start[columns])
    assert (found > 0).all() and found.sum() == pytest.approx(longest, abs=1e-9)


@given(several)
def test_at_half_the_union_no_event_has_a_choice(corpus):
    true, predicted = tables(corpus)
    for ours, others in groups(true, predicted):
        shared, union = shared_and_union(ours, others)
        allowed = shared >= 0.5 * union - 1e-9
        assert (allowed.sum(axis=0) <= 1).all() and (allowed.sum(axis=1) <= 1).all()


def test_no_events_at_all():
    true, predicted = tables([([], [])])
    assert len(match_within_collar(true, predicted, 0.2, 0.2)) == len(match_by_shared_time(true, predicted, 0.5)) == 0
    assert [len(side) for side in pair_by_longest_overlap(true, predicted)] == [0, 0]
