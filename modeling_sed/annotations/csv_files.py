"""CSV and TSV tables of segments, or of durations alone."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..frames_sed import InputError
from .annotation import Annotation, utterance_name
from .text_files import Target, numbered_lines, opened
from .values import number_of_text, positive_duration, segment

SEPARATORS = ",;\t"
REQUIRED = ("name", "start", "end", "label")
COLUMNS = (*REQUIRED, "duration", "score", "speaker")


def read_csv(path: Path) -> Iterator[Annotation]:
    """Columns ``name,start,end,label`` and, optionally, ``duration``, ``score``, ``speaker``; others are ignored.

    The header says whether commas, semicolons or tabs separate them. A row without times and label only names an
    utterance.

    Raises:
        InputError: for a missing column or a bad value, naming the line.
    """
    annotations: dict[str, Annotation] = {}
    for where, row in _rows(path, REQUIRED):
        name = row["name"]
        annotation = annotations.setdefault(name, Annotation(utterance_name(name)))
        if row.get("duration"):
            duration = _duration(row, where)
            if annotation.duration not in (None, duration):
                raise InputError(f"{where}: the duration of {name} was {annotation.duration} s before; got {duration}.")
            annotation.duration = duration
        if row["start"] or row["end"] or row["label"]:
            start, end = (number_of_text(row[key], key, where) for key in ("start", "end"))
            score = number_of_text(row["score"], "score", where) if row.get("score") else None
            found = segment(start, end, row["label"], where, score, row.get("speaker") or None)
            annotation.segments.append(found)
    if not annotations:
        raise InputError(f"{path} has a header, but names no utterance.")
    yield from annotations.values()


def read_csv_durations(path: Path) -> Iterator[tuple[str, float]]:
    """Columns ``name,duration``: pairs of them, in seconds.

    Raises:
        InputError: for a missing column or a bad value, naming the line.
    """
    for where, row in _rows(path, ("name", "duration")):
        yield utterance_name(row["name"]), _duration(row, where)


def read_csv_column(path: Path, column: str) -> Iterator[tuple[str, str]]:
    """Columns ``name`` and another one: pairs of them, where there is a value.

    Raises:
        InputError: for a missing column, or a line that is not as the header says.
    """
    for _, row in _rows(path, ("name", column.casefold())):
        if value := row[column.casefold()]:
            yield utterance_name(row["name"]), value


def _duration(row: dict[str, str], where: str) -> float:
    return positive_duration(number_of_text(row["duration"], "duration", where), row["name"], where)


def _rows(path: Path, required: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Places and values by column; header in lower case, all without spaces around them. A row is a line."""
    lines = numbered_lines(path)
    where, header = next(lines, (str(path), ""))
    separator = max(SEPARATORS, key=header.count)
    columns = [column.casefold() for column in _values(header, separator, where)]
    if missing := [column for column in required if columns.count(column) != 1]:
        raise InputError(
            f"{where}: the table needs one column {', '.join(missing)}; "
            f"its columns are {', '.join(columns) or 'none':.200}."
        )
    for where, line in lines:
        values = _values(line, separator, where)
        if len(values) > len(columns):
            raise InputError(f"{where}: {len(values)} values for the {len(columns)} columns {', '.join(columns):.200}.")
        row = dict(zip(columns, values + [""] * (len(columns) - len(values)), strict=True))
        if not row["name"]:
            raise InputError(f"{where}: the name of the utterance is missing.")
        yield where, row


def _values(line: str, separator: str, where: str) -> list[str]:
    try:
        rows = list(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InputError(f"{where}: a stray or unclosed quote ({error}).") from error
    return [value.strip() for value in rows[0]]


def write_csv(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes all columns, exactly; an utterance without segments as a row with its name and duration only.

    Raises:
        InputError: for a name with a line break, or a file that cannot be written.
    """
    with opened(target) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for annotation in annotations:
            for found in annotation.segments or [{}]:
                row = {"name": annotation.name, "duration": annotation.duration, **found}
                if any("\n" in str(value) or "\r" in str(value) for value in row.values()):
                    raise InputError(f"{annotation.name!r}: a line break in {row}; CSV files are written in lines.")
                writer.writerow([row.get(column) for column in COLUMNS])
