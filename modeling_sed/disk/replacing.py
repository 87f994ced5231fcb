"""Files that have their name when they are complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a new, empty file in the same folder, which becomes ``path`` if the block ends without an exception.

    No other file has its name, before or meanwhile: it is random, and must not exist.

    Raises:
        OSError: if the folder cannot be written.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    unfinished.open("x").close()
    try:
        yield unfinished
        flush(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Writes what the system holds of a file to the disk, before the file gets its name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
