"""Reads the synthetic corpus: a folder that `speech_synthesis.py` wrote.

Layout: `<speaker>/<speaker>_<emotion>_<number>.wav`, and metadata.csv, written last, with a line a file.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ..speech_synthesis import EMOTIONS, METADATA_COLUMNS, METADATA_FILE
from .recording import Corpus, Recording


def read_synthetic(folder: str | Path) -> Corpus:
    """Reads the corpus, in the order of its metadata.

    Raises:
        ValueError: the folder is not the corpus, or it is incomplete.
    """
    folder = Path(folder)
    metadata = folder / METADATA_FILE
    if not metadata.is_file():
        raise ValueError(
            f"{folder} holds no complete synthetic corpus ({METADATA_FILE} is missing); "
            f"write or complete it by: python dataset_scripts/speech_synthesis.py {folder}"
        )
    with metadata.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != METADATA_COLUMNS:
            raise ValueError(f"{metadata} has columns {reader.fieldnames}; expected {list(METADATA_COLUMNS)}")
        return Corpus([_recording(folder, row) for row in reader])


def _recording(folder: Path, row: dict[str, str]) -> Recording:
    path = folder / row["file"]
    if row["emotion"] not in EMOTIONS:
        raise ValueError(f"{folder / METADATA_FILE}: {row['file']} has the emotion {row['emotion']!r}")
    if not path.is_file():
        raise ValueError(f"{path} is missing, though {METADATA_FILE} lists it; write the corpus anew")
    return Recording(path, "synthetic", row["speaker"], row["emotion"], row["transcription"])
