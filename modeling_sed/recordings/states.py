"""The state of files: what tells that one was changed, without reading it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

# of each file its size in bytes and when it was changed, in ns; None for one that is not there, or no file at all
State = Sequence[Sequence[int | str] | None]


def states_of(paths: Iterable[str | Path]) -> State:
    """The state of files. Times are only ever compared for equality: a clock that is set does not matter."""
    return [_state_of(Path(path)) for path in paths]


def state_of_content(content: bytes) -> State:
    """The state of what is no file."""
    return [[len(content), hashlib.sha256(content).hexdigest()]]


def is_unchanged(then: State, now: State | None) -> bool:
    """Whether no file has changed; of those that are gone, or of which nothing is known, what was heard still holds."""
    return now is None or (
        len(then) == len(now) and all(new is None or new == old for old, new in zip(then, now, strict=True))
    )


def _state_of(path: Path) -> Sequence[int | str] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # no such file; or an address, or with a NUL byte
        return None
    return [found.st_size, found.st_mtime_ns]
