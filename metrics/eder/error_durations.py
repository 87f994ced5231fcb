"""The mathematics of EDER: seconds of every kind of error in every utterance, exactly, from the segments' borders.

Time is cut at every border of a reference or predicted segment. Within a piece, R is the set of reference emotions and
H that of predicted ones (neutral is the empty set):

    R = {}, H != {}                     false alarm
    R != {}, H = {}                     missed emotion
    both != {}, R & H = {}              confusion
    R & H != {}, H not within R         overlap: another emotion beside a right one
    R & H != {}, H within R, H != R     missed emotion: a part of an overlapped reference
    H = R                               correct

A piece counts once, so the errors of an utterance never exceed its duration. The cost grows with the number of
segments, whatever the durations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .segment_table import SegmentTable

COMPONENTS = ("false_alarm", "missed_emotion", "confusion", "overlap")


@dataclass(frozen=True)
class Pieces:
    """Scored time between neighbouring borders of an utterance.

    Attributes:
        utterance: ``(pieces,)`` index of the utterance, ascending.
        start: ``(pieces,)`` seconds, ascending within an utterance.
        seconds: ``(pieces,)`` length, greater than 0.
        reference: boolean ``(labels, pieces)``, whether the reference has the label there.
        prediction: boolean ``(labels, pieces)``, the same for the prediction.
    """

    utterance: np.ndarray
    start: np.ndarray
    seconds: np.ndarray
    reference: np.ndarray
    prediction: np.ndarray


def cut_into_pieces(
    predictions: SegmentTable, references: SegmentTable, durations: np.ndarray, collar: float = 0.0
) -> Pieces:
    """Cuts utterances at every border; leaves out what lies within the collar of a reference border.

    A reference border is where the set of reference emotions changes inside the utterance: an emotion that lasts to
    the end of the recording has none there, and one written as two touching segments has none between them.

    Args:
        predictions: checked segments.
        references: checked segments, with the same ``labels``.
        durations: ``(utterances,)`` seconds.
        collar: seconds to leave out on either side of a reference border.
    """
    tables = [references, predictions]
    if collar:
        tables.append(_collars(references, durations, collar))
    utterance, start, seconds, (reference, prediction, *left_out) = _cut(tables, durations)
    if not collar:
        return Pieces(utterance, start, seconds, reference, prediction)
    kept = ~left_out[0][0]
    return Pieces(utterance[kept], start[kept], seconds[kept], reference[:, kept], prediction[:, kept])


def _cut(
    tables: Sequence[SegmentTable], durations: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Pieces between all borders: utterance, start and seconds ``(pieces,)``; active ``(labels, pieces)`` per table."""
    whole = np.arange(len(durations))
    utterance = np.concatenate([whole, whole, *(part for table in tables for part in (table.utterance,) * 2)])
    time = np.concatenate([0 * durations, durations, *(part for table in tables for part in (table.start, table.end))])
    order = _order(utterance, time)
    utterance, time = utterance[order], time[order]
    seconds = np.diff(time, append=time[-1:])
    kept = (np.diff(utterance, append=-1) == 0) & (seconds > 0)

    # A segment opens its label at its start and closes it at its end: between, more were opened than closed.
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    active, place = [], 2 * len(durations)
    for table in tables:
        opened = np.zeros((len(table.labels), len(order)), dtype=np.int32)
        for change in (1, -1):
            opened[table.label, position[place : place + len(table.label)]] = change
            place += len(table.label)
        active.append((np.cumsum(opened, axis=1) > 0)[:, kept])
    return utterance[kept], time[kept], seconds[kept], active


def _order(utterance: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Indices that sort by utterance and, within one, by time; several times as fast as `np.lexsort`.

    Ties may come in any order: pieces between equal times are empty. Few utterances are worked on at a time, so that
    their numbers fit into 16 bits, which numpy sorts in linear time.
    """
    by_time = np.argsort(time)
    return by_time[np.argsort(utterance[by_time].astype(np.uint16), kind="stable")]


def _collars(references: SegmentTable, durations: np.ndarray, collar: float) -> SegmentTable:
    """The time around reference borders as segments of one label."""
    utterance, start, _, (reference,) = _cut([references], durations)
    border = (np.diff(utterance) == 0) & (reference[:, 1:] != reference[:, :-1]).any(axis=0)
    utterance, time = utterance[1:][border], start[1:][border]
    return SegmentTable(
        utterance,
        np.maximum(time - collar, 0.0),
        np.minimum(time + collar, durations[utterance]),
        np.zeros(len(time), dtype=np.int64),
        ("collar",),
    )


def with_labels(table: SegmentTable, labels: tuple[str, ...]) -> SegmentTable:
    """The same segments, indexed into a tuple of labels that holds all of theirs."""
    position = np.array([labels.index(label) for label in table.labels], dtype=np.int64)
    return replace(table, label=position[table.label], labels=labels)


def find_errors(pieces: Pieces) -> np.ndarray:
    """Which pieces are errors, of which kind: boolean ``(4, pieces)``, in the order of `COMPONENTS`."""
    reference, prediction = pieces.reference.any(axis=0), pieces.prediction.any(axis=0)
    shared = (pieces.reference & pieces.prediction).any(axis=0)
    added = (pieces.prediction & ~pieces.reference).any(axis=0)
    lacking = (pieces.reference & ~pieces.prediction).any(axis=0)
    return np.stack(
        [
            ~reference & prediction,
            reference & (~prediction | (shared & ~added & lacking)),
            reference & prediction & ~shared,
            shared & added,
        ]
    )


def error_durations(pieces: Pieces, utterances: int) -> np.ndarray:
    """Seconds of each error in each utterance.

    Returns:
        ``(utterances, 4)``, in the order of `COMPONENTS`.
    """
    return np.stack(
        [
            np.bincount(pieces.utterance[kind], pieces.seconds[kind], minlength=utterances)
            for kind in find_errors(pieces)
        ],
        axis=1,
    )


def shared_durations(pieces: Pieces) -> np.ndarray:
    """Seconds for which the reference has one label while the prediction has another, or the same.

    Returns:
        ``(1 + labels, 1 + labels)``, rows: reference, columns: prediction; neutral, no emotion at all, comes first. A
        piece in which emotions overlap counts in each of their cells.
    """
    reference, prediction = (
        np.vstack([~active.any(axis=0), active]) for active in (pieces.reference, pieces.prediction)
    )
    return (reference * pieces.seconds) @ prediction.T.astype(np.float64)
