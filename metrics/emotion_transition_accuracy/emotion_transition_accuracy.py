"""Emotion transition accuracy as an `evaluate` module; its definition is in transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate

from .transitions import transition_accuracy

_DESCRIPTION = """\
Emotion transition accuracy: the share of utterances whose sequence of emotions, wherever the borders lie, is predicted
exactly; for each sequence that the reference has, and in total.
"""

_CITATION = """\
@inproceedings{wang2023speech,
  title = {Speech Emotion Diarization: Which Emotion Appears When?},
  author = {Wang, Yingzhi and Ravanelli, Mirco and Yacoubi, Alya},
  booktitle = {IEEE Automatic Speech Recognition and Understanding Workshop (ASRU)},
  year = {2023},
  url = {https://arxiv.org/abs/2306.12991},
}
"""

_INPUTS = """\
Args:
    predictions: for each utterance its predicted segments, {"start": seconds, "end": seconds, "label": name}, in any
        order; neutral ones may be left out.
    references: the same, of the truth.
    durations: of the utterances, in seconds.
    neutral_label: the label that means no emotion, or a list of several. Default: "neutral".
Returns:
    accuracy: the share of sequences that are right; correct, utterances: their numbers.
    transitions: for each sequence of the reference its number of utterances (total), how many are right (correct) and
        their share (accuracy), grouped by emotion, as in Table 3.
Examples:
    >>> metric = evaluate.load("metrics/emotion_transition_accuracy")
    >>> metric.compute(
    ...     predictions=[[{"start": 0.9, "end": 2.0, "label": "sad"}]],
    ...     references=[[{"start": 0.5, "end": 2.0, "label": "sad"}]],
    ...     durations=[2.0],
    ... )["transitions"]
    {'null-sad': {'total': 1, 'correct': 1, 'accuracy': 1.0}}
"""


class EmotionTransitionAccuracy(evaluate.Metric):
    """Share of utterances whose sequence of emotions is right (Table 3 of arXiv 2306.12991)."""

    def _info(self) -> evaluate.MetricInfo:
        segments = [
            {"start": datasets.Value("float64"), "end": datasets.Value("float64"), "label": datasets.Value("string")}
        ]
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": segments, "references": segments, "durations": datasets.Value("float64")}
            ),
            reference_urls=["https://arxiv.org/abs/2306.12991"],
        )

    def _compute(
        self,
        predictions: Sequence[Sequence[Mapping[str, Any]]],
        references: Sequence[Sequence[Mapping[str, Any]]],
        durations: Sequence[float],
        neutral_label: str | Sequence[str] = "neutral",
    ) -> dict[str, Any]:
        return transition_accuracy(predictions, references, durations, neutral_label)
