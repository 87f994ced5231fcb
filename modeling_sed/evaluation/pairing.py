"""Pairs annotations with predictions of the same utterances, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..annotations.annotation import Annotation
from ..frames_sed import InputError, Segment

DISAGREEMENT = 0.1  # seconds by which two durations of an utterance may differ


@dataclass(frozen=True)
class Pairs:
    """References and predictions of the same utterances, in the same order.

    Attributes:
        names: of the utterances.
        references: segments of each utterance.
        predictions: segments of each utterance.
        durations: of the utterances, in seconds.
    """

    names: list[str]
    references: list[list[Segment]]
    predictions: list[list[Segment]]
    durations: list[float]


def pair_annotations(
    references: Mapping[str, Annotation],
    predictions: Mapping[str, Annotation],
    durations: Mapping[str, float] | None = None,
) -> Pairs:
    """Finds each utterance's reference, prediction and duration.

    Args:
        references: by name.
        predictions: by name.
        durations: seconds by name. If given, their names are those of the utterances, and an utterance that is missing
            on one side has no emotion there, since formats such as RTTM have no other way to say so. If None, both
            sides must name the same utterances, and one of them must give the durations.

    Raises:
        InputError: if utterances are missing on one side, or their duration is unknown or contradictory; the message
            lists them.
    """
    if durations is None:
        _refuse("in the predictions but not in the references", [n for n in predictions if n not in references])
        _refuse("in the references but not in the predictions", [n for n in references if n not in predictions])
        durations = {}
        for name, reference in references.items():
            known = [side.duration for side in (reference, predictions[name]) if side.duration is not None]
            durations[name] = known[0] if known else math.nan
        _refuse(
            "without a duration in either file; give them with --durations",
            [n for n in durations if math.isnan(durations[n])],
        )
    else:
        sides = [*references, *(name for name in predictions if name not in references)]
        _refuse("that the durations do not name", [name for name in sides if name not in durations])
    contradictory = [
        f"{name} ({side[name].duration} and {seconds} s)"
        for name, seconds in durations.items()
        for side in (references, predictions)
        if name in side and abs((side[name].duration or seconds) - seconds) > DISAGREEMENT
    ]
    _refuse("whose durations contradict each other", contradictory)
    names = list(durations)
    return Pairs(
        names,
        [references[name].segments if name in references else [] for name in names],
        [predictions[name].segments if name in predictions else [] for name in names],
        [float(durations[name]) for name in names],
    )


def _refuse(what: str, names: Sequence[str]) -> None:
    if names:
        raise InputError(f"Utterances {what}: {', '.join(names)}.")
