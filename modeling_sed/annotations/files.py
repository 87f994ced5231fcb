"""Reads annotations from files and folders, by suffix: the door at which bad ones are refused by name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from ..frames_sed import InputError, MissingFileError
from .annotation import Annotation
from .csv_files import read_csv, read_csv_durations
from .json_files import read_json
from .rttm_files import read_rttm, read_uem_durations
from .textgrid_files import read_textgrid

READERS: dict[str, Callable[[Path], Iterator[Annotation]]] = {
    ".json": read_json,
    ".rttm": read_rttm,
    ".textgrid": read_textgrid,
    ".csv": read_csv,
}
# what a file that is not as its suffix says makes a reader raise
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def read_annotations(path: str | Path) -> dict[str, Annotation]:
    """Reads a file, or all files of a folder that have a known format.

    Returns:
        Annotations by the utterances' names, in the order of the files.

    Raises:
        InputError: for a file that does not exist or is not as its suffix says, a segment whose times are not
            ``0 <= start <= end``, a folder without annotations, or names that come more than once.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"{path}: there is no such file or folder.")
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.suffix.lower() in READERS)
    if not files:
        raise InputError(f"{path} holds no annotations: no file ends in {', '.join(sorted(READERS))}.")
    annotations = [annotation for file in files for annotation in _read_file(file)]
    counts = Counter(annotation.name for annotation in annotations)
    if duplicates := [name for name, count in counts.items() if count > 1]:
        raise InputError(f"{path}: utterances that come more than once: {', '.join(duplicates)}.")
    return {annotation.name: annotation for annotation in annotations}


def _read_file(path: Path) -> list[Annotation]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: annotations are files that end in {', '.join(sorted(READERS))}.")
    try:
        annotations = list(reader(path))
    except InputError:
        raise
    except MALFORMED as error:
        raise InputError(f"{path} is not as its name says: {error!r}.") from error
    for annotation in annotations:
        _check(annotation, path)
    return annotations


def _check(annotation: Annotation, path: Path) -> None:
    if annotation.duration is not None and not 0 < annotation.duration < math.inf:
        raise InputError(
            f"{path}: the duration of {annotation.name} must be a positive number of seconds; "
            f"got {annotation.duration}."
        )
    for segment in annotation.segments:
        if not 0 <= segment["start"] <= segment["end"] < math.inf:
            raise InputError(
                f"{path}: the segment {segment['label']!r} of {annotation.name} from {segment['start']} to "
                f"{segment['end']} s needs 0 <= start <= end."
            )


def read_durations(path: str | Path) -> dict[str, float]:
    """Durations of utterances in seconds, by name: CSV with the columns ``name,duration``, or UEM.

    Raises:
        InputError: for a file that does not exist or is neither, or a duration that is not positive.
    """
    path = Path(path)
    read = read_csv_durations if path.suffix.lower() == ".csv" else read_uem_durations
    try:
        durations = read(path)
    except FileNotFoundError as error:
        raise MissingFileError(f"{path}: there is no such file.") from error
    except MALFORMED as error:
        raise InputError(f"{path}: durations are a CSV file with name,duration or a UEM file: {error!r}.") from error
    for name, duration in durations.items():
        _check(Annotation(name, duration=duration), path)
    return durations
