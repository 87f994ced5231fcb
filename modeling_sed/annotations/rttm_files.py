"""RTTM, NIST's Rich Transcription Time Marked, and UEM, which says which part of a recording is scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .annotation import Annotation, utterance_name


def read_rttm(path: Path) -> Iterator[Annotation]:
    """Lines ``SPEAKER name channel start duration <NA> <NA> label <NA> <NA>``; the label may be a speaker."""
    annotations: dict[str, Annotation] = {}
    for columns in _rows(path):
        name, start, seconds, label = columns[1], float(columns[3]), float(columns[4]), columns[7]
        annotation = annotations.setdefault(name, Annotation(utterance_name(name)))
        annotation.segments.append({"start": start, "end": start + seconds, "label": label})
    yield from annotations.values()


def read_uem_durations(path: Path) -> dict[str, float]:
    """Lines ``name channel start end``; the scored part must begin at 0."""
    durations = {}
    for name, _, start, end in _rows(path):
        if float(start) != 0:
            raise ValueError(f"the scored part of {name} begins at {start} s instead of 0")
        durations[utterance_name(name)] = float(end)
    return durations


def _rows(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.strip() and not line.startswith(";"):
            yield line.split()
