"""RAVDESS: English, acted, 24 speakers (Livingstone & Russo 2018, doi:10.1371/journal.pone.0196391).

Layout: ``Actor_NN/MM-VV-EE-II-SS-RR-AA.wav``, the numbers being modality, vocal channel, emotion, intensity, statement,
repetition and actor. Only speech (vocal channel 01) is used, and of the emotions those of `LABELS`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from .recording import Corpus, Recording, audio_files

LABELS = {"01": "neutral", "03": "happy", "04": "sad", "05": "angry"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
FILE_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def read_ravdess(folder: str | Path) -> Corpus:
    """Reads the corpus in its official layout, whatever the audio files' format.

    Raises:
        ValueError: if the folder holds no recording of RAVDESS.
    """
    folder = Path(folder)
    recordings, skipped = [], Counter()
    for path in audio_files(folder):
        match = FILE_NAME.fullmatch(path.stem)
        if match is None or path.parent.name != f"Actor_{match[7]}":
            skipped["name is not that of a RAVDESS recording"] += 1
        elif match[2] != "01":
            skipped["song"] += 1
        elif match[3] not in LABELS:
            skipped["other emotion"] += 1
        else:
            recordings.append(Recording(path, "ravdess", match[7], LABELS[match[3]], STATEMENTS.get(match[5], "")))
    if not recordings:
        raise ValueError(
            f"{folder} is not the RAVDESS corpus: no file is named like Actor_01/03-01-05-01-02-01-01.wav."
        )
    return Corpus(recordings, skipped)
