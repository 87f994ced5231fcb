"""How exact predicted events are in time, which EDER hides: errors of onsets and offsets, and event-based F1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .event_matching import border_errors, match_within_collar, pair_by_longest_overlap
from .events import ROUNDING, EventTable, Segments, find_events

WITHIN = (0.1, 0.2, 0.5)  # seconds
TOLERANCE = 0.2  # seconds
OFFSET_RATIO = 0.2


def boundary_quality(
    predictions: Sequence[Segments],
    references: Sequence[Segments],
    durations: Sequence[float],
    tolerance: float = TOLERANCE,
    offset_ratio: float = OFFSET_RATIO,
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
    if not (0 < tolerance < math.inf and 0 <= offset_ratio <= 1):
        raise ValueError(f"tolerance must be positive, offset_ratio a share; got {tolerance} and {offset_ratio}.")
    predicted, true = find_events(predictions, references, durations, neutral_label)
    return quality_of_events(true, predicted, np.asarray(durations, dtype=np.float64), tolerance, offset_ratio)


def quality_of_events(
    true: EventTable,
    predicted: EventTable,
    durations: np.ndarray,
    tolerance: float = TOLERANCE,
    offset_ratio: float = OFFSET_RATIO,
) -> dict[str, Any]:
    """What `boundary_quality` returns, of events that are found already; ``durations (utterances,)`` in seconds."""
    correct = len(match_within_collar(true, predicted, tolerance, offset_ratio))
    pairs = pair_by_longest_overlap(true, predicted)
    errors = border_errors(true, predicted, pairs, durations)
    return {
        "f1": _ratio(2 * correct, len(predicted.start) + len(true.start)),
        "precision": _ratio(correct, len(predicted.start)),
        "recall": _ratio(correct, len(true.start)),
        "reference_events": len(true.start),
        "predicted_events": len(predicted.start),
        "correct_events": correct,
        "overlapped_events": len(pairs[0]),
        **{border: _summary(np.abs(values)) for border, (_, values) in errors.items()},
    }


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
