"""Reads emotion segments from files: our JSON, ZED.json, RTTM, TextGrid, CSV, and folders of them.

An utterance is known by the name of its recording without folder and suffix, so that annotations and predictions in
different formats find each other.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".webm", ".aac"})


@dataclass
class Annotation:
    """The segments of one utterance.

    Attributes:
        name: of the utterance.
        segments: ``{"start": seconds, "end": seconds, "label": name}`` each.
        duration: in seconds, where the format tells.
    """

    name: str
    segments: list[dict[str, Any]] = field(default_factory=list)
    duration: float | None = None


def read_annotations(path: str | Path) -> dict[str, Annotation]:
    """Reads a file, or all files of a folder that have a known format.

    Returns:
        Annotations by the utterances' names, in the order of the files.

    Raises:
        ValueError: for a file that is not as its suffix says, a folder without annotations, or names that come more
            than once.
        FileNotFoundError: if there is no such file or folder.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.suffix.lower() in READERS)
    if not files:
        raise ValueError(f"{path} holds no annotations: no file ends in {', '.join(sorted(READERS))}.")
    annotations = [annotation for file in files for annotation in _read_file(file)]
    counts = Counter(annotation.name for annotation in annotations)
    if duplicates := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"{path}: utterances that come more than once: {', '.join(duplicates)}.")
    return {annotation.name: annotation for annotation in annotations}


def _read_file(path: Path) -> list[Annotation]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: annotations are files that end in {', '.join(sorted(READERS))}.")
    try:
        return list(reader(path))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"{path} is not as its name says: {error!r}.") from error


def utterance_name(name: str) -> str:
    """The name of a recording without its folder and, if it is one of audio files, its suffix."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name


def _read_json(path: Path) -> Iterator[Annotation]:
    """Our own: a list of ``name``, ``duration`` and ``segments``. ZED.json: a mapping of names to entries."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = [
            {"name": name, "duration": entry["duration"], "segments": entry["emotion"]}
            for name, entry in content.items()
        ]
    for entry in content:
        segments = [_segment(s["start"], s["end"], s["label"] if "label" in s else s["emo"]) for s in entry["segments"]]
        yield Annotation(utterance_name(entry["name"]), segments, float(entry["duration"]))


def _read_rttm(path: Path) -> Iterator[Annotation]:
    """NIST's Rich Transcription Time Marked: ``SPEAKER name channel start duration <NA> <NA> label <NA> <NA>``."""
    annotations: dict[str, Annotation] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        columns = line.split()
        if not columns or columns[0].startswith(";"):
            continue
        start, seconds = float(columns[3]), float(columns[4])
        annotation = annotations.setdefault(columns[1], Annotation(utterance_name(columns[1])))
        annotation.segments.append(_segment(start, start + seconds, columns[7]))
    yield from annotations.values()


def _read_csv(path: Path) -> Iterator[Annotation]:
    """Columns ``name,start,end,label`` and, optionally, ``duration``; a row without a label only names an utterance."""
    annotations: dict[str, Annotation] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            annotation = annotations.setdefault(row["name"], Annotation(utterance_name(row["name"])))
            if row.get("duration"):
                annotation.duration = float(row["duration"])
            if row.get("label"):
                annotation.segments.append(_segment(row["start"], row["end"], row["label"]))
    yield from annotations.values()


def _read_textgrid(path: Path) -> Iterator[Annotation]:
    """Praat's TextGrid: the only interval tier, or the one called ``emotion``; intervals without text are neutral."""
    try:
        from praatio import textgrid
    except ImportError as error:
        raise ImportError(
            "TextGrid files need praatio: pip install 'speech-emotion-diarization[evaluation]'"
        ) from error
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except textgrid.utils.errors.PraatioException as error:
        raise ValueError(str(error)) from error
    tiers = [tier for tier in grid.tiers if isinstance(tier, textgrid.IntervalTier)]
    named = [tier for tier in tiers if tier.name.lower() == "emotion"] or tiers
    if len(named) != 1:
        raise ValueError(f"it needs one interval tier, or one called 'emotion'; it has {[t.name for t in tiers]}")
    segments = [_segment(interval.start, interval.end, interval.label) for interval in named[0].entries]
    yield Annotation(path.stem, segments, float(grid.maxTimestamp))


def _segment(start: Any, end: Any, label: Any) -> dict[str, Any]:
    return {"start": float(start), "end": float(end), "label": str(label)}


READERS: dict[str, Callable[[Path], Iterator[Annotation]]] = {
    ".json": _read_json,
    ".rttm": _read_rttm,
    ".textgrid": _read_textgrid,
    ".csv": _read_csv,
}


def read_durations(path: str | Path) -> dict[str, float]:
    """Durations of utterances in seconds, by name: CSV with the columns ``name,duration``, or UEM.

    A UEM file (``name channel start end``) says which part of a recording is scored; it must begin at 0 here.

    Raises:
        ValueError: for a file that is neither.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                return {utterance_name(row["name"]): float(row["duration"]) for row in csv.DictReader(file)}
            rows = [line.split() for line in file if line.strip() and not line.startswith(";")]
        if any(float(start) != 0 for _, _, start, _ in rows):
            raise ValueError("a part that is scored does not begin at 0")
        return {utterance_name(name): float(end) for name, _, _, end in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: durations are a CSV file with name,duration or a UEM file: {error!r}.") from error
