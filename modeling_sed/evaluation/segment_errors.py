"""Errors of emotions in segments of equal length: the segment-based error rate of sound event detection.

An emotion is active in a segment of time if it lasts for any part of it. In each segment, emotions that are missing and
emotions that are too many are counted; as many of them as there are of both are substitutions, the rest are deletions
or insertions (Mesaros, Heittola & Virtanen 2016, Metrics for polyphonic sound event detection, section 3.1).
"""

from __future__ import annotations

import numpy as np

from ..metrics.boundary_quality.events import ROUNDING, EventTable

LENGTH = 1.0  # seconds, as is usual
KINDS = ("active", "substitutions", "deletions", "insertions")


def count_segment_errors(true: EventTable, predicted: EventTable, durations: np.ndarray) -> np.ndarray:
    """Emotions that are active in the segments of each utterance, and those that are wrong.

    Args:
        true: the true events.
        predicted: the predicted ones, with the same ``labels``.
        durations: ``(utterances,)`` seconds. The last segment may be shorter than the others.

    Returns:
        ``(utterances, 4)`` numbers, in the order of `KINDS`.
    """
    segments = np.ceil(durations / LENGTH - ROUNDING).astype(np.int64)
    first = np.cumsum(segments) - segments
    utterance = np.repeat(np.arange(len(durations)), segments)
    right, answer = _active(true, first), _active(predicted, first)
    missing, added = np.setdiff1d(right, answer), np.setdiff1d(answer, right)
    active, missed, inserted = (
        np.bincount(cell // max(len(true.labels), 1), minlength=len(utterance)) for cell in (right, missing, added)
    )
    both = np.minimum(missed, inserted)
    return np.stack(
        [
            np.bincount(utterance, count, minlength=len(durations))
            for count in (active, both, missed - both, inserted - both)
        ],
        axis=1,
    )


def _active(events: EventTable, first: np.ndarray) -> np.ndarray:
    """Pairs of a segment and a label that is active there, as one number each, ascending."""
    start = np.floor(events.start / LENGTH + ROUNDING).astype(np.int64)
    end = np.ceil(events.end / LENGTH - ROUNDING).astype(np.int64)
    counts = np.maximum(end - start, 0)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    segment = np.repeat(first[events.utterance] + start, counts) + within
    return np.unique(segment * len(events.labels) + np.repeat(events.label, counts))
