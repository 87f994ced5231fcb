"""The folder beside a dataset that it is built in: what an interrupted build has left there, and how it is cleared."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..disk.replacing import replacing

RECORD_FILE = "sed_dataset.json"  # what a folder is built from; in a dataset, it is written last
RENDERED, DATASET = "rendered", "dataset"  # folders: batches of utterances, and the dataset that they become
REPLACED = "replaced"  # the dataset that was there before


def prepare(work: Path, record: str) -> None:
    """Keeps what an interrupted build of the same record has rendered in a work folder, and nothing else."""
    record_file = work / RECORD_FILE
    if not record_file.is_file() or record_file.read_text(encoding="utf-8") != record:
        clear(work)
        with replacing(record_file) as file:
            file.write_text(record, encoding="utf-8")
    for name in (DATASET, REPLACED):
        shutil.rmtree(work / name, ignore_errors=True)


def clear(work: Path) -> None:
    """Deletes everything that a build writes into its work folder; the record last."""
    for name in (RENDERED, DATASET, REPLACED):
        shutil.rmtree(work / name, ignore_errors=True)
    (work / RECORD_FILE).unlink(missing_ok=True)
