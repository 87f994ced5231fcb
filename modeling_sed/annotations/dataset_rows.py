"""The columns of datasets that hold audio and segments, in the forms that datasets has them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..frames_sed import InputError, Segment

if TYPE_CHECKING:
    from datasets import Dataset


def as_segments(column: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]) -> list[Segment]:
    """What a dataset's row has in its column ``segments``: a list of segments, or their fields as lists.

    Raises:
        InputError: if it is neither.
    """
    try:
        if isinstance(column, Mapping):
            column = [dict(zip(column, fields, strict=True)) for fields in zip(*column.values(), strict=True)]
        return [{"start": float(s["start"]), "end": float(s["end"]), "label": s["label"]} for s in column]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"Segments need start and end, in seconds, and label; got {column!r:.200}.") from error


def with_encoded_audio(rows: Dataset) -> Dataset:
    """The same rows, whose column ``audio`` gives files as they are: our reader decodes them, torchcodec need not."""
    from datasets import Audio

    is_decoded = isinstance(rows.features.get("audio"), Audio)
    return rows.cast_column("audio", Audio(decode=False)) if is_decoded else rows
