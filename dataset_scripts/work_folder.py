"""The folder beside a dataset that it is built in: one build at a time, and nothing in it that is not ours."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

RECORD_FILE = "sed_dataset.json"  # what a folder is built from; in a dataset, it is written last
RENDERED, DATASET = "rendered", "dataset"  # folders: batches of utterances, and the dataset that they become


def prepare(work: Path, record: str) -> None:
    """Makes the folder, or keeps what an interrupted build of the same record has rendered in it, and nothing else.

    Raises:
        InputError: if it holds something that no build has written.
    """
    record_file = work / RECORD_FILE
    if work.exists():
        present = {path.name for path in work.iterdir()} if work.is_dir() else {work.name}
        if present and not {RECORD_FILE} <= present <= {RECORD_FILE, RENDERED, DATASET}:
            raise InputError(
                f"{work} is needed for building, but holds other files; move it, or choose another folder."
            )
    if record_file.is_file() and record_file.read_text(encoding="utf-8") == record:
        shutil.rmtree(work / DATASET, ignore_errors=True)
    else:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        record_file.write_text(record, encoding="utf-8")


@contextmanager
def locked(output_dir: Path) -> Iterator[Path]:
    """Yields ``<output_dir>.partial``, for the only build that may use it: the one that could make the file
    ``<output_dir>.partial.lock``, which says on which host it runs as which process.

    A lock that a process of this host left when it died is taken over.

    Raises:
        InputError: if another build holds it.
    """
    work = output_dir.with_name(output_dir.name + ".partial")
    lock = work.with_name(work.name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            with lock.open("x", encoding="utf-8") as file:
                json.dump({"host": platform.node(), "process": os.getpid()}, file)
            break
        except FileExistsError:
            _remove_if_stale(lock, output_dir)
    try:
        yield work
    finally:
        lock.unlink(missing_ok=True)


def _remove_if_stale(lock: Path, output_dir: Path) -> None:
    """Removes the lock of a process that died; raises an InputError if its owner may still be building."""
    try:
        found = _text_of(lock)
        owner = json.loads(found)
        host, process = owner["host"], int(owner["process"])
    except FileNotFoundError:
        return  # that build has just ended
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{lock} is in the way, and names no process; delete it if nothing is being built.") from error
    refusal = InputError(
        f"{output_dir} is being built by process {process} on {host}; wait for it, or delete {lock} if it is no build."
    )
    if host != platform.node() or _is_alive(process):
        raise refusal
    aside = lock.with_name(f"{lock.name}.{os.getpid()}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return  # another build was faster
    if aside.read_text(encoding="utf-8") != found:  # so fast that this is already its own lock
        aside.rename(lock)
        raise refusal
    aside.unlink()


def _text_of(lock: Path) -> str:
    """What the lock says; a moment passes between the making of the file and the writing."""
    for _ in range(20):
        if text := lock.read_text(encoding="utf-8"):
            break
        time.sleep(0.05)
    return text


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there, os.kill does not ask, it kills
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
