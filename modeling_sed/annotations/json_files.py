"""JSON: our own, as `emotion-diarization diarize` writes it, and ZED.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..frames_sed import Segment
from .annotation import Annotation, utterance_name


def read_json(path: Path) -> Iterator[Annotation]:
    """A list of ``name``, ``duration`` and ``segments``; or, as in ZED.json, a mapping of names to entries."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = [{"name": name, "segments": entry["emotion"], **entry} for name, entry in content.items()]
    for entry in content:
        segments = [_segment(item) for item in entry["segments"]]
        yield Annotation(utterance_name(entry["name"]), segments, float(entry["duration"]))


def _segment(item: dict[str, Any]) -> Segment:
    label = item["label"] if "label" in item else item["emo"]
    return {"start": float(item["start"]), "end": float(item["end"]), "label": str(label)}
