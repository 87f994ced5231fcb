"""Any corpus, described by a table: a CSV file, or a folder with ``metadata.csv`` (as datasets' audiofolder has it).

Columns: ``file_name`` (of the audio, relative to the table's folder), ``speaker``, ``label`` (the emotion) and,
optionally, ``transcription``.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ..errors import InputError
from .recording import Corpus, Recording

TABLE_NAME = "metadata.csv"
COLUMNS = ("file_name", "speaker", "label")


def is_table(path: str | Path) -> bool:
    """Whether a corpus is described by a table."""
    path = Path(path)
    return path.suffix.lower() == ".csv" or (path / TABLE_NAME).is_file()


def read_table(name: str, path: str | Path) -> Corpus:
    """Reads the corpus, in the order of its table.

    Args:
        name: what to call it.
        path: of the table, or of the folder that has it.

    Raises:
        InputError: if the table has other columns or incomplete rows, or names a file that is missing or lies outside
            of its folder.
    """
    path = Path(path)
    table = path / TABLE_NAME if path.is_dir() else path
    if not table.is_file():
        raise InputError(f"{name}: there is no table {table}.")
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        present = reader.fieldnames or ()
        if missing := [column for column in COLUMNS if column not in present]:
            raise InputError(f"{table} lacks the column(s) {', '.join(missing)}; it has {', '.join(present)}.")
        recordings = [_recording(name, table, row) for row in reader]
    if not recordings:
        raise InputError(f"{table} names no recordings.")
    return Corpus(recordings)


def _recording(name: str, table: Path, row: dict[str, str]) -> Recording:
    if empty := [column for column in COLUMNS if not row[column]]:
        raise InputError(f"{table}: a row lacks {', '.join(empty)}: {row}.")
    root = table.parent.resolve()
    path = (root / row["file_name"]).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise InputError(f"{table}: {row['file_name']} is no file in the table's folder.")
    return Recording(
        table.parent / row["file_name"], name, row["speaker"], row["label"], row.get("transcription") or ""
    )
