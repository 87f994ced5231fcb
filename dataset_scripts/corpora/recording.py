"""What readers of corpora return: recordings that hold one emotion each, and utterances that are annotated in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..files import files_below

EMOTIONS = ("neutral", "happy", "sad", "angry")  # the paper's (section 5.1)
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus"})


@dataclass(frozen=True)
class Recording:
    """A source file whose label holds for all of it.

    Attributes:
        path: of the audio file.
        corpus: name of the corpus.
        speaker: identity of the speaker within the corpus.
        label: the emotion: "neutral", "happy", "sad", "angry", or another one that the corpus has.
        transcription: what is said, if the corpus tells.
    """

    path: Path
    corpus: str
    speaker: str
    label: str
    transcription: str = ""


@dataclass(frozen=True)
class Corpus:
    """What a reader found in a folder, of all emotions.

    Attributes:
        recordings: in an order that depends on the files' names alone.
        skipped: number of audio files that are no recordings of the corpus, by reason.
        complete: number of recordings of `EMOTIONS` in the whole corpus, if it is known.
    """

    recordings: list[Recording]
    skipped: Counter[str] = field(default_factory=Counter)
    complete: int | None = None


@dataclass(frozen=True)
class AnnotatedUtterance:
    """An utterance with emotional segments in it.

    Attributes:
        name: its name, unique in its corpus.
        origin: where it is annotated, for messages: file and name.
        audio: content of the audio file.
        segments: ``{"start": seconds, "end": seconds, "label": name}`` each.
        speaker: identity of the speaker.
        transcription: what is said.
    """

    name: str
    origin: str
    audio: bytes
    segments: list[dict]
    speaker: str
    transcription: str = ""


def audio_files(folder: Path) -> list[Path]:
    """All audio files below a folder, sorted, those of linked folders too; hidden ones (``._name``) are none.

    Raises:
        InputError: if there is no such folder, or one below it cannot be read.
    """
    return [
        path for path in files_below(folder) if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")
    ]
