"""What every rate is made of: seconds and numbers of each utterance, which may be added.

A rate of some utterances is a function of the sums of their counts (see rates.py). So the same function serves for a
test set, and for each draw of a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..frames_sed import InputError
from ..metrics.boundary_quality.borders import OFFSET_RATIO
from ..metrics.boundary_quality.event_matching import match_by_shared_time, match_within_collar
from ..metrics.boundary_quality.events import EventTable, find_events
from ..metrics.eder.scoring import Errors, measure_errors
from ..metrics.eder.segment_table import SegmentError, segments_to_arrow, table_from_arrow
from ..metrics.emotion_transition_accuracy.transitions import sequence_pairs
from .pairing import Pairs
from .segment_errors import count_segment_errors

OVERLAPS = (0.1, 0.25, 0.5)  # intersection over union, as is usual (arXiv 1611.05267)
COLLARS = (0.2, 0.5)  # seconds

Counts = dict[str, np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Predictions beside references, before anything is averaged.

    Attributes:
        errors: seconds of EDER's errors and of each label.
        true: the true events.
        predicted: the predicted events.
        sequences: of emotions, the true one and the predicted one of each utterance.
        durations: ``(utterances,)`` seconds.
    """

    errors: Errors
    true: EventTable
    predicted: EventTable
    sequences: list[tuple[tuple[str, ...], tuple[str, ...]]]
    durations: np.ndarray


def measure(
    pairs: Pairs, neutral_labels: Sequence[str], labels: Sequence[str] | None = None, collar: float = 0.0
) -> Measured:
    """Compares predictions with references.

    Args:
        pairs: both.
        neutral_labels: labels that mean no emotion.
        labels: the emotions that may occur; others are an error. Default: any emotion.
        collar: seconds on either side of each reference border that EDER and the rates of time leave out. Events and
            sequences are those of whole utterances.

    Raises:
        InputError: for bad segments or options, naming the utterance.
    """
    arguments = (pairs.predictions, pairs.references, pairs.durations)
    try:
        predicted, true = (
            table_from_arrow(segments_to_arrow(segments, pairs.names, side))
            for segments, side in ((pairs.predictions, "predictions"), (pairs.references, "references"))
        )
        errors = measure_errors(
            predicted,
            true,
            pairs.durations,
            names=pairs.names,
            neutral_label=neutral_labels,
            labels=labels,
            collar=collar,
            per_label=True,
        )
    except SegmentError as error:
        raise InputError(str(error)) from error
    predicted_events, true_events = find_events(*arguments, neutral_labels)
    return Measured(
        errors,
        true_events,
        predicted_events,
        sequence_pairs(*arguments, neutral_labels),
        np.asarray(pairs.durations, dtype=np.float64),
    )


def count_utterances(measured: Measured) -> Counts:
    """Seconds and numbers of each utterance, ``(utterances, ...)``, which `rates` understands."""
    errors, true, predicted = measured.errors, measured.true, measured.predicted
    utterances = len(measured.durations)

    def number(events: np.ndarray) -> np.ndarray:
        return np.bincount(events, minlength=utterances)

    return {
        "utterances": np.ones(utterances),
        "scored_utterances": errors.scored > 0,
        "error_rates": np.nan_to_num(errors.rates),
        "error_seconds": errors.seconds,
        "seconds": errors.scored,
        **dict(zip(("reference_seconds", "predicted_seconds", "right_seconds"), errors.of_labels, strict=True)),
        "reference_events": number(true.utterance),
        "predicted_events": number(predicted.utterance),
        "events_by_overlap": np.stack(
            [number(true.utterance[match_by_shared_time(true, predicted, overlap)]) for overlap in OVERLAPS], axis=1
        ),
        "events_by_collar": np.stack(
            [number(true.utterance[match_within_collar(true, predicted, collar, OFFSET_RATIO)]) for collar in COLLARS],
            axis=1,
        ),
        "segments": count_segment_errors(true, predicted, measured.durations),
        "right_sequences": np.array([truth == answer for truth, answer in measured.sequences], dtype=bool),
    }
