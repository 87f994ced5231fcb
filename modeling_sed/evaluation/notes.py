"""What a reader of scores must know before comparing them: one sentence for each, with counts."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from ..metrics.boundary_quality.events import EventTable
from ..metrics.eder.segment_table import ROUNDING
from .pairing import Pairs
from .utterance_counts import Measured

FEWEST_CLUSTERS = 20  # with fewer, percentile intervals are too narrow (docs/metrics.md)


class Note(TypedDict):
    """``about`` is a name for programs, ``count`` how many utterances, labels or clusters, ``text`` a sentence."""

    about: str
    count: int
    text: str


def notes_of_pairs(pairs: Pairs, measured: Measured) -> list[Note]:
    """What is unusual in references and predictions."""
    total = len(pairs.names)
    overlapping = measured.errors.of_labels[0].sum(axis=1) > measured.errors.scored + ROUNDING
    last = np.array([max((one["end"] for one in segments), default=0.0) for segments in pairs.predictions])
    counted = {
        "all_neutral_references": (
            total - len(np.unique(measured.true.utterance)),
            "references have no emotion: all errors there are false alarms",
        ),
        "all_neutral_predictions": (
            total - len(np.unique(measured.predicted.utterance)),
            "predictions have no emotion",
        ),
        "overlapping_references": (
            int(overlapping.sum()),
            "references have emotions that overlap: one that is not found beside another counts as missed",
        ),
        "missing_references": (
            pairs.missing_references,
            "utterances are not in the references and count as without emotion there",
        ),
        "missing_predictions": (
            pairs.missing_predictions,
            "utterances are not in the predictions and count as without emotion there",
        ),
        "different_durations": (
            pairs.different_durations,
            "utterances do not last as long in both files, or as --durations says: one duration was used for both",
        ),
        "unscored_utterances": (
            int((measured.errors.scored == 0).sum()),
            "utterances have nothing left beside the collar: they count in no rate of time",
        ),
        "cut_predictions": (
            int((last > measured.durations + ROUNDING).sum()),
            "predictions reach past the end of their utterance and were cut there",
        ),
    }
    notes: list[Note] = [
        {"about": about, "count": count, "text": f"{count} of {total} {text}."}
        for about, (count, text) in counted.items()
        if count
    ]
    return [*_one_sided_labels(measured.true, measured.predicted), *notes]


def _one_sided_labels(true: EventTable, predicted: EventTable) -> list[Note]:
    events = {
        side: np.bincount(table.label, minlength=len(true.labels))
        for side, table in (("references", true), ("predictions", predicted))
    }
    notes: list[Note] = []
    for side, other in (("references", "predictions"), ("predictions", "references")):
        only = np.flatnonzero((events[side] > 0) & (events[other] == 0))
        if len(only):
            listed = ", ".join(f"{true.labels[label]} ({events[side][label]} event(s))" for label in only)
            notes.append(
                {"about": f"labels_only_in_{side}", "count": len(only), "text": f"Only in the {side}: {listed}."}
            )
    return notes


def notes_of_intervals(clusters: int, by: str) -> list[Note]:
    """What is unusual in intervals; ``by`` says what the ``clusters`` are: utterances, speakers, recordings."""
    if clusters == 1:
        text = f"There is no interval: one {by} does not tell how much others would differ."
        return [{"about": "single_cluster", "count": 1, "text": text}]
    if clusters < FEWEST_CLUSTERS:
        text = f"Intervals by {clusters} {by}s are too narrow; from about {FEWEST_CLUSTERS} on they are what they say."
        return [{"about": "few_clusters", "count": clusters, "text": text}]
    return []
