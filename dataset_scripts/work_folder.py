"""The folder beside a dataset that it is built in: one build at a time, and nothing in it that is not ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

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
    """Yields ``<output_dir>.partial``, for the only build that may use it; a build that died holds it no longer.

    Raises:
        InputError: if another process is building there.
    """
    work = output_dir.with_name(output_dir.name + ".partial")
    file = work.with_name(work.name + ".lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(f"{output_dir} is being built by another process; wait for it.") from error
    try:
        yield work
    finally:
        with suppress(PermissionError):  # Windows removes no open file; there, an empty one stays
            file.unlink(missing_ok=True)
        lock.release()
