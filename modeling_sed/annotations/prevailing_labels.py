"""Which label prevails in an interval: of an emotion in a word, of a speaker in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..frames_sed import Segment
from .segments import in_order

POINT = 0.001  # Seconds. Times of words and subtitles are no more exact: what is shorter is a point of time.
DECIMALS = 6  # of scores; beyond them, differences are those of the arithmetic


def prevailing_labels(
    segments: Sequence[Segment], intervals: Sequence[tuple[float, float]]
) -> list[tuple[str, float] | None]:
    """The label that prevails in each interval, with its score there.

    At each instant, a label has the score of its segment, 1 if it has none, and 0 outside of its segments. The score of
    a label in an interval is the mean over the part of the interval between the start of the first and the end of the
    last segment; the label with the highest prevails. So it is the label that covers the most time, weighted by score,
    and its score is at most that of its segments, the lower the more of the interval has other labels.

    Scores that are equal to `DECIMALS` decimals are equal; of equals, the label that begins first in the recording
    prevails. An interval of less than a millisecond is a point, which belongs to the segment that contains it; at a
    border to the later one, at the end of the recording to the last.

    The time that it takes grows with the number of intervals and with that of segments, however long the intervals are.

    Args:
        segments: in any order; they may overlap, and leave gaps, in which no label has a score.
        intervals: start and end of each in seconds, ``start <= end``, in any order.

    Returns:
        For each interval a label and a score above 0 and at most 1, or None where there is no segment.
    """
    segments = [segment for segment in in_order(segments) if segment["start"] < segment["end"]]
    if not segments:
        return [None] * len(intervals)
    labels = list(dict.fromkeys(segment["label"] for segment in segments))
    borders, scores = _scores_between_borders(segments, labels)
    starts, ends = np.asarray(intervals, dtype=np.float64).reshape(-1, 2).T

    # what has been reached by each border, (cells + 1, labels), grows linearly between borders
    reached = np.concatenate([np.zeros((1, len(labels))), np.cumsum(scores * np.diff(borders)[:, None], axis=0)])
    inside = np.stack([np.interp(ends, borders, of) - np.interp(starts, borders, of) for of in reached.T], axis=1)
    seconds = np.minimum(ends, borders[-1]) - np.maximum(starts, borders[0])
    means = np.where(seconds < POINT, 0.0, inside.T / np.maximum(seconds, POINT)).T

    cells = np.searchsorted(borders, starts, side="right") - 1
    at_points = scores[cells.clip(0, len(scores) - 1)]
    is_point = (ends - starts < POINT) & (starts >= borders[0]) & (starts <= borders[-1])
    means = np.where(is_point[:, None], at_points, means).round(DECIMALS)

    prevailing = means.argmax(axis=1)  # the first of equals
    found = zip(prevailing.tolist(), means.max(axis=1).tolist(), strict=True)
    return [(labels[position], mean) if mean > 0 else None for position, mean in found]


def _scores_between_borders(segments: Sequence[Segment], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The times at which something changes, ``(cells + 1,)``, and the scores between them, ``(cells, labels)``."""
    times = np.array([(segment["start"], segment["end"]) for segment in segments])
    borders = np.unique(times)
    scores = np.zeros((len(borders) - 1, len(labels)))
    columns = {label: column for column, label in enumerate(labels)}
    for segment, (first, last) in zip(segments, np.searchsorted(borders, times), strict=True):
        scores[first:last, columns[segment["label"]]] = segment.get("score", 1.0)
    return borders, scores
