"""Rates of the sums of counts: of a test set ``(...)``, and of each draw of a bootstrap ``(resamples, ...)``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .calibration import calibration_error
from .utterance_counts import COLLARS, OVERLAPS

# What tables call the rates.
EVENT_F1, OVERLAP_F1 = "event_f1_at_{:g}_s", "segment_f1_at_{:g}"
TITLES = {
    "eder": "EDER",
    "eder_by_duration": "EDER by duration",
    "frame_accuracy": "frame accuracy",
    "macro_f1": "frame macro F1",
    "unweighted_average_recall": "unweighted average recall",
    **{OVERLAP_F1.format(overlap): f"segment F1, overlap {overlap:g}" for overlap in OVERLAPS},
    **{EVENT_F1.format(collar): f"event F1, collar {collar:g} s" for collar in COLLARS},
    "segment_error_rate": "segment error rate, 1 s",
    "transition_accuracy": "transition accuracy",
    "calibration_error": "calibration error",
}


def is_share(name: str) -> bool:
    """Whether a rate is a part of a whole, from 0 to 1. Segments may have more errors than emotions."""
    return name != "segment_error_rate"


def rates(sums: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All rates that are functions of sums, in the order of `TITLES`; NaN where there is nothing that they are of.

    Args:
        sums: of what `count_utterances` returns, over utterances; with ``calibration``, of `count_by_confidence`, where
            frames have probabilities.

    Returns:
        By name, with the leading dimensions of the sums.
    """
    label = label_rates(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_duration = np.minimum(sums["error_seconds"].sum(axis=-1) / sums["seconds"], 1.0)
        found = {
            "eder": np.minimum(sums["error_rates"].sum(axis=-1) / sums["scored_utterances"], 1.0),
            "eder_by_duration": by_duration,
            "frame_accuracy": 1 - by_duration,
            "macro_f1": _mean_of_known(label["f1"]),
            "unweighted_average_recall": _mean_of_known(label["recall"]),
        }
        events = sums["reference_events"] + sums["predicted_events"]
        for index, overlap in enumerate(OVERLAPS):
            found[OVERLAP_F1.format(overlap)] = 2 * sums["events_by_overlap"][..., index] / events
        for index, collar in enumerate(COLLARS):
            found[EVENT_F1.format(collar)] = 2 * sums["events_by_collar"][..., index] / events
        active, errors = sums["segments"][..., 0], sums["segments"][..., 1:].sum(axis=-1)
        found["segment_error_rate"] = errors / np.where(active > 0, active, np.nan)
        found["transition_accuracy"] = sums["right_sequences"] / sums["utterances"]
        if "calibration" in sums:
            found["calibration_error"] = calibration_error(sums["calibration"])
    return found


def label_rates(sums: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``precision``, ``recall`` and ``f1`` of the time of each label, ``(..., 1 + labels)``, neutral first.

    Recall is NaN for a label that the reference does not have, precision for one that is not predicted, and F1 for one
    that is in neither.
    """
    right, reference, predicted = (sums[f"{side}_seconds"] for side in ("right", "reference", "predicted"))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "precision": right / predicted,
            "recall": right / reference,
            "f1": 2 * right / (reference + predicted),
        }
    return {name: np.minimum(values, 1.0) for name, values in found.items()}


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    """The mean over the last axis of what is not NaN."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=-1) / known.sum(axis=-1)
