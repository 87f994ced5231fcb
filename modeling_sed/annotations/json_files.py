"""JSON: our own, as `emotion-diarization diarize` writes it, and ZED.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .annotation import Annotation, utterance_name


def read_json(path: Path) -> Iterator[Annotation]:
    """Ours is a list of ``name``, ``duration`` and ``segments``; ZED.json maps names to ``duration`` and ``emotion``."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = [{"name": name, "segments": entry["emotion"], **entry} for name, entry in content.items()]
    for entry in content:
        yield Annotation(
            utterance_name(entry["name"]),
            [
                {"start": float(s["start"]), "end": float(s["end"]), "label": str(s["label"] if "label" in s else s["emo"])}
                for s in entry["segments"]
            ],
            float(entry["duration"]),
        )
