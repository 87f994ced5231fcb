"""Annotator agreement as an `evaluate` module; its definition is in fleiss_kappa."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate

from .fleiss_kappa import annotator_agreement

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
    annotations: for each utterance, for each annotator (the same number everywhere), the marked segments:
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
