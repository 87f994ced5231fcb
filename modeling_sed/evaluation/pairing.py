"""Pairs annotations with predictions of the same utterances, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..annotations.annotation import Annotation
from ..annotations.times import DISAGREEMENT, cut_ends
from ..frames_sed import InputError, Segment

ROUNDING = 1e-3  # seconds: tools write durations with three decimals


@dataclass(frozen=True)
class Pairs:
    """References and predictions of the same utterances, in the same order.

    Attributes:
        names: of the utterances.
        references: segments of each utterance.
        predictions: segments of each utterance.
        durations: of the utterances, in seconds.
        missing_references: how many utterances are not in the references.
        missing_predictions: how many are not in the predictions.
        different_durations: of how many utterances a side tells another duration, by more than `ROUNDING`.
    """

    names: list[str]
    references: list[list[Segment]]
    predictions: list[list[Segment]]
    durations: list[float]
    missing_references: int = 0
    missing_predictions: int = 0
    different_durations: int = 0


def pair_annotations(
    references: Mapping[str, Annotation],
    predictions: Mapping[str, Annotation],
    durations: Mapping[str, float] | None = None,
) -> Pairs:
    """Finds each utterance's reference, prediction and duration; cuts what rounding moved past the end (`cut_ends`).

    Args:
        references: by name.
        predictions: by name.
        durations: seconds by name. If given, they overrule those of the sides, their names are those of the
            utterances, and an utterance that is missing on one side has no emotion there, since formats such as RTTM
            have no other way to say so. If None, both sides must name the same utterances, and one of them must give
            the durations.

    Raises:
        InputError: if utterances are missing on one side, or their duration is unknown or contradictory; the message
            lists them.
    """
    if durations is None:
        _refuse("in the predictions but not in the references", [n for n in predictions if n not in references])
        _refuse("in the references but not in the predictions", [n for n in references if n not in predictions])
        durations = _durations(references, predictions)
    else:
        sides = [*references, *(name for name in predictions if name not in references)]
        _refuse("that the durations do not name", [name for name in sides if name not in durations])
    names = list(durations)
    seconds = [float(durations[name]) for name in names]
    true, found = (
        [side[name].segments if name in side else [] for name in names] for side in (references, predictions)
    )
    return Pairs(
        names,
        cut_ends(true, seconds),
        found,
        seconds,
        missing_references=sum(name not in references for name in names),
        missing_predictions=sum(name not in predictions for name in names),
        different_durations=sum(
            any(round(abs(told - used), 6) > ROUNDING for told in _told(name, references, predictions))
            for name, used in zip(names, seconds, strict=True)
        ),
    )


def _durations(references: Mapping[str, Annotation], predictions: Mapping[str, Annotation]) -> dict[str, float]:
    """The durations that the sides tell, those of the references first."""
    told = {name: _told(name, references, predictions) for name in references}
    _refuse("without a duration in either file; give them with --durations", [n for n in told if not told[n]])
    contradictory = [
        f"{name} ({' and '.join(map(str, known))} s)"
        for name, known in told.items()
        if max(known) - min(known) > DISAGREEMENT
    ]
    _refuse("whose durations contradict each other; --durations overrules both", contradictory)
    return {name: known[0] for name, known in told.items()}


def _told(name: str, *sides: Mapping[str, Annotation]) -> list[float]:
    """What the sides say of an utterance's duration."""
    told = [side[name].duration for side in sides if name in side]
    return [duration for duration in told if duration is not None]


def _refuse(what: str, names: Sequence[str]) -> None:
    if names:
        raise InputError(f"Utterances {what}: {', '.join(names)}.")
