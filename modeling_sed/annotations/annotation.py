"""An utterance with its segments: what readers return, predictions are, and scoring takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..frames_sed import InputError, Segment

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".webm", ".aac"})


@dataclass
class Annotation:
    """The segments of one utterance, true or predicted.

    Attributes:
        name: of the utterance.
        segments: in any order; neutral ones may be left out.
        duration: of the utterance in seconds, where it is known.
        reference: the true segments, where a prediction has them beside its own.
    """

    name: str
    segments: list[Segment] = field(default_factory=list)
    duration: float | None = None
    reference: list[Segment] | None = None


def utterance_name(name: str) -> str:
    """The name of a recording without its folder and, if it is one of audio files, its suffix; in Unicode's form NFC.

    Annotations and predictions in different formats, and from different file systems, find each other by it.
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    return path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name


def at_most_one(annotations: Iterable[Annotation], kind: str) -> list[Annotation]:
    """The annotations for a file of a kind that holds a single recording.

    Raises:
        InputError: if there are several.
    """
    found = list(annotations)
    if len(found) > 1:
        raise InputError(f"{kind} files hold one recording; got {len(found)}. Write a file for each.")
    return found


def check_disjoint(annotation: Annotation, kind: str) -> list[Segment]:
    """The segments in order of time, for a file of a kind whose tiers hold one label at a time.

    Raises:
        InputError: for segments that overlap, or one without length.
    """
    segments = sorted(annotation.segments, key=lambda segment: segment["start"])
    covered = 0.0
    for segment in segments:
        if segment["start"] < covered or segment["end"] <= segment["start"]:
            raise InputError(
                f"{annotation.name}: the segment {segment['label']!r} from {segment['start']} to {segment['end']} s "
                f"overlaps another or has no length, which tiers of {kind} files cannot hold; JSON, CSV and RTTM can."
            )
        covered = segment["end"]
    return segments
