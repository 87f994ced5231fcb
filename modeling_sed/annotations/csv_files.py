"""CSV tables of segments, or of durations alone."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from .annotation import Annotation, utterance_name


def read_csv(path: Path) -> Iterator[Annotation]:
    """Columns ``name,start,end,label`` and, optionally, ``duration``; a row without a label only names an utterance."""
    annotations: dict[str, Annotation] = {}
    for row in _rows(path):
        annotation = annotations.setdefault(row["name"], Annotation(utterance_name(row["name"])))
        if row.get("duration"):
            annotation.duration = float(row["duration"])
        if row.get("label"):
            start, end = float(row["start"]), float(row["end"])
            annotation.segments.append({"start": start, "end": end, "label": row["label"]})
    yield from annotations.values()


def read_csv_durations(path: Path) -> dict[str, float]:
    """Columns ``name,duration``."""
    return {utterance_name(row["name"]): float(row["duration"]) for row in _rows(path)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
