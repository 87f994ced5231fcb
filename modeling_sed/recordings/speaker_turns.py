"""Emotions by speaker: the timeline of a recording cut to the turns that a speaker diarization system found.

The model hears the recording as a whole (or as a front end prepares it), and each speaker gets the part of the timeline
where they speak. Who speaks does not change what the model says: where turns overlap, each of the speakers gets the
same emotion, since the model does not tell whose it is. Where parties are recorded apart, `split_channels` does better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, TypedDict

from ..annotations.annotation import utterance_name
from ..annotations.files import read_annotations
from ..annotations.segments import crop, in_order, union
from ..frames_sed import InputError, Segment


class Turn(TypedDict):
    """When somebody speaks: ``start`` and ``end`` in seconds, and the ``speaker``'s name."""

    start: float
    end: float
    speaker: str


def read_turns(path: str | Path, recording: str) -> list[Turn]:
    """The speaker turns of a recording in an RTTM file.

    Args:
        path: of the file, which may hold those of several recordings.
        recording: its name; folder and suffix do not matter.

    Raises:
        InputError: if there is no such file, it is not an RTTM file, or it does not hold the recording.
    """
    if Path(path).suffix.lower() != ".rttm":
        raise InputError(f"{path}: speaker turns are read from files that end in .rttm.")
    annotations = read_annotations(path)
    name = utterance_name(recording)
    if name not in annotations:
        raise InputError(f"{path} has no turns of {name}; it has those of {', '.join(annotations)}.")
    return _turns((s["start"], s["end"], s["label"]) for s in annotations[name].segments)


def turns_of(diarization: Any) -> list[Turn]:
    """The speaker turns that a pyannote pipeline returned.

    Args:
        diarization: pyannote.core's `Annotation`, or the output of pyannote.audio 4 that holds one as
            `speaker_diarization`.

    Raises:
        TypeError: if it is neither.
    """
    annotation = getattr(diarization, "speaker_diarization", diarization)
    if not hasattr(annotation, "itertracks"):
        raise TypeError(f"Speaker turns are a pyannote Annotation, or an output that has one; got {type(diarization)}.")
    tracks = annotation.itertracks(yield_label=True)
    return _turns((segment.start, segment.end, speaker) for segment, _, speaker in tracks)


def _turns(rows: Iterable[tuple[float, float, str]]) -> list[Turn]:
    return in_order({"start": float(start), "end": float(end), "speaker": str(speaker)} for start, end, speaker in rows)


def checked_turns(turns: Iterable[Turn]) -> list[Turn]:
    """The turns in order of time.

    Raises:
        InputError: for a turn that ends before it starts.
    """
    for turn in (found := in_order(turns)):
        if not turn["start"] <= turn["end"]:
            raise InputError(f"The turn of {turn['speaker']} from {turn['start']} to {turn['end']} s ends too early.")
    return found


def emotions_by_speaker(segments: Sequence[Segment], turns: Iterable[Turn]) -> dict[str, list[Segment]]:
    """Each speaker's part of a timeline.

    Args:
        segments: that tile the recording, as the pipeline returns them.
        turns: in any order; what lies outside of the recording is left out.

    Returns:
        For each speaker, in order of their first words, the parts of the segments inside their turns, in order. A part
        keeps the score of its segment.

    Raises:
        InputError: for a turn that ends before it starts.
    """
    speakers: dict[str, list[Turn]] = {}
    for turn in checked_turns(turns):
        speakers.setdefault(turn["speaker"], []).append(turn)
    return {speaker: _inside(segments, union(own)) for speaker, own in speakers.items()}


def _inside(segments: Sequence[Segment], stretches: Sequence[tuple[float, float]]) -> list[Segment]:
    """The parts of segments that lie in stretches; both in order."""
    inside, position = [], 0
    for start, end in stretches:
        while position < len(segments) and segments[position]["end"] <= start:
            position += 1
        last = position
        while last < len(segments) and segments[last]["start"] < end:
            last += 1
        inside += crop(segments[position:last], start, end)
    return inside


def spoken_segments(segments: Sequence[Segment], turns: Iterable[Turn]) -> list[Segment]:
    """The same as `emotions_by_speaker` in one list, in order of time; each segment has its ``speaker``."""
    by_speaker = emotions_by_speaker(segments, turns)
    spoken: list[Segment] = [{**segment, "speaker": speaker} for speaker, own in by_speaker.items() for segment in own]
    return sorted(spoken, key=itemgetter("start"))
