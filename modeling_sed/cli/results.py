"""Where the timelines of `emotion-diarization diarize` go: which format, a file or a folder, what a terminal shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..annotations.annotation import Annotation
from ..annotations.files import BY_SUFFIX, FORMATS
from ..annotations.text_files import Target
from ..annotations.text_table import write_table
from ..frames_sed import InputError
from ..recordings.results_file import ResultsFile
from ..recordings.results_folder import ResultsFolder
from .timelines import write_timelines
from .transcripts import TRANSCRIPT_WRITERS, check_transcript_format

if TYPE_CHECKING:  # importing it takes seconds
    from ..recordings.diarization import Result

Writer = Callable[[Iterable["Result"], Target], None]
TIMELINE_WRITERS = {
    "timeline": write_timelines,
    "table": write_table,
    **{name: kind.write for name, kind in FORMATS.items()},
}
SUFFIXES = {"table": ".txt", "timeline": ".txt", **{name: kind.suffixes[0] for name, kind in FORMATS.items()}}
OutputFormat = Enum("OutputFormat", {name: name for name in TIMELINE_WRITERS}, type=str)  # type: ignore[misc]


def printed(chosen: str | None, names: Sequence[str], of_transcripts: bool) -> Writer:
    """What writes to standard output: by default a timeline for people at a terminal, and tables elsewhere.

    Args:
        chosen: the format.
        names: of the recordings.
        of_transcripts: whether sentences are written, not the segments of timelines.

    Raises:
        typer.BadParameter: if the format cannot hold these recordings.
    """
    name = chosen or ("timeline" if sys.stdout.isatty() and not of_transcripts else "table")
    _check(name, names, of_transcripts, "--format")
    return _writer(name, of_transcripts)


def results_at(
    output: str, chosen: str | None, names: Sequence[str], of_transcripts: bool
) -> ResultsFile | ResultsFolder:
    """The file or folder that ``--output`` names; nothing is written yet.

    Args:
        output: a folder that exists, or whose name has no suffix or ends with a slash; else a file.
        chosen: the format; by default that of the file's suffix, and JSON in a folder.
        names: of the recordings.
        of_transcripts: whether sentences are written, not the segments of timelines.

    Raises:
        typer.BadParameter: if the file's suffix is that of no format, or the format cannot hold these recordings.
        InputError: if there is such a file already.
    """
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)) or not path.suffix:
        name = chosen or "json"
        _check(name, names[:1], of_transcripts, "--format")
        write = _writer(name, of_transcripts)
        return ResultsFolder(path, names, SUFFIXES[name], lambda result, file: write([result], file))
    if chosen is None and path.suffix.lower() not in BY_SUFFIX:
        raise typer.BadParameter(
            f"{output}: the suffix of a file says its format ({', '.join(BY_SUFFIX)}), unless --format does; a folder "
            "has no suffix, or is there already.",
            param_hint="--output",
        )
    name = chosen or next(name for name, kind in FORMATS.items() if kind is BY_SUFFIX[path.suffix.lower()])
    _check(name, names, of_transcripts, "--output")
    return ResultsFile(path, _writer(name, of_transcripts))


def _writer(name: str, of_transcripts: bool) -> Writer:
    return TRANSCRIPT_WRITERS[name] if of_transcripts else partial(_write_timelines, TIMELINE_WRITERS[name])


def _write_timelines(
    write: Callable[[Iterable[Annotation], Target], None], results: Iterable[Result], target: Target
) -> None:
    write((Annotation(**result) for result in results), target)


def _check(name: str, names: Sequence[str], of_transcripts: bool, option: str) -> None:
    """Lets the format refuse the recordings before the model is loaded: too many, or names that it cannot hold."""
    if of_transcripts:
        check_transcript_format(name, len(names))
        return
    try:
        TIMELINE_WRITERS[name]((Annotation(recording, duration=1.0) for recording in names), StringIO())
    except InputError as error:
        raise typer.BadParameter(f"{error} A folder as --output gets one.", param_hint=option) from error
