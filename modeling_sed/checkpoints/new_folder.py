"""New folders that are either complete or not there at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..disk.work_folder import beside, held, writing
from ..frames_sed import InputError

FILLED = "filled"


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yields an empty folder, which becomes ``path`` if the block that fills it ends without an exception.

    Raises:
        InputError: if ``path`` exists already, or is being written by another process, or cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path} exists already; choose a new folder.")
    work = beside(path)
    folder = work / FILLED / path.name  # models are called as their folders are
    with held(work, path, InputError):
        shutil.rmtree(work / FILLED, ignore_errors=True)  # of a process that was killed
        try:
            with writing(path, InputError):
                folder.mkdir(parents=True)
            yield folder
            with writing(path, InputError):
                if path.exists():
                    raise InputError(f"{path} exists by now; choose a new folder.")
                folder.rename(path)
        finally:
            shutil.rmtree(work / FILLED, ignore_errors=True)
