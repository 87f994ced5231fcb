"""The sequence of emotions of an utterance, as Table 3 of arXiv 2306.12991 writes it: ``null-happy-null``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

NULL = "null"  # no emotion
SHORTEST = 1e-3  # seconds; what is not longer comes from rounding, and is left out


def transition(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_labels: Sequence[str] = ("neutral",)
) -> str:
    """Labels in the order of time, equal neighbours fused: ``"null-happy-null"``.

    Where emotions overlap, their names are joined: ``"happy+sad"``.

    Args:
        segments: ``{"start": seconds, "end": seconds, "label": name}`` each, of one utterance.
        duration: of the utterance, in seconds.
        neutral_labels: labels that mean no emotion.
    """
    events = [(s["start"], min(s["end"], duration), s["label"]) for s in segments if s["label"] not in neutral_labels]
    borders = sorted({0.0, duration, *(time for start, end, _ in events for time in (start, end))})
    names: list[str] = []
    for start, end in pairwise(borders):
        active = sorted({label for first, last, label in events if first < (start + end) / 2 < last})
        name = "+".join(active) or NULL
        if end - start > SHORTEST and names[-1:] != [name]:
            names.append(name)
    return "-".join(names)
