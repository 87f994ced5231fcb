"""`emotion-diarization join`: the results of shards in one file or folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotations.annotation import Annotation
from ..annotations.files import BY_SUFFIX, FORMATS
from ..annotations.text_files import Target
from ..frames_sed import InputError
from .transcripts import write_lines

FIELDS = ("name", "duration", "segments", "reference")  # of a result, that formats have a place for


def join(
    parts: Annotated[
        list[Path],
        typer.Argument(help="What `diarize --shard` has written: .jsonl files, or folders with a .json file for each."),
    ],
    output: Annotated[
        str,
        typer.Option(
            help="A file, whose suffix says its format (.jsonl, .json, .csv, .rttm hold any number of recordings); or "
            "a folder, for parts that are folders, of any format."
        ),
    ],
    file_list: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="The list that the shards were given: results come in its order, and recordings that have none are "
            "named. Without it, results are in the order of their names.",
        ),
    ] = None,
) -> None:
    """Join the results of shards. A recording that has none is an error for the list, but the others are written."""
    from ..archive.joining import find_results, in_order, join_folders, read_result
    from ..checkpoints.new_folder import new_folder
    from ..recordings.sources import Recordings

    path = Path(output)
    names = None if file_list is None else Recordings.of_list(file_list).names
    if path.exists():
        raise InputError(f"{path} exists already: delete it, or choose another --output.")
    if output.endswith(("/", os.sep)) or not path.suffix:
        with new_folder(path) as folder:
            count, missing = join_folders(parts, folder, names)
    else:
        write = _writer(path)
        places = find_results(parts)
        found, missing = in_order(places, names)
        _write_whole(write, (read_result(places[name]) for name in found), path)
        count = len(found)
    for name in missing:
        typer.echo(f"error: {name} has no result in these parts.", err=True)
    typer.echo(f"{count} recordings in {output}")
    if missing:
        raise typer.Exit(1)


def _writer(path: Path) -> Callable[[Iterable[Any], Target], None]:
    kind = BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise typer.BadParameter(
            f"{path}: the suffix of a file says its format ({', '.join(BY_SUFFIX)}); a folder has no suffix.",
            param_hint="--output",
        )
    if kind is FORMATS["jsonl"]:
        return write_lines  # with all fields

    def write(results: Iterable[Any], target: Target) -> None:
        kind.write(
            (Annotation(**{key: value for key, value in its.items() if key in FIELDS}) for its in results), target
        )

    return write


def _write_whole(write: Callable[[Iterable[Any], Target], None], results: Iterator[dict[str, Any]], path: Path) -> None:
    """The file is there completely or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}") as work:
            write(results, unfinished := Path(work) / path.name)
            unfinished.replace(path)
    except OSError as error:
        if isinstance(error, InputError):  # a part that is missing by now
            raise
        raise InputError(f"{path} cannot be written ({error}); choose another --output.") from error
