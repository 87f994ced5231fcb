"""Emotions by speaker: the timeline of a recording cut to the turns that a speaker diarization system found.

The model hears the recording as a whole (or as a front end prepares it), and each speaker gets the part of the timeline
where they speak. Who speaks does not change what the model says: where turns overlap, every speaker of them gets the
same emotion, since the model does not tell whose it is. Where parties are recorded apart, `split_channels` does better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from .annotation_files import read_annotations, utterance_name

Turn = dict[str, Any]  # {"start": seconds, "end": seconds, "speaker": name}


def read_turns(path: str | Path, recording: str) -> list[Turn]:
    """The speaker turns of a recording in an RTTM file.

    Args:
        path: of the file, which may hold those of several recordings.
        recording: its name; folder and suffix do not matter.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no RTTM file, or does not hold the recording.
    """
    if Path(path).suffix.lower() != ".rttm":
        raise ValueError(f"{path}: speaker turns are read from files that end in .rttm.")
    annotations = read_annotations(path)
    name = utterance_name(recording)
    if name not in annotations:
        raise ValueError(f"{path} has no turns of {name}; it has those of {', '.join(annotations)}.")
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


def _turns(rows: Any) -> list[Turn]:
    turns = [{"start": float(start), "end": float(end), "speaker": str(speaker)} for start, end, speaker in rows]
    return sorted(turns, key=itemgetter("start", "end"))


def emotions_by_speaker(
    segments: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """What each speaker's part of a timeline is.

    Args:
        segments: that tile the recording, as the pipeline returns them.
        turns: ``{"start", "end", "speaker"}`` each, in seconds, in any order; what lies outside of the recording is
            left out.

    Returns:
        For each speaker, in order of their first words, the segments of the timeline inside of their turns, in order.
        A segment's score stays that of the segment it was cut from.

    Raises:
        ValueError: for a turn that ends before it starts.
    """
    speakers: dict[str, list[list[float]]] = {}
    for turn in sorted(turns, key=itemgetter("start", "end")):
        if not turn["start"] <= turn["end"]:
            raise ValueError(f"The turn of {turn['speaker']} from {turn['start']} to {turn['end']} s ends too early.")
        spoken = speakers.setdefault(turn["speaker"], [])
        if turn["start"] == turn["end"]:
            continue
        if spoken and turn["start"] <= spoken[-1][1]:
            spoken[-1][1] = max(spoken[-1][1], turn["end"])
        else:
            spoken.append([turn["start"], turn["end"]])
    return {speaker: _inside(segments, spoken) for speaker, spoken in speakers.items()}


def _inside(segments: Sequence[Mapping[str, Any]], stretches: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """The parts of segments that lie in stretches; both in order."""
    inside, position = [], 0
    for start, end in stretches:
        while position < len(segments) and segments[position]["end"] <= start:
            position += 1
        for number in range(position, len(segments)):
            segment = segments[number]
            if segment["start"] >= end:
                break
            inside.append({**segment, "start": max(segment["start"], start), "end": min(segment["end"], end)})
    return inside
