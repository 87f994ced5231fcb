"""How exact the times of annotations are, stated once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ..frames_sed import InputWarning, Segment

# Seconds. Tools write times with two or three decimals, and count frames: a border up to this far past the end of its
# utterance is at the end.
TOLERANCE = 0.02

# Seconds. Decoders disagree about the length of a recording; by more than this, two durations are of two recordings.
DISAGREEMENT = 0.1


def cut_ends(utterances: Sequence[Sequence[Segment]], durations: Sequence[float]) -> list[list[Segment]]:
    """Segments of each utterance, the ends up to `TOLERANCE` past its duration (seconds) cut; says so in one warning.

    What reaches further is an error of the annotation and stays as it is.
    """
    cut, furthest = 0, 0.0
    found = []
    for segments, duration in zip(utterances, durations, strict=True):
        kept = []
        for segment in segments:
            beyond = round(segment["end"] - duration, 6)
            if 0 < beyond <= TOLERANCE:
                cut, furthest = cut + 1, max(furthest, beyond)
                segment = {**segment, "start": min(segment["start"], duration), "end": duration}
            kept.append(segment)
        found.append(kept)
    if cut:
        warnings.warn(
            f"{cut} segment(s) of the references end up to {1000 * furthest:.1f} ms after their utterances and were "
            "cut there.",
            InputWarning,
            stacklevel=2,
        )
    return found
