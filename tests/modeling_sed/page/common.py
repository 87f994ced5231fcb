"""A recording as the page knows it."""

from __future__ import annotations

import numpy as np

from modeling_sed.frames_sed import Segment
from modeling_sed.page.results import DiarizedRecording

LABELS = ["neutral", "happy", "sad", "angry"]


def recording_of(segments: list[Segment], name: str = "call.wav", labels: list[str] = LABELS) -> DiarizedRecording:
    """Segments that tile a recording, with posteriors of 0.7 for the first label."""
    posteriors = np.full((10, len(labels)), 0.3 / (len(labels) - 1))
    posteriors[:, 0] = 0.7
    return DiarizedRecording(name, segments[-1]["end"], segments, labels, "neutral", posteriors, [])


def segment(start: float, end: float, label: str) -> Segment:
    return {"start": start, "end": end, "label": label, "score": 0.75}
