"""Readers of emotional speech corpora: a folder in its official layout -> recordings."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from .iemocap import read_iemocap
from .layouts import LAYOUTS
from .recording import Corpus
from .table import is_table, read_table

READERS = {"iemocap": read_iemocap, **{layout.name: layout.read for layout in LAYOUTS}}


def read_corpus(name: str, path: str | Path) -> Corpus:
    """Reads a corpus by the reader of its name, or, under any other name, by its table.

    Raises:
        InputError: if there is neither, or the corpus is not as it should be.
    """
    if name in READERS:
        return READERS[name](path)
    if is_table(path):
        return read_table(name, path)
    raise InputError(
        f"There is no reader for {name}, and {path} has no metadata.csv; there are readers for {', '.join(READERS)}."
    )
