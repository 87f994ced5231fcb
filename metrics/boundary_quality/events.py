"""Events: maximal stretches with one emotion, of many utterances, as columns of numbers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ROUNDING = 1e-6  # seconds; shorter gaps come from rounding and are ignored

Segments = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class EventTable:
    """Events, one a row, in the order of their utterances, labels and times; those of one label lie apart.

    Attributes:
        utterance: ``(events,)`` index of the utterance.
        label: ``(events,)`` index into ``labels``.
        start: ``(events,)`` seconds.
        end: ``(events,)`` seconds.
        labels: the emotions.
    """

    utterance: np.ndarray
    label: np.ndarray
    start: np.ndarray
    end: np.ndarray
    labels: tuple[str, ...]

    def at(self, times: np.ndarray) -> np.ndarray:
        """Times ``(events,)`` as complex numbers, which numpy orders by utterance and label, and then by seconds."""
        return self.utterance * len(self.labels) + self.label + 1j * times


def find_events(
    predictions: Sequence[Segments],
    references: Sequence[Segments],
    durations: Sequence[float],
    neutral_label: str | Sequence[str] = "neutral",
) -> tuple[EventTable, EventTable]:
    """Predicted and true events: overlapping and touching segments of one label are one.

    Args:
        predictions: for each utterance its segments, ``{"start": seconds, "end": seconds, "label": name}``, in any
            order; neutral ones may be left out. Ends past the duration are cut.
        references: the same, of the truth.
        durations: of the utterances, in seconds.
        neutral_label: the label that means no emotion, or several.

    Raises:
        ValueError: if the inputs differ in length, or a segment or duration is invalid.
    """
    if not len(predictions) == len(references) == len(durations):
        raise ValueError(
            "Each utterance needs its predictions, references and duration; got "
            f"{len(predictions)}, {len(references)} and {len(durations)} of them."
        )
    for index, duration in enumerate(durations):
        if not 0 < duration < math.inf:
            raise ValueError(f"utterance {index}: its duration must be a positive number of seconds; got {duration}.")
    neutral = {neutral_label} if isinstance(neutral_label, str) else set(neutral_label)
    sides = [
        [_of_one(segments, duration, neutral, index) for index, (segments, duration) in enumerate(rows)]
        for rows in (zip(predictions, durations, strict=True), zip(references, durations, strict=True))
    ]
    labels = tuple(sorted({label for side in sides for events in side for label in events}))
    predicted, true = (_as_table(side, labels) for side in sides)
    return predicted, true


def _of_one(segments: Segments, duration: float, neutral: set[str], index: int) -> dict[str, list[list[float]]]:
    """Starts and ends of the events of each emotion of one utterance."""
    events: dict[str, list[list[float]]] = defaultdict(list)
    for segment in sorted(segments, key=lambda segment: segment["start"]):
        start, end, label = segment["start"], segment["end"], segment["label"]
        if not 0 <= start <= end < math.inf:
            raise ValueError(
                f"utterance {index}: the segment {label!r} from {start} to {end} s needs 0 <= start <= end."
            )
        end = min(end, duration)
        if label in neutral or end <= start:
            continue
        if events[label] and start <= events[label][-1][1] + ROUNDING:
            events[label][-1][1] = max(events[label][-1][1], end)
        else:
            events[label].append([start, end])
    return events


def _as_table(utterances: Sequence[Mapping[str, list[list[float]]]], labels: tuple[str, ...]) -> EventTable:
    rows = [
        (index, label, *event)
        for index, events in enumerate(utterances)
        for label, name in enumerate(labels)
        if name in events
        for event in events[name]
    ]
    utterance, label, start, end = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return EventTable(utterance.astype(np.int64), label.astype(np.int64), start, end, labels)
