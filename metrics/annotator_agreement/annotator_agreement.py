"""How far annotators agree on which emotion appears when: Fleiss' kappa over frames (section 4.4 of arXiv 2306.12991).

Fleiss 1971, Measuring nominal scale agreement among many raters. Psychological Bulletin 76 (5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

_DESCRIPTION = """\
Fleiss' kappa of several annotators who marked emotional segments in the same utterances: 1 is full agreement, 0 what
chance would give. Every frame of 0.01 s is an item, its categories are the emotions and neutral.
"""

_CITATION = """\
@article{fleiss1971measuring,
  title = {Measuring nominal scale agreement among many raters},
  author = {Fleiss, Joseph L.},
  journal = {Psychological Bulletin},
  volume = {76},
  number = {5},
  pages = {378--382},
  year = {1971},
}
"""

_INPUTS = """\
Args:
    annotations: for each utterance, for each annotator (the same number everywhere), the segments that he marked:
        {"start": seconds, "end": seconds, "label": name}; neutral ones may be left out.
    durations: of the utterances, in seconds.
    step: length of a frame in seconds. Default: 0.01, as in the paper.
    neutral_label: the label that means no emotion. Default: "neutral".
Returns:
    fleiss_kappa; observed_agreement: the share of pairs of annotators that agree, mean over frames;
    expected_agreement: what chance would give; frames, annotators: their numbers.
Examples:
    >>> agreement = evaluate.load("metrics/annotator_agreement")
    >>> happy = {"start": 0.0, "end": 1.0, "label": "happy"}
    >>> agreement.compute(annotations=[[[happy], [happy]]], durations=[2.0])["fleiss_kappa"]
    1.0
"""


class AnnotatorAgreement(evaluate.Measurement):
    """Fleiss' kappa over frames (section 4.4 of arXiv 2306.12991)."""

    def _info(self) -> evaluate.MeasurementInfo:
        segments = [
            {"start": datasets.Value("float64"), "end": datasets.Value("float64"), "label": datasets.Value("string")}
        ]
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"annotations": [segments], "durations": datasets.Value("float64")}),
            reference_urls=["https://arxiv.org/abs/2306.12991"],
        )

    def _compute(
        self,
        annotations: Sequence[Sequence[Sequence[Mapping[str, Any]]]],
        durations: Sequence[float],
        step: float = 0.01,
        neutral_label: str = "neutral",
    ) -> dict[str, Any]:
        return annotator_agreement(annotations, durations, step, neutral_label)


def annotator_agreement(
    annotations: Sequence[Sequence[Sequence[Mapping[str, Any]]]],
    durations: Sequence[float],
    step: float = 0.01,
    neutral_label: str = "neutral",
) -> dict[str, Any]:
    """See `AnnotatorAgreement`.

    Raises:
        ValueError: if there are fewer than two annotators or their number varies, or a segment or duration is bad.
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
    """Category of every frame's centre, ``(frames,)``; new ones join ``categories``. Overlaps are one of their own."""
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
