"""All scores of predictions against references: what `emotion-diarization score` and the reports of training print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frames_sed import InputError
from ..metrics.boundary_quality.borders import quality_of_events
from ..metrics.eder.bootstrap import RESAMPLES
from ..metrics.eder.scoring import find_error_segments, summarize
from ..metrics.emotion_transition_accuracy.transitions import NULL, tabulate
from .calibration import count_by_confidence, reliability_curve
from .clustered_bootstrap import draw_totals, interval
from .notes import notes_of_intervals, notes_of_pairs
from .pairing import Pairs
from .rates import EVENT_F1, OVERLAP_F1, label_rates, rates
from .segment_errors import KINDS, LENGTH
from .utterance_counts import COLLARS, OVERLAPS, Counts, Measured, count_utterances, measure

if TYPE_CHECKING:
    from .tuning import UtterancePosteriors


def score_pairs(
    pairs: Pairs,
    neutral_labels: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    collar: float = 0.0,
    confidence_interval: float | None = None,
    clusters: Sequence[str] | None = None,
    by: str = "utterance",
    frame_scores: Sequence[UtterancePosteriors] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """All scores; docs/metrics.md defines them.

    Args:
        pairs: what to score.
        neutral_labels: labels that mean no emotion.
        labels: the emotions that may occur; others are an error. Default: any emotion.
        collar: seconds on either side of each reference border that EDER and the rates of time leave out.
        confidence_interval: its level, such as 0.95: adds bootstrap intervals.
        clusters: the speaker or recording of each utterance, which the bootstrap draws; default: utterances.
        by: what the clusters are.
        frame_scores: of the same utterances in the same order: adds ``calibration``.
        seed: of the bootstrap.

    Returns:
        What EDER returns, with ``per_utterance``, ``per_label`` and ``durations`` (see metrics/eder); ``transitions``
        (Table 3 of the paper) and ``boundaries`` (see metrics/boundary_quality); and ``frames``, ``segment_f1``,
        ``event_f1``, ``segment_error_rate``, ``emotions``, ``calibration``, ``notes`` and ``names``. The intervals of
        ``confidence_interval`` are NaN for a single utterance, speaker or recording.

    Raises:
        InputError: for bad segments or options, naming the utterance.
    """
    if confidence_interval is not None and not 0 < confidence_interval < 1:
        raise InputError(f"The level of intervals is between 0 and 1, such as 0.95; got {confidence_interval}.")
    measured = measure(pairs, neutral_labels, labels, collar)
    counts = count_utterances(measured)
    if frame_scores is not None:
        counts["calibration"] = np.stack(
            [count_by_confidence(item.posteriors, item.frame_labels) for item in frame_scores]
        )
    neutral = neutral_labels[0] if neutral_labels else NULL
    result = {
        **summarize(measured.errors, neutral, per_utterance=True, per_label=True),
        "transitions": tabulate(measured.sequences),
        "boundaries": quality_of_events(measured.true, measured.predicted, measured.durations),
        **_of_totals(counts, (neutral, *measured.errors.labels)),
        "emotions": _biases(measured),
        "notes": notes_of_pairs(pairs, measured),
        "names": pairs.names,
    }
    if confidence_interval is not None:
        number = len(pairs.names) if clusters is None else len(set(clusters))
        draws = rates(draw_totals(counts, clusters, RESAMPLES, seed))
        result["confidence_interval"] = {
            "level": confidence_interval,
            "by": by,
            "clusters": number,
            **{name: interval(values, confidence_interval, number) for name, values in draws.items()},
        }
        result["notes"] += notes_of_intervals(number, by)
    return result


def _of_totals(counts: Counts, labels: Sequence[str]) -> dict[str, Any]:
    """The parts of the report that are functions of sums; ``labels`` begin with the neutral one."""
    sums = {name: values.sum(axis=0) for name, values in counts.items()}
    found = {name: float(value) for name, value in rates(sums).items()}
    of_label = label_rates(sums)
    reference, predicted = (int(sums[f"{side}_events"]) for side in ("reference", "predicted"))
    seconds = {side: sums[f"{side}_seconds"] for side in ("reference", "predicted")}
    result: dict[str, Any] = {
        "frames": {
            "accuracy": found["frame_accuracy"],
            "macro_f1": found["macro_f1"],
            "unweighted_average_recall": found["unweighted_average_recall"],
            "per_label": {
                label: {name: float(values[index]) for name, values in of_label.items()}
                for index, label in enumerate(labels)
                if seconds["reference"][index] + seconds["predicted"][index] > 0
            },
        },
        "segment_f1": [
            {"overlap": overlap, **_f1(found[OVERLAP_F1.format(overlap)], int(correct), reference, predicted)}
            for overlap, correct in zip(OVERLAPS, sums["events_by_overlap"], strict=True)
        ],
        "event_f1": [
            {"collar": collar, **_f1(found[EVENT_F1.format(collar)], int(correct), reference, predicted)}
            for collar, correct in zip(COLLARS, sums["events_by_collar"], strict=True)
        ],
        "segment_error_rate": {
            "length": LENGTH,
            "error_rate": found["segment_error_rate"],
            **{name: int(count) for name, count in zip(KINDS, sums["segments"], strict=True)},
        },
    }
    if "calibration" in sums:
        curve = reliability_curve(sums["calibration"])
        result["calibration"] = {"expected_calibration_error": found["calibration_error"], "curve": curve}
    return result


def _f1(f1: float, correct: int, reference: int, predicted: int) -> dict[str, Any]:
    return {
        "f1": f1,
        "precision": correct / predicted if predicted else math.nan,
        "recall": correct / reference if reference else math.nan,
        "correct_events": correct,
    }


def _biases(measured: Measured) -> dict[str, dict[str, float]]:
    """Number and seconds of each emotion's events, and how many too many (positive) or too few are predicted."""
    found = {}
    for index, label in enumerate(measured.true.labels):
        sides: dict[str, float] = {}
        for side, events in (("reference", measured.true), ("predicted", measured.predicted)):
            which = events.label == index
            sides[f"{side}_events"] = int(which.sum())
            sides[f"{side}_seconds"] = float((events.end - events.start)[which].sum())
        found[label] = {
            **sides,
            "count_bias": sides["predicted_events"] - sides["reference_events"],
            "duration_bias": sides["predicted_seconds"] - sides["reference_seconds"],
        }
    return found


def worst_utterances(pairs: Pairs, result: Mapping[str, Any], count: int, neutral_labels: Sequence[str]) -> list[dict]:
    """The utterances with the highest EDER, worst first, with their errors: what `plot_errors` draws.

    Returns:
        ``name``, ``duration``, ``eder``, ``reference``, ``prediction`` and ``errors`` (segments labelled by the kind
        of error) each.
    """
    rates = result["per_utterance"]["eder"]
    scored = [index for index, rate in enumerate(rates) if not math.isnan(rate)]
    worst = sorted(scored, key=lambda index: -rates[index])[:count]
    return [
        {
            "name": pairs.names[index],
            "duration": pairs.durations[index],
            "eder": rates[index],
            "reference": pairs.references[index],
            "prediction": pairs.predictions[index],
            "errors": find_error_segments(
                pairs.predictions[index], pairs.references[index], pairs.durations[index], neutral_labels
            ),
        }
        for index in worst
    ]
