"""The columns of datasets that hold audio and segments, in the forms that datasets has them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..frames_sed import InputError, Segment

if TYPE_CHECKING:
    from datasets import Dataset

HELD = ("bytes", "array", "raw")  # where a mapping has the audio itself


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


def row_audio(audio: Any, folders: Sequence[Path | str] = ()) -> Any:
    """What a dataset's row has in its column ``audio``, unless hearing it would reach for what others must not name.

    Bytes and samples in the row are heard, whatever name is beside them. A name alone is that of a file.

    Args:
        audio: a name, a mapping with ``"path"`` and ``"bytes"``, or samples in any form.
        folders: the file has to be in one of these, the first of which names are relative to; none: anywhere. A string
            is how addresses begin that are allowed.

    Raises:
        InputError: for an address, or a file elsewhere.
    """
    is_mapping = isinstance(audio, Mapping)
    path = audio.get("path") if is_mapping else audio
    if not isinstance(path, str | Path) or (is_mapping and any(audio.get(k) is not None for k in HELD)):
        return audio
    if "://" in str(path):
        if str(path).startswith(tuple(folder for folder in folders if isinstance(folder, str))):
            return path
        raise InputError(f"{path}: rows of a dataset may not name addresses; keep the downloaded bytes in the row.")
    if folders:
        path = str(Path(folders[0], path))
        if not any(Path(path).resolve().is_relative_to(Path(folder).resolve()) for folder in folders):
            raise InputError(f"{path}: rows of a dataset may not name files outside of it; keep the bytes in the row.")
    return {**audio, "path": path} if is_mapping else path


def with_encoded_audio(rows: Dataset) -> Dataset:
    """The same rows, whose column ``audio`` gives files as they are: our reader decodes them, torchcodec need not."""
    from datasets import Audio

    is_decoded = isinstance((rows.features or {}).get("audio"), Audio)
    return rows.cast_column("audio", Audio(decode=False)) if is_decoded else rows
