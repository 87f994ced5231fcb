"""IEMOCAP: English, acted and improvised dialogues of ten speakers (Busso et al. 2008, doi:10.1007/s10579-008-9076-6).

Layout: ``Session[1-5]/dialog/EmoEvaluation/<dialog>.txt`` has a line for each turn, ``[start - end] turn emotion
[valence, activation, dominance]``, followed by the annotators' own lines, which do not count (nor does their encoding);
``Session*/sentences/wav/<dialog>/<turn>.wav`` is the turn; ``Session*/dialog/transcriptions/<dialog>.txt`` says what is
said. A turn's speaker is its session and the letter of its last part (``Ses01F_impro01_M003``: Ses01M).
"""

from __future__ import annotations

import glob
import re
from collections import Counter
from pathlib import Path, PurePosixPath

from ..errors import InputError
from ..files import inside, numbered_lines
from .recording import AUDIO_SUFFIXES, Corpus, Recording

LABELS = {
    "neu": "neutral", "hap": "happy", "exc": "happy", "sad": "sad", "ang": "angry",
    "fru": "frustrated", "sur": "surprised", "fea": "fearful", "dis": "disgusted",
}  # fmt: skip
TURN = re.compile(r"\[(?P<start>\S+) - (?P<end>\S+)\]\t(?P<turn>\S+)\t(?P<emotion>\S+)\t\[.*\]")
TRANSCRIPTION = re.compile(r"(?P<turn>\S+) \[[\d.]+-[\d.]+\]: (?P<text>.*)")


def read_iemocap(folder: str | Path) -> Corpus:
    """Reads the corpus.

    Raises:
        InputError: if the folder is not the corpus, or a turn has times that cannot be, no audio, or audio that lies
            outside of its session's folder of wavs.
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
        for where, match in _turns(evaluation):
            turn, emotion = match["turn"], match["emotion"]
            if emotion not in LABELS:
                skipped["without an emotion that the annotators agree on"] += 1
                continue
            path = _audio(session / "sentences" / "wav", turn, where)
            speaker = turn[:5] + turn.rpartition("_")[2][:1]
            recordings.append(Recording(path, "iemocap", speaker, LABELS[emotion], transcriptions.get(turn, "")))
    return Corpus(recordings, skipped, complete=1708 + 595 + 1041 + 1084 + 1103)


def _turns(evaluation: Path) -> list[tuple[str, re.Match]]:
    """The lines of turns, each after where it is."""
    lines = [(where, TURN.match(line)) for where, line in numbered_lines(evaluation, errors="replace")]
    turns = [(where, match) for where, match in lines if match]
    for where, match in turns:
        try:
            possible = 0 <= float(match["start"]) < float(match["end"]) < float("inf")
        except ValueError:
            possible = False
        if not possible:
            raise InputError(
                f"{where}: {match['turn']} cannot last from {match['start']} to {match['end']} s; the line must begin "
                "with two times in seconds, the earlier one first."
            )
    return turns


def _audio(wavs: Path, turn: str, where: str) -> Path:
    stem = inside(wavs, str(PurePosixPath(turn.rpartition("_")[0]) / turn), where)
    for path in sorted(stem.parent.glob(f"{glob.escape(stem.name)}.*")):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            return inside(wavs, path.relative_to(wavs).as_posix(), where)
    raise InputError(f"{where}: {stem}.wav is missing, though IEMOCAP's annotation names it.")


def _transcriptions(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = [TRANSCRIPTION.match(line) for _, line in numbered_lines(path, errors="replace")]
    return {match["turn"]: match["text"] for match in lines if match}
