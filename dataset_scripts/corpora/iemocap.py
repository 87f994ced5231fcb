"""IEMOCAP: English, acted and improvised dialogues of ten speakers (Busso et al. 2008, doi:10.1007/s10579-008-9076-6).

Layout: ``Session[1-5]/dialog/EmoEvaluation/<dialog>.txt`` has a line for each turn, ``[start - end] turn emotion
[valence, activation, dominance]``, followed by the annotators' own lines, which do not count;
``Session*/sentences/wav/<dialog>/<turn>.wav`` is the turn; ``Session*/dialog/transcriptions/<dialog>.txt`` says what is
said. A turn's speaker is its session and the letter of its last part (``Ses01F_impro01_M003``: Ses01M).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ..errors import InputError
from .recording import AUDIO_SUFFIXES, Corpus, Recording

LABELS = {
    "neu": "neutral", "hap": "happy", "exc": "happy", "sad": "sad", "ang": "angry",
    "fru": "frustrated", "sur": "surprised", "fea": "fearful", "dis": "disgusted",
}  # fmt: skip
TURN = re.compile(r"\[[\d.]+ - [\d.]+\]\t(?P<turn>\S+)\t(?P<emotion>\w+)\t\[.*\]")
TRANSCRIPTION = re.compile(r"(?P<turn>\S+) \[[\d.]+-[\d.]+\]: (?P<text>.*)")


def read_iemocap(folder: str | Path) -> Corpus:
    """Reads the corpus.

    Raises:
        InputError: if the folder is not the corpus, or an annotated turn has no audio.
    """
    folder = Path(folder)
    evaluations = sorted(folder.glob("Session[1-5]/dialog/EmoEvaluation/*.txt"))
    evaluations = [path for path in evaluations if not path.name.startswith(".")]
    if not evaluations:
        raise InputError(f"{folder} is not IEMOCAP: it has no Session1/dialog/EmoEvaluation/Ses01F_impro01.txt.")
    recordings, skipped = [], Counter()
    for evaluation in evaluations:
        session = evaluation.parents[2]
        transcriptions = _transcriptions(session / "dialog" / "transcriptions" / evaluation.name)
        for match in filter(None, map(TURN.match, evaluation.read_text(encoding="utf-8").splitlines())):
            turn, emotion = match["turn"], match["emotion"]
            if emotion not in LABELS:
                skipped["without an emotion that the annotators agree on"] += 1
                continue
            speaker = turn[:5] + turn.rpartition("_")[2][0]
            path = _audio(session / "sentences" / "wav" / turn.rpartition("_")[0], turn)
            recordings.append(Recording(path, "iemocap", speaker, LABELS[emotion], transcriptions.get(turn, "")))
    return Corpus(recordings, skipped, complete=1708 + 595 + 1041 + 1084 + 1103)


def _audio(folder: Path, turn: str) -> Path:
    for path in sorted(folder.glob(f"{turn}.*")):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            return path
    raise InputError(f"{folder / turn}.wav is missing, though IEMOCAP's annotation names it.")


def _transcriptions(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {match["turn"]: match["text"] for match in map(TRANSCRIPTION.match, lines) if match}
