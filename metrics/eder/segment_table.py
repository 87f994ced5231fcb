"""Segments of many utterances as columns of numbers: read into Arrow, then checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute

Segments = Sequence[Mapping[str, Any]]


class SegmentError(ValueError):
    """Segments, durations or options that cannot be scored; the message names the utterance and the value."""


# Durations and borders come from different roundings (samples, digits of a text file): a reference may end this much
# after its utterance, in seconds, before it counts as an error in the data.
ROUNDING = 1e-6
LONGEST = 1e9  # seconds, of an utterance: 32 years; sums of much longer ones would be infinite
MOST_LABELS = 1_000  # emotions: time and memory grow with them; more are transcriptions, or names of speakers

_TIMES = {"start": pyarrow.float64(), "end": pyarrow.float64()}
ARROW_TYPE = pyarrow.list_(pyarrow.struct({**_TIMES, "label": pyarrow.string()}))
_INPUT_TYPE = pyarrow.list_(pyarrow.struct({**_TIMES, "label": pyarrow.string(), "emo": pyarrow.string()}))


@dataclass(frozen=True)
class SegmentTable:
    """Segments, one a row, in the order of their utterances.

    Attributes:
        utterance: ``(segments,)`` index of the utterance, ascending.
        start: ``(segments,)`` seconds.
        end: ``(segments,)`` seconds.
        label: ``(segments,)`` index into ``labels``.
        labels: the names.
    """

    utterance: np.ndarray
    start: np.ndarray
    end: np.ndarray
    label: np.ndarray
    labels: tuple[str, ...]

    def of_utterances(self, first: int, last: int) -> SegmentTable:
        """The segments of utterances ``first`` to ``last - 1``, which are counted from 0 then."""
        rows = slice(*np.searchsorted(self.utterance, (first, last)))
        return SegmentTable(
            self.utterance[rows] - first, self.start[rows], self.end[rows], self.label[rows], self.labels
        )


def name_of(names: Sequence[str] | None, index: int) -> str:
    """How messages name an utterance."""
    return f"utterance {index}" if names is None else f"utterance {names[index]!r}"


def segments_to_arrow(
    utterances: Sequence[Segments], names: Sequence[str] | None = None, side: str = "predictions"
) -> pyarrow.ListArray:
    """Converts lists of segments to a column of `ARROW_TYPE`.

    Args:
        utterances: for each utterance its segments, in any order: mappings with ``start``, ``end`` (seconds) and
            ``label`` (or ``emo``, as ZED.json calls it). Other keys are ignored.
        names: of the utterances, for messages.
        side: "predictions" or "references", for messages.

    Raises:
        SegmentError: for the first segment that is not such a mapping, naming its utterance.
    """
    try:
        column = pyarrow.array(list(utterances), _INPUT_TYPE)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        _explain_unreadable(utterances, names, side)
        raise
    segments = column.flatten()
    start, end, label, emo = segments.flatten()
    label = pyarrow.compute.coalesce(label, emo)
    if any(part.null_count for part in (column, segments, start, end, label)):
        _explain_unreadable(utterances, names, side)
    segments = pyarrow.StructArray.from_arrays([start, end, label], fields=list(ARROW_TYPE.value_type))
    return pyarrow.ListArray.from_arrays(column.offsets, segments)


def _explain_unreadable(utterances: Sequence[Segments], names: Sequence[str] | None, side: str) -> None:
    """Raises a SegmentError for the first segment that cannot be read."""
    for index, segments in enumerate(utterances):
        name = name_of(names, index)
        if not isinstance(segments, Sequence) or isinstance(segments, str):
            raise SegmentError(f"{name}: its {side} must be a list of segments; got {segments!r}.")
        for segment in segments:
            keys = set(segment) if isinstance(segment, Mapping) else set()
            if not {"start", "end"} <= keys or not {"label", "emo"} & keys:
                raise SegmentError(f"{name}: a segment of its {side} needs start, end and label; got {segment!r}.")
            label = segment["label"] if "label" in segment else segment["emo"]
            if not isinstance(label, str):
                raise SegmentError(f"{name}: a label of its {side} must be a name; got {label!r}.")
            for key in ("start", "end"):
                if not _is_number(segment[key]):
                    raise SegmentError(
                        f"{name}: {key} of a segment of its {side} must be a number of seconds; got {segment[key]!r}."
                    )


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def table_from_arrow(column: pyarrow.ListArray | pyarrow.ChunkedArray) -> SegmentTable:
    """The columns of a list of segments for each utterance, an array of `ARROW_TYPE`."""
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    segments = column.flatten()
    encoded = segments.field("label").dictionary_encode()
    return SegmentTable(
        np.repeat(np.arange(len(column)), np.diff(column.offsets.to_numpy())),
        segments.field("start").to_numpy(),
        segments.field("end").to_numpy(),
        encoded.indices.to_numpy(),
        tuple(encoded.dictionary.to_pylist()),
    )


def check_durations(durations: Sequence[float], names: Sequence[str] | None) -> np.ndarray:
    """Durations as ``(utterances,)`` float64.

    Raises:
        SegmentError: if one is not a positive number of seconds up to `LONGEST`, or there is none.
    """
    try:
        seconds = np.asarray(durations, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SegmentError(f"durations must be numbers of seconds, one for each utterance: {error}.") from error
    if seconds.ndim != 1 or not len(seconds):
        raise SegmentError(
            f"durations must be a list of seconds, one for each utterance; got the shape {seconds.shape}."
        )
    bad = ~((seconds > 0) & (seconds <= LONGEST))
    if bad.any():
        first = int(bad.argmax())
        raise SegmentError(
            f"{name_of(names, first)}: its duration must be a positive number of seconds, up to {LONGEST:g}; "
            f"got {seconds[first]}."
        )
    return seconds


def check_segments(
    table: SegmentTable,
    durations: np.ndarray,
    names: Sequence[str] | None,
    side: str,
    neutral_labels: Collection[str],
    labels: Collection[str] | None,
) -> SegmentTable:
    """Refuses invalid segments; cuts the others to their utterance and leaves out those that are neutral or empty.

    Args:
        table: as read.
        durations: ``(utterances,)`` seconds.
        names: of the utterances, for messages.
        side: "references", which must lie inside their utterance, or "predictions", whose ends are cut.
        neutral_labels: labels that mean no emotion.
        labels: the other labels that may occur; None allows any.

    Raises:
        SegmentError: for an invalid time or label, naming the utterance and the value; or more than `MOST_LABELS`.
    """
    duration = durations[table.utterance]
    if len(table.labels) > MOST_LABELS:
        first = ", ".join(table.labels[:3])
        raise SegmentError(f"{side} have more than {MOST_LABELS} different labels, which cannot be emotions: {first} …")

    def refuse(bad: np.ndarray, sentence: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise SegmentError(
                f"{name_of(names, int(table.utterance[row]))}: the segment {table.labels[table.label[row]]!r} of its "
                f"{side}, from {table.start[row]} to {table.end[row]} s, {sentence}."
            )

    refuse(~(np.isfinite(table.start) & np.isfinite(table.end)), "has a time that is not a finite number")
    refuse(table.start < 0, "starts before 0")
    refuse(table.start > table.end, "starts after its end")
    if side == "references":
        late = table.end > duration + ROUNDING
        refuse(late, f"reaches past the end of the utterance at {duration[late.argmax()] if late.any() else 0} s")
    if labels is not None:
        allowed = sorted({*labels, *neutral_labels})
        unknown = np.array([label not in allowed for label in table.labels], dtype=bool)
        refuse(unknown[table.label], f"has an unknown label; the labels are {', '.join(allowed)}")

    emotions = tuple(sorted(set(table.labels) - set(neutral_labels)))
    position = np.array([emotions.index(label) if label in emotions else -1 for label in table.labels], dtype=np.int64)
    label, end = position[table.label], np.minimum(table.end, duration)
    kept = (label >= 0) & (end > table.start)
    return SegmentTable(table.utterance[kept], table.start[kept], end[kept], label[kept], emotions)
