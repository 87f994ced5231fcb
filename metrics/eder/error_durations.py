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
from functools import cached_property

import numpy as np

from .segment_table import SegmentTable

COMPONENTS = ("false_alarm", "missed_emotion", "confusion", "overlap")


@dataclass(frozen=True)
class Pieces:
    """Scored time between neighbouring borders of an utterance.

    Attributes:
        utterance: ``(pieces,)`` index of the utterance, ascending.
        start: ``(pieces,)`` seconds, ascending within an utterance.
        end: ``(pieces,)`` seconds, after the start: borders as they were given, where start + length would be rounded.
        reference: boolean ``(labels, pieces)``, whether the reference has the label there.
        prediction: boolean ``(labels, pieces)``, the same for the prediction.
    """

    utterance: np.ndarray
    start: np.ndarray
    end: np.ndarray
    reference: np.ndarray
    prediction: np.ndarray

    @cached_property
    def seconds(self) -> np.ndarray:
        """``(pieces,)`` length, greater than 0."""
        return self.end - self.start


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
    utterance, start, end, (reference, prediction, *left_out) = _cut(tables, durations)
    if not collar:
        return Pieces(utterance, start, end, reference, prediction)
    kept = np.flatnonzero(~left_out[0][0])
    sides = (np.take(side, kept, axis=1) for side in (reference, prediction))
    return Pieces(utterance[kept], start[kept], end[kept], *sides)


def _cut(
    tables: Sequence[SegmentTable], durations: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Pieces between all borders: utterance, start and end ``(pieces,)``; active ``(labels, pieces)`` per table."""
    whole = _borders(np.arange(len(durations)), np.zeros(len(durations)), durations)
    borders = np.concatenate([whole, *(_borders(table.utterance, table.start, table.end) for table in tables)])
    # Equal times may be in any order, as pieces between them are empty. The stable sort is a merge sort, which is fast
    # on parts that are in order already, such as each table.
    order = np.argsort(borders, kind="stable")
    borders = borders[order]
    steps = np.diff(borders)
    kept = np.flatnonzero((steps.real == 0) & (steps.imag > 0))

    # A segment opens its label at its start and closes it at its end: between, more were opened than closed.
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    active, place = [], len(whole)
    for table in tables:
        opened = np.zeros((len(table.labels), len(order)), dtype=np.int32)
        places = position[place : place + 2 * len(table.label)].reshape(-1, 2)
        opened[table.label[:, None], places] = (1, -1)
        np.cumsum(opened, axis=1, out=opened)
        active.append(np.take(opened, kept, axis=1) > 0)
        place += places.size
    return borders.real[kept].astype(np.int64), borders.imag[kept], borders.imag[kept + 1], active


def _borders(utterance: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Starts and ends in turn, ``(2 * segments,)`` complex: utterance + seconds * i.

    numpy orders complex numbers by their real parts and, where these are equal, by their imaginary ones.
    """
    borders = np.empty((len(utterance), 2), dtype=np.complex128)
    borders.real = utterance[:, None]
    borders.imag[:, 0], borders.imag[:, 1] = start, end
    return borders.ravel()


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
        [np.bincount(pieces.utterance, pieces.seconds * kind, minlength=utterances) for kind in find_errors(pieces)],
        axis=1,
    )


def label_durations(pieces: Pieces, utterances: int) -> np.ndarray:
    """Seconds of each label in the reference, in the prediction, and in both at once, for each utterance.

    Returns:
        ``(3, utterances, 1 + labels)``; neutral, no emotion at all, comes first. Where emotions overlap, the time is
        that of each of them.
    """
    reference, prediction = _with_neutral(pieces.reference), _with_neutral(pieces.prediction)
    return np.stack(
        [
            np.stack([np.bincount(pieces.utterance, pieces.seconds * one, minlength=utterances) for one in active], 1)
            for active in (reference, prediction, reference & prediction)
        ]
    )


def shared_durations(pieces: Pieces) -> np.ndarray:
    """Seconds for which the reference has one label while the prediction has another, or the same.

    Returns:
        ``(1 + labels, 1 + labels)``, rows: reference, columns: prediction; neutral, no emotion at all, comes first. A
        piece in which emotions overlap counts in each of their cells.
    """
    reference, prediction = _with_neutral(pieces.reference), _with_neutral(pieces.prediction)
    return (reference * pieces.seconds) @ prediction.T.astype(np.float64)


def _with_neutral(active: np.ndarray) -> np.ndarray:
    """``(1 + labels, pieces)``: that there is no emotion, before the emotions ``(labels, pieces)``."""
    return np.vstack([~active.any(axis=0), active])
