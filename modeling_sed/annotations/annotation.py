"""An utterance with its segments: what readers return, predictions are, and scoring takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..frames_sed import Segment

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".webm", ".aac"})


@dataclass
class Annotation:
    """The segments of one utterance, true or predicted.

    Attributes:
        name: of the utterance.
        segments: in any order; neutral ones may be left out.
        duration: of the utterance in seconds, where it is known.
    """

    name: str
    segments: list[Segment] = field(default_factory=list)
    duration: float | None = None


def utterance_name(name: str) -> str:
    """The name of a recording without its folder and, if it is one of audio files, its suffix.

    Annotations and predictions in different formats find each other by it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name
