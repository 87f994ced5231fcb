"""Which predicted event is which true one: by the time that they share, or by how near their borders are.

Only events of the same utterance and label are paired, each with one other at most.

- Within a collar (sound event detection; Mesaros, Heittola & Virtanen 2016, Metrics for polyphonic sound event
  detection): the onset is off by no more than the collar, and the offset by no more than the collar or a share of the
  true event's length, whichever is more.
- By intersection over union (action segmentation; Lea et al. 2017, arXiv 1611.05267): the time that both events share
  is at least a given part of the time that at least one of them covers.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from .events import ROUNDING, EventTable

Pairing = tuple[np.ndarray, np.ndarray]  # indices of true and of predicted events, ``(pairs,)`` each


def match_within_collar(true: EventTable, predicted: EventTable, collar: float, offset_ratio: float) -> np.ndarray:
    """As many pairs as possible of events whose borders are near each other.

    Args:
        true: the true events.
        predicted: the predicted ones, with the same ``labels``.
        collar: seconds by which an onset and an offset may be off.
        offset_ratio: share of the true event's length by which the offset may be off, if that is more.

    Returns:
        ``(pairs,)`` indices of the true events that have a partner.
    """
    near = collar + ROUNDING  # a border that is off by the collar itself is within it, whatever the subtraction rounds
    first = np.searchsorted(predicted.at(predicted.start), true.at(true.start - near), side="left")
    last = np.searchsorted(predicted.at(predicted.start), true.at(true.start + near), side="right")
    rows, columns = _ranges(first, last)
    allowed = np.maximum(collar, offset_ratio * (true.end - true.start)[rows]) + ROUNDING
    kept = np.abs(predicted.end[columns] - true.end[rows]) <= allowed
    return _match(rows[kept], columns[kept], true, predicted)


def match_by_shared_time(true: EventTable, predicted: EventTable, threshold: float) -> np.ndarray:
    """As many pairs as possible of events whose intersection over union is at least a threshold.

    Args:
        true: the true events.
        predicted: the predicted ones, with the same ``labels``.
        threshold: above 0, and up to 1.

    Returns:
        ``(pairs,)`` indices of the true events that have a partner.
    """
    rows, columns = _overlapping(true, predicted)
    shared = _shared(true, predicted, rows, columns)
    union = (true.end - true.start)[rows] + (predicted.end - predicted.start)[columns] - shared
    kept = shared >= threshold * union - ROUNDING
    return _match(rows[kept], columns[kept], true, predicted)


def pair_by_longest_overlap(true: EventTable, predicted: EventTable) -> Pairing:
    """Pairs of overlapping events, so that the time that pairs share is longest in sum.

    Events of one label lie apart. Hence, where overlapping pairs are in the order of the true events, the predicted
    ones ascend, too, and pairs with an event in common follow each other. So the best choice among the first pairs is
    that among one less, or the last of them and the best choice among those before its first rival.
    """
    rows, columns = _overlapping(true, predicted)
    shared = _shared(true, predicted, rows, columns).tolist()
    first_rival = np.minimum(np.searchsorted(rows, rows), np.searchsorted(columns, columns)).tolist()
    best = [0.0]  # seconds, among no pairs, the first one, the first two ...
    for seconds, rival in zip(shared, first_rival, strict=True):
        best.append(max(best[-1], best[rival] + seconds))
    chosen, count = [], len(shared)
    while count:
        if best[count] == best[count - 1]:
            count -= 1
        else:
            chosen.append(count - 1)
            count = first_rival[count - 1]
    return rows[chosen[::-1]], columns[chosen[::-1]]


def border_errors(true: EventTable, predicted: EventTable, pairs: Pairing, durations: np.ndarray) -> dict[str, Pairing]:
    """Signed errors of the borders of pairs in seconds, predicted less true: late borders have positive ones.

    A true border at the very start or end of its utterance is none: nobody can be late or early there.

    Args:
        true: the true events.
        predicted: the predicted ones.
        pairs: which of them belong together.
        durations: ``(utterances,)`` seconds.

    Returns:
        ``onset`` and ``offset``: index of the true event and error, ``(borders,)`` each.
    """
    rows, columns = pairs
    inside = {
        "onset": true.start[rows] > ROUNDING,
        "offset": true.end[rows] < durations[true.utterance[rows]] - ROUNDING,
    }
    errors = {
        "onset": predicted.start[columns] - true.start[rows],
        "offset": predicted.end[columns] - true.end[rows],
    }
    return {border: (rows[inside[border]], errors[border][inside[border]]) for border in errors}


def _overlapping(true: EventTable, predicted: EventTable) -> Pairing:
    first = np.searchsorted(predicted.at(predicted.end), true.at(true.start), side="right")
    last = np.searchsorted(predicted.at(predicted.start), true.at(true.end), side="left")
    return _ranges(first, last)


def _ranges(first: np.ndarray, last: np.ndarray) -> Pairing:
    """All pairs of a row ``r`` and a column from ``first[r]`` to ``last[r] - 1``."""
    counts = np.maximum(last - first, 0)
    rows = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, first[rows] + within


def _shared(true: EventTable, predicted: EventTable, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.minimum(true.end[rows], predicted.end[columns]) - np.maximum(true.start[rows], predicted.start[columns])


def _match(rows: np.ndarray, columns: np.ndarray, true: EventTable, predicted: EventTable) -> np.ndarray:
    """The true events of a largest set of the given pairs in which no event comes twice."""
    if not len(rows):
        return rows
    places = rows.astype(np.int32), columns.astype(np.int32)  # the matching of older scipy takes no others
    graph = csr_array((np.ones(len(rows), dtype=np.int8), places), shape=(len(true.start), len(predicted.start)))
    return np.flatnonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0)
