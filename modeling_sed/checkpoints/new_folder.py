"""New folders that are either complete or not there at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..frames_sed import InputError


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yields an empty folder, which becomes ``path`` if the block that fills it ends without an exception.

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
