"""How far annotators agree on which emotion appears when: Fleiss' kappa over frames (section 4.4 of arXiv 2306.12991).

Fleiss 1971, Measuring nominal scale agreement among many raters. Psychological Bulletin 76 (5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def annotator_agreement(
    annotations: Sequence[Sequence[Sequence[Mapping[str, Any]]]],
    durations: Sequence[float],
    step: float = 0.01,
    neutral_label: str = "neutral",
) -> dict[str, Any]:
    """Fleiss' kappa of the emotions at the centres of frames.

    Args:
        annotations: for each utterance, for each annotator (the same number everywhere), the marked segments:
            ``{"start": seconds, "end": seconds, "label": name}``; neutral ones may be left out.
        durations: of the utterances, in seconds.
        step: length of a frame in seconds.
        neutral_label: the label that means no emotion.

    Returns:
        ``fleiss_kappa``, ``observed_agreement``, ``expected_agreement`` and the numbers ``frames``, ``annotators``.

    Raises:
        ValueError: if there are fewer than two annotators or their number varies, or a segment or duration is invalid.
    """
    if len(annotations) != len(durations) or not len(durations):
        raise ValueError(
            f"Each utterance needs its annotations and duration; got {len(annotations)} and {len(durations)} of them."
        )
    if not 0 < step < math.inf:
        raise ValueError(f"step must be a positive number of seconds; got {step}.")
    counts = {len(annotators) for annotators in annotations}
    if len(counts) > 1 or min(counts) < 2:
        raise ValueError(
            f"Every utterance needs the same number of annotators, two at least; got {sorted(counts)} of them."
        )
    categories: dict[str, int] = {neutral_label: 0}
    tables = []
    for index, (annotators, duration) in enumerate(zip(annotations, durations, strict=True)):
        if not 0 < duration < math.inf:
            raise ValueError(f"utterance {index}: its duration must be a positive number of seconds; got {duration}.")
        frames = [_frame_labels(segments, duration, step, categories, neutral_label, index) for segments in annotators]
        tables.append(np.stack(frames, axis=1))
    labels = np.concatenate(tables)
    ratings = np.stack([(labels == category).sum(axis=1) for category in range(len(categories))], axis=1)
    kappa, observed, expected = fleiss_kappa(ratings)
    return {
        "fleiss_kappa": kappa,
        "observed_agreement": observed,
        "expected_agreement": expected,
        "frames": len(labels),
        "annotators": counts.pop(),
    }


def fleiss_kappa(ratings: np.ndarray) -> tuple[float, float, float]:
    """Kappa, observed and expected agreement; kappa is 1 where all ratings are of one category.

    Args:
        ratings: ``(items, categories)``, how many raters chose the category; each row has the same sum.
    """
    raters = ratings[0].sum()
    observed = float(((ratings**2).sum(axis=1) - raters).mean() / (raters * (raters - 1)))
    expected = float(((ratings.sum(axis=0) / ratings.sum()) ** 2).sum())
    return (observed - expected) / (1 - expected) if expected < 1 else 1.0, observed, expected


def _frame_labels(
    segments: Sequence[Mapping[str, Any]],
    duration: float,
    step: float,
    categories: dict[str, int],
    neutral_label: str,
    index: int,
) -> np.ndarray:
    """Category of every frame's centre, ``(frames,)``. Adds new ones to ``categories``; an overlap has its own."""
    centres = (np.arange(max(1, round(duration / step))) + 0.5) * step
    names = np.full(len(centres), "", dtype=object)
    for segment in sorted(segments, key=lambda segment: segment["label"]):
        start, end, label = segment["start"], segment["end"], segment["label"]
        if not 0 <= start <= end < math.inf:
            raise ValueError(
                f"utterance {index}: the segment {label!r} from {start} to {end} s needs 0 <= start <= end."
            )
        if label != neutral_label:
            for frame in np.flatnonzero((centres >= start) & (centres < end)):
                if label not in names[frame].split("+"):
                    names[frame] = f"{names[frame]}+{label}".lstrip("+")
    return np.array([categories.setdefault(name or neutral_label, len(categories)) for name in names])
