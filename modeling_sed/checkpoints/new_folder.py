"""New folders of models: complete, or not there at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..frames_sed import InputError


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Gives a folder to be filled, which becomes ``path`` when that is done without an exception.

    Raises:
        InputError: if ``path`` exists already.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path} exists already; choose a new folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}") as work:
        folder = Path(work) / path.name
        folder.mkdir()
        yield folder
        folder.rename(path)
