"""Folders that an output is made in: marked as ours, and held by one process at a time.

A work folder lies beside the file or folder that is made (`beside`), or in the folder that stays (`within`). Only what
is in a marked folder, under names that its owner gave, is ever removed. The lock is the operating system's: it ends
with the process that holds it, however that ends.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from .replacing import UNFINISHED, replacing

NAME = ".emotion-diarization"
MARKER = "emotion-diarization.txt"
LOCK = "emotion-diarization.lock"
OWNER = "owner.json"
FIRST_LINE = "This folder belongs to emotion-diarization.\n"  # by which it is known
SIGNATURE = f"""\
{FIRST_LINE}
It keeps here what it needs to write its results, and to resume a run that was interrupted. Do not put files of your own
here. If nothing is running, deleting it loses no results, but what was begun cannot be resumed then.
"""
NAMED_AT_MOST = 3  # files, in messages


class OutputError(OSError):
    """An output is being written by another process, or files of others are in its way; the message is a sentence."""


def beside(output: Path) -> Path:
    """The work folder of a file or folder that is not there before it is complete."""
    named = output if output.name.strip(".") else output.resolve()  # not "." and ".."
    return named.with_name(f".{named.name}{NAME}")


def within(folder: Path) -> Path:
    """The work folder of a folder that is filled bit by bit."""
    return folder / NAME


@contextmanager
def writing(output: str | Path, raised: type[ValueError]) -> Iterator[None]:
    """Turns what the disk refuses into an error of one sentence.

    Args:
        output: what is written, for messages.
        raised: the error.
    """
    try:
        yield
    except raised:  # one of them may be an OSError, too
        raise
    except OutputError as error:
        raise raised(f"{error}.") from error
    except OSError as error:
        place = f": {error.filename}" if error.filename not in (None, str(output)) else ""
        raise raised(
            f"{output} cannot be written ({error.strerror or error}{place}); choose another output, or run the same "
            "command again when it can be."
        ) from error


@contextmanager
def held(work: Path, output: Path, raised: type[ValueError], wait: bool = False) -> Iterator[None]:
    """Makes a work folder and holds it; one that nothing was left in is removed at the end.

    Args:
        work: `beside` or `within` the output.
        output: for messages.
        raised: if another process holds it, it holds files but no marker, or cannot be written.
        wait: for another process that holds it, instead of raising an error.
    """
    with ExitStack() as stack:
        with writing(output, raised):
            stack.enter_context(acquired(work, output, wait))
        yield


@contextmanager
def acquired(work: Path, output: Path, wait: bool = False) -> Iterator[None]:
    """As `held`, with errors as they are.

    Raises:
        OutputError: if another process holds it, or it holds files but no marker.
        OSError: if it cannot be written.
    """
    lock = _locked(work, output, wait)
    try:
        with replacing(work / OWNER) as file:
            owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}
            file.write_text(json.dumps(owner), encoding="utf-8")
        for litter in work.glob(f".*{UNFINISHED}"):  # of a process that was killed
            litter.unlink(missing_ok=True)
        yield
    finally:
        with suppress(OSError):  # a full disk, say; and Windows removes no open file
            _remove_if_empty(work)
        lock.release()


def _locked(work: Path, output: Path, wait: bool) -> FileLock:
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            is_marked = _is_marked(work)
            lock = FileLock(work / LOCK)
            lock.acquire(blocking=wait)
        except FileNotFoundError:  # its last owner has just removed it
            continue
        except Timeout as error:
            raise OutputError(
                f"{output} is being written by another process{_owner(work)}; wait for it, or choose another output"
            ) from error
        if is_marked and (work / MARKER).exists():
            return lock
        try:
            (work / MARKER).write_text(SIGNATURE, encoding="utf-8")
        except OSError:
            lock.release()
            raise
        return lock


def _is_marked(work: Path) -> bool:
    """Whether the marker is there, which is written first and removed last.

    Raises:
        OutputError: if other files are there without it.
    """
    names = {path.name for path in work.iterdir()}
    if MARKER in names:
        text = (work / MARKER).read_text(encoding="utf-8", errors="replace")
        if text.startswith(FIRST_LINE):  # other versions may have said more of it
            return True
        if FIRST_LINE.startswith(text):  # killed while it was written
            names.remove(MARKER)
    if others := sorted(names - {LOCK}):
        named = ", ".join(others[:NAMED_AT_MOST]) + (" …" if len(others) > NAMED_AT_MOST else "")
        raise OutputError(f"{work} is needed as a work folder, but holds other files ({named}); move them")
    return False


def _owner(work: Path) -> str:
    try:
        owner = json.loads((work / OWNER).read_text(encoding="utf-8"))
        return f" (process {owner['pid']} on {owner['host']}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # it has only begun
        return ""


def _remove_if_empty(work: Path) -> None:
    frame = (OWNER, MARKER, LOCK)  # who comes now finds no marker, or waits for the lock, which goes last
    if {path.name for path in work.iterdir()} <= {*frame}:
        for name in frame:
            (work / name).unlink(missing_ok=True)
        work.rmdir()
