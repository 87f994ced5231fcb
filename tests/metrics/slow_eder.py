"""EDER again, slowly: rational arithmetic, one elementary interval after another, straight from the definition."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

COMPONENTS = ("false_alarm", "missed_emotion", "confusion", "overlap")


def slow_errors(prediction: list[dict], reference: list[dict], duration: float) -> Counter:
    """Exact seconds of each kind of error in one utterance."""
    length = Fraction(duration)
    borders = {Fraction(0), length}
    for segment in [*prediction, *reference]:
        borders |= {min(Fraction(segment["start"]), length), min(Fraction(segment["end"]), length)}
    borders = sorted(borders)
    errors = Counter()
    for left, right in pairwise(borders):
        kind = kind_of_error(emotions_at((left + right) / 2, reference), emotions_at((left + right) / 2, prediction))
        if kind:
            errors[kind] += right - left
    return errors


def emotions_at(time: Fraction, segments: list[dict]) -> set[str]:
    return {segment["label"] for segment in segments if segment["start"] < time < segment["end"]} - {"neutral"}


def kind_of_error(reference: set[str], prediction: set[str]) -> str | None:
    if reference == prediction:
        return None
    if not reference:
        return "false_alarm"
    if not prediction:
        return "missed_emotion"
    if not reference & prediction:
        return "confusion"
    return "overlap" if prediction - reference else "missed_emotion"
