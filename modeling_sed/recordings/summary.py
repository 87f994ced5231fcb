"""What recordings have in common: how much of each emotion, how many events, and where it is strongest."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import NamedTuple

from ..annotations.annotation import Annotation

SHORTEST_MOMENT = 0.5  # seconds
MOMENTS = 5


class Moment(NamedTuple):
    """An emotional segment: its score, and where it is (seconds)."""

    score: float
    name: str
    start: float
    end: float
    label: str


class Summary:
    """Counts the segments of timelines, in memory that does not grow with their number.

    Args:
        neutral_label: of the segments that are no events.

    Attributes:
        recordings: how many there were.
        seconds: of each label, in total; where speakers overlap, of each.
        events: number of segments of each label but neutral.
        moments: the emotional segments of at least half a second with the highest scores, the highest first.
    """

    def __init__(self, neutral_label: str = "neutral"):
        self.recordings = 0
        self.seconds: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self._neutral_label = neutral_label
        self._strongest: list[Moment] = []

    def add(self, annotation: Annotation) -> None:
        """Counts the segments of a recording."""
        self.recordings += 1
        for segment in annotation.segments:
            start, end, label = segment["start"], segment["end"], segment["label"]
            self.seconds[label] += end - start
            if label == self._neutral_label:
                continue
            self.events[label] += 1
            if (score := segment.get("score")) is not None and end - start >= SHORTEST_MOMENT:
                heapq.heappush(self._strongest, Moment(score, annotation.name, start, end, label))
                if len(self._strongest) > MOMENTS:
                    heapq.heappop(self._strongest)

    @property
    def moments(self) -> list[Moment]:
        return sorted(self._strongest, reverse=True)
