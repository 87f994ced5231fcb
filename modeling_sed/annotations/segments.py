"""The algebra of segments: pure functions of [`Segment`](../frames_sed.py)s, which are never changed in place.

Times are seconds. Functions that compare times do so exactly, unless they say otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ..frames_sed import Segment
from ..metrics.emotion_transition_accuracy.transitions import transition

__all__ = [
    "crop",
    "fill_neutral",
    "in_order",
    "insert_pause",
    "join_equal",
    "overlap",
    "stretch",
    "transition",
    "union",
]

Timed = TypeVar("Timed", bound=Mapping[str, Any])  # with start and end


def in_order(segments: Iterable[Timed]) -> list[Timed]:
    """The same segments, by start and then by end."""
    return sorted(segments, key=lambda segment: (segment["start"], segment["end"]))


def overlap(segment: Segment, start: float, end: float) -> float:
    """Seconds of a segment that lie between ``start`` and ``end``."""
    return max(min(segment["end"], end) - max(segment["start"], start), 0.0)


def crop(segments: Iterable[Segment], start: float, end: float) -> list[Segment]:
    """The parts of segments that lie between ``start`` and ``end``, where they are; none of them is empty."""
    return [
        {**segment, "start": max(segment["start"], start), "end": min(segment["end"], end)}
        for segment in segments
        if overlap(segment, start, end) > 0
    ]


def stretch(segments: Iterable[Segment], factor: float) -> list[Segment]:
    """Segments of a recording that is played ``factor`` times as long."""
    return [{**segment, "start": segment["start"] * factor, "end": segment["end"] * factor} for segment in segments]


def insert_pause(segments: Iterable[Segment], time: float, seconds: float) -> list[Segment]:
    """Segments of a recording into which ``seconds`` of something else are inserted at ``time``.

    A segment that lies on both sides of it becomes two.
    """
    return [
        {**segment, "start": max(segment["start"], begin) + shift, "end": min(segment["end"], end) + shift}
        for segment in segments
        for begin, end, shift in ((-math.inf, time, 0.0), (time, math.inf, seconds))
        if max(segment["start"], begin) < min(segment["end"], end)
    ]


def fill_neutral(
    segments: Iterable[Segment], duration: float, neutral_label: str = "neutral", score: float | None = None
) -> list[Segment]:
    """The same segments in order, with the neutral stretches between them written out.

    Args:
        segments: in any order; overlaps stay as they are.
        duration: of the recording.
        neutral_label: label of the stretches that no segment covers.
        score: of these stretches; None for none.
    """

    def neutral(start: float, end: float) -> Segment:
        stretch: Segment = {"start": start, "end": end, "label": neutral_label}
        return stretch if score is None else {**stretch, "score": score}

    filled: list[Segment] = []
    covered: float = 0
    for segment in in_order(segments):
        if segment["start"] > covered:
            filled.append(neutral(covered, segment["start"]))
        filled.append(segment)
        covered = max(covered, segment["end"])
    if covered < duration:
        filled.append(neutral(covered, duration))
    return filled


def join_equal(segments: Sequence[Segment]) -> list[Segment]:
    """Neighbours with the same label that touch each other become one; its score is their mean over time.

    Args:
        segments: in order.
    """
    joined: list[Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is None or last["label"] != segment["label"] or last["end"] != segment["start"]:
            joined.append(segment.copy())
            continue
        if "score" in last and "score" in segment:
            seconds = last["end"] - last["start"], segment["end"] - segment["start"]
            last["score"] = (last["score"] * seconds[0] + segment["score"] * seconds[1]) / sum(seconds)
        last["end"] = segment["end"]
    return joined


def union(segments: Iterable[Timed]) -> list[tuple[float, float]]:
    """The time that segments cover, whatever their labels: start and end of each stretch, in order, apart."""
    stretches: list[tuple[float, float]] = []
    for segment in in_order(segments):
        start, end = segment["start"], segment["end"]
        if start == end:
            continue
        if stretches and start <= stretches[-1][1]:
            start, last = stretches.pop()
            end = max(last, end)
        stretches.append((start, end))
    return stretches
