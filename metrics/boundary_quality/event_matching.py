"""How exact predicted events are in time, which EDER does not show: errors of onsets and offsets, and event-based F1.

An event is a maximal stretch with one emotion. Event-based F1 follows the convention of sound event detection (Mesaros,
Heittola & Virtanen 2016, Metrics for polyphonic sound event detection): a predicted event is right if a reference event
of its label has its onset within a tolerance, and its offset within the tolerance or a share of the event's length,
whichever is more. Events are paired by maximum matching, by mir_eval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mir_eval.transcription import match_notes
from scipy.optimize import linear_sum_assignment

WITHIN = (0.1, 0.2, 0.5)  # seconds
ROUNDING = 1e-6  # seconds; shorter gaps come from rounding and are ignored


def boundary_quality(
    predictions: Sequence[Sequence[Mapping[str, Any]]],
    references: Sequence[Sequence[Mapping[str, Any]]],
    durations: Sequence[float],
    tolerance: float = 0.2,
    offset_ratio: float = 0.2,
    neutral_label: str | Sequence[str] = "neutral",
) -> dict[str, Any]:
    """Errors of onsets and offsets, and event-based F1. Rates over no events or no borders are NaN.

    Args:
        predictions: for each utterance its segments, ``{"start": seconds, "end": seconds, "label": name}``, in any
            order; neutral ones may be left out.
        references: the same, of the truth.
        durations: of the utterances, in seconds.
        tolerance: seconds by which an event's onset and offset may be off.
        offset_ratio: share of a reference event's length by which its offset may be off, if that is more.
        neutral_label: the label that means no emotion, or several.

    Returns:
        ``f1``, ``precision``, ``recall``; the numbers ``reference_events``, ``predicted_events``, ``correct_events``,
        ``overlapped_events``; and ``onset`` and ``offset``: median, percentile_90 (seconds), shares within some
        tolerances and count of their errors.

    Raises:
        ValueError: if the inputs differ in length, or a segment, duration or option is invalid.
    """
    if not len(predictions) == len(references) == len(durations):
        raise ValueError(
            "Each utterance needs its predictions, references and duration; got "
            f"{len(predictions)}, {len(references)} and {len(durations)} of them."
        )
    if not (0 < tolerance < math.inf and 0 <= offset_ratio <= 1):
        raise ValueError(f"tolerance must be positive, offset_ratio a share; got {tolerance} and {offset_ratio}.")
    neutral = {neutral_label} if isinstance(neutral_label, str) else set(neutral_label)
    correct, predicted, true, overlapped = 0, 0, 0, 0
    errors: dict[str, list[float]] = {"onset": [], "offset": []}
    for index, (prediction, reference, duration) in enumerate(zip(predictions, references, durations, strict=True)):
        answers = _events(prediction, duration, neutral, index)
        truth = _events(reference, duration, neutral, index)
        predicted += sum(map(len, answers.values()))
        true += sum(map(len, truth.values()))
        for label in answers.keys() & truth.keys():
            correct += _count_correct(truth[label], answers[label], tolerance, offset_ratio)
            pairs = _overlapping_pairs(truth[label], answers[label])
            overlapped += len(pairs)
            for event, answer in pairs:
                if event[0] > ROUNDING:
                    errors["onset"].append(abs(answer[0] - event[0]))
                if event[1] < duration - ROUNDING:
                    errors["offset"].append(abs(answer[1] - event[1]))
    return {
        "f1": _ratio(2 * correct, predicted + true),
        "precision": _ratio(correct, predicted),
        "recall": _ratio(correct, true),
        "reference_events": true,
        "predicted_events": predicted,
        "correct_events": correct,
        "overlapped_events": overlapped,
        **{border: _summary(np.array(values)) for border, values in errors.items()},
    }


def _events(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral: set[str], index: int
) -> dict[str, np.ndarray]:
    """Events of each emotion, ``(events, 2)`` seconds: overlapping and touching segments are one."""
    if not 0 < duration < math.inf:
        raise ValueError(f"utterance {index}: its duration must be a positive number of seconds; got {duration}.")
    events: dict[str, list[list[float]]] = defaultdict(list)
    for segment in sorted(segments, key=lambda segment: segment["start"]):
        start, end, label = segment["start"], segment["end"], segment["label"]
        if not 0 <= start <= end < math.inf:
            raise ValueError(
                f"utterance {index}: the segment {label!r} from {start} to {end} s needs 0 <= start <= end."
            )
        end = min(end, duration)
        if label in neutral or end <= start:
            continue
        if events[label] and start <= events[label][-1][1] + ROUNDING:
            events[label][-1][1] = max(events[label][-1][1], end)
        else:
            events[label].append([start, end])
    return {label: np.array(intervals) for label, intervals in events.items()}


def _count_correct(truth: np.ndarray, answers: np.ndarray, tolerance: float, offset_ratio: float) -> int:
    """Pairs of a maximum matching; notes of one pitch are mir_eval's name for events of one label."""
    pairs = match_notes(
        truth,
        np.ones(len(truth)),
        answers,
        np.ones(len(answers)),
        onset_tolerance=tolerance,
        offset_ratio=offset_ratio,
        offset_min_tolerance=tolerance,
    )
    return len(pairs)


def _overlapping_pairs(truth: np.ndarray, answers: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Reference and predicted events paired one to one, so that the time that they share is longest."""
    shared = np.minimum(truth[:, None, 1], answers[None, :, 1]) - np.maximum(truth[:, None, 0], answers[None, :, 0])
    shared = shared.clip(min=0)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return [(truth[row], answers[column]) for row, column in zip(rows, columns, strict=True) if shared[row, column] > 0]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _summary(errors: np.ndarray) -> dict[str, float]:
    """Median, 90th percentile and shares within some tolerances of absolute errors ``(borders,)`` in seconds."""
    summary = {
        "median": float(np.median(errors)) if len(errors) else math.nan,
        "percentile_90": float(np.percentile(errors, 90)) if len(errors) else math.nan,
    }
    # a border that is off by the tolerance itself is within it, whatever the rounding of the subtraction
    within = {f"within_{limit}": _ratio(float((errors <= limit + ROUNDING).sum()), len(errors)) for limit in WITHIN}
    return {**summary, **within, "count": len(errors)}
