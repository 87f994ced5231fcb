"""Emotion transition accuracy: in how many utterances the sequence of emotions is right (Table 3 of arXiv 2306.12991).

The sequence of an utterance is its labels in the order of time, equal neighbours fused, wherever the borders lie:
``null-happy-null`` is an emotion amid neutral speech. The whole sequence is right, or it is wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate

NULL = "null"  # how Table 3 writes the absence of emotion
ROUNDING = 1e-6  # seconds; shorter gaps come from rounding and are none

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

    @staticmethod
    def format_table(result: Mapping[str, Any]) -> str:
        """The result as the paper prints it: transition, total number, correct number, accuracy."""
        width = max(len("transition"), *map(len, result["transitions"]))
        lines = [f"{'transition':<{width}}{'TN':>7}{'CN':>7}{'ACC':>10}"]
        rows = [*result["transitions"].items()]
        rows.append(
            ("total", {"total": result["utterances"], "correct": result["correct"], "accuracy": result["accuracy"]})
        )
        lines += [
            f"{name:<{width}}{row['total']:>7}{row['correct']:>7}{100 * row['accuracy']:>8.1f} %" for name, row in rows
        ]
        return "\n".join(lines)


def transition_accuracy(
    predictions: Sequence[Sequence[Mapping[str, Any]]],
    references: Sequence[Sequence[Mapping[str, Any]]],
    durations: Sequence[float],
    neutral_label: str | Sequence[str] = "neutral",
) -> dict[str, Any]:
    """See `EmotionTransitionAccuracy`.

    Raises:
        ValueError: if the inputs differ in length or are empty, or a segment or duration is bad.
    """
    if not len(predictions) == len(references) == len(durations) or not len(durations):
        raise ValueError(
            "Each utterance needs its predictions, references and duration; got "
            f"{len(predictions)}, {len(references)} and {len(durations)} of them."
        )
    neutral = {neutral_label} if isinstance(neutral_label, str) else set(neutral_label)
    total, correct = Counter(), Counter()
    for index, (prediction, reference, duration) in enumerate(zip(predictions, references, durations, strict=True)):
        try:
            truth = emotion_sequence(reference, duration, neutral)
            answer = emotion_sequence(prediction, duration, neutral)
        except ValueError as error:
            raise ValueError(f"utterance {index}: {error}") from error
        total[truth] += 1
        correct[truth] += truth == answer
    order = sorted(total, key=lambda sequence: ([part for part in sequence if part != NULL], len(sequence), sequence))
    return {
        "accuracy": correct.total() / total.total(),
        "correct": correct.total(),
        "utterances": total.total(),
        "transitions": {
            "-".join(sequence): {
                "total": total[sequence],
                "correct": correct[sequence],
                "accuracy": correct[sequence] / total[sequence],
            }
            for sequence in order
        },
    }


def emotion_sequence(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_labels: set[str] | frozenset[str]
) -> tuple[str, ...]:
    """Labels in the order of time, equal neighbours fused: ``("null", "happy", "null")``.

    Where emotions overlap, their names are joined: ``"happy+sad"``.

    Args:
        segments: of one utterance; what lies past its end is cut.
        duration: of the utterance, in seconds.
        neutral_labels: labels that mean no emotion.

    Raises:
        ValueError: for a time that is not ``0 <= start <= end``, or a duration that is not positive.
    """
    if not 0 < duration < math.inf:
        raise ValueError(f"its duration must be a positive number of seconds; got {duration}.")
    events = []
    for segment in segments:
        start, end, label = segment["start"], segment["end"], segment["label"]
        if not 0 <= start <= end < math.inf:
            raise ValueError(f"the segment {label!r} from {start} to {end} s needs 0 <= start <= end.")
        if label not in neutral_labels and min(end, duration) > start:
            events.append((start, min(end, duration), label))
    borders = sorted({0.0, duration, *(time for start, end, _ in events for time in (start, end))})
    sequence: list[str] = []
    for index, border in enumerate(borders[:-1]):
        if borders[index + 1] - border <= ROUNDING:
            continue
        middle = (border + borders[index + 1]) / 2
        active = sorted({label for start, end, label in events if start < middle < end})
        name = "+".join(active) or NULL
        if not sequence or sequence[-1] != name:
            sequence.append(name)
    return tuple(sequence)
