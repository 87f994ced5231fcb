"""Any corpus, described by a table: a CSV file, or a folder with ``metadata.csv`` (as datasets' audiofolder has it).

Columns: ``file_name`` (of the audio, relative to the table's folder), ``speaker``, ``label`` (the emotion) and,
optionally, ``transcription``. Values are separated by commas, semicolons or tabs; blanks around them, letter case in
the header and empty rows do not matter.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..files import file_inside, read_text
from .recording import Corpus, Recording

TABLE_NAME = "metadata.csv"
COLUMNS = ("file_name", "speaker", "label")
SEPARATORS = (",", ";", "\t")


def is_table(path: str | Path) -> bool:
    """Whether a corpus is described by a table."""
    path = Path(path)
    return path.suffix.lower() in (".csv", ".tsv") or (path / TABLE_NAME).is_file()


def read_table(name: str, path: str | Path) -> Corpus:
    """Reads the corpus, in the order of its table.

    Args:
        name: what to call it.
        path: of the table, or of the folder that has it.

    Raises:
        InputError: if the table is no text that can be read, has other columns or incomplete rows, or names a file
            that is missing or lies outside of its folder.
    """
    path = Path(path)
    table = path / TABLE_NAME if path.is_dir() else path
    if not table.is_file():
        raise InputError(f"{name}: there is no table {table}.")
    rows = _rows(table)
    where, header = next(rows, (f"{table}, line 1", []))
    columns = [column.casefold() for column in header]
    if missing := [column for column in COLUMNS if column not in columns]:
        raise InputError(f"{where}: the table lacks the column(s) {', '.join(missing)}; it has {', '.join(header)}.")
    if twice := [column for column in (*COLUMNS, "transcription") if columns.count(column) > 1]:
        raise InputError(f"{where}: the table has the column(s) {', '.join(twice)} twice; remove one of them.")
    recordings = [_recording(name, table, where, columns, values) for where, values in rows]
    if not recordings:
        raise InputError(f"{table} names no recordings.")
    return Corpus(recordings)


def _rows(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yields the values of each row that has any, after where it is."""
    text = read_text(table)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{table}, line {line}: a NUL byte; save the table as UTF-8, or as UTF-16 with its mark.")
    header = re.match(r"\s*([^\r\n]*)", text)[1]
    separator = max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    line = 1  # where the row begins: values in quotes may have several lines
    try:
        for row in reader:
            values = [value.strip() for value in row]
            if any(values):
                yield f"{table}, line {line}", values
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{table}, line {line}: {error}; put a value that has quotation marks between quotation marks, and write "
            "each of its own twice."
        ) from error


def _recording(name: str, table: Path, where: str, columns: list[str], values: list[str]) -> Recording:
    row = dict(zip(columns, values, strict=False))  # a short row lacks the last columns
    if broken := [column for column in COLUMNS if len(row.get(column, "").splitlines()) > 1]:
        raise InputError(f"{where}: {', '.join(broken)} has a line break; a quotation mark is missing or too many.")
    if any(values[len(columns) :]):
        raise InputError(
            f"{where}: {len(values)} values for {len(columns)} columns; put values that have the separator in them "
            "between quotation marks."
        )
    if empty := [column for column in COLUMNS if not row.get(column)]:
        raise InputError(f"{where}: the row lacks {', '.join(empty)}: {', '.join(values)}.")
    path = file_inside(table.parent, row["file_name"], where)
    return Recording(path, name, row["speaker"], row["label"], row.get("transcription", ""))
