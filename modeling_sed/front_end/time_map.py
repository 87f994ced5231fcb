"""Where a processed waveform comes from in the recording: exact times through cutting and resampling.

Times are fractions of seconds, so that they do not depend on any sampling rate: resampling leaves a map as it is, and
any sequence of cuts gives exactly the samples that it would give on the recording itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

Interval = tuple[Fraction, Fraction]


class Piece(NamedTuple):
    """A stretch of the recording, in seconds from its beginning."""

    start: Fraction
    end: Fraction
    counts: bool = True  # or else the model hears it, and what it says about it is not used


@dataclass(frozen=True)
class TimeMap:
    """The pieces of a recording that a waveform consists of, one after the other."""

    pieces: tuple[Piece, ...]

    @classmethod
    def whole(cls, duration: Fraction) -> TimeMap:
        """Of a recording as it is, with its duration in seconds."""
        return cls((Piece(Fraction(0), duration),))

    @property
    def duration(self) -> Fraction:
        """Of all pieces together, in seconds."""
        return sum((piece.end - piece.start for piece in self.pieces), Fraction(0))

    def trace(self, intervals: Sequence[Interval]) -> list[list[Piece]]:
        """The pieces of the recording that lie behind stretches of the waveform.

        Args:
            intervals: start and end of each stretch, in seconds of the waveform; what lies outside of it is left out.

        Returns:
            For each stretch its pieces, none of them empty, in the waveform's order.
        """
        borders = list(accumulate((piece.end - piece.start for piece in self.pieces), initial=Fraction(0)))
        traced = []
        for start, end in intervals:
            parts = []
            for position in range(max(bisect_right(borders, start) - 1, 0), len(self.pieces)):
                if borders[position] >= end:
                    break
                piece, shift = self.pieces[position], self.pieces[position].start - borders[position]
                first, last = max(piece.start, start + shift), min(piece.end, end + shift)
                if first < last:
                    parts.append(Piece(first, last, piece.counts))
            traced.append(parts)
        return traced

    def keep(self, intervals: Sequence[Interval]) -> TimeMap:
        """The map of these stretches of the waveform, put one after the other."""
        return TimeMap(tuple(piece for parts in self.trace(intervals) for piece in parts))

    def count_only(self, intervals: Sequence[Interval]) -> TimeMap:
        """The map of the same waveform when only these stretches of it count.

        Args:
            intervals: in order, apart from each other.
        """
        edges = [Fraction(0), *(edge for interval in intervals for edge in interval), self.duration]
        pieces = []
        for number, parts in enumerate(self.trace(list(pairwise(edges)))):
            pieces += parts if number % 2 else [piece._replace(counts=False) for piece in parts]
        return TimeMap(tuple(pieces))
