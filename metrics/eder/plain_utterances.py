"""The usual case of EDER, several times as fast: utterances in which no side has two emotions at a time.

There, the errors follow from the lengths of segments and from what each reference segment shares with each predicted
one: nothing needs to be sorted or cut. What is shared is right where the labels are equal and confusion where they
differ; the rest of the prediction is false alarm, the rest of the reference is missed; there is no overlap error.
`error_durations.py` has the definition, for all utterances.
"""

from __future__ import annotations

import numpy as np

from .segment_table import SegmentTable

FEW = 16  # segments that one of the two sides may have: with more, comparing all with all would cost more than sorting


def find_plain(predictions: SegmentTable, references: SegmentTable, utterances: int) -> np.ndarray:
    """Whether an utterance is of the usual case: its segments are in order, and those of a side are apart.

    Args:
        predictions: checked segments.
        references: checked segments.
        utterances: how many there are.

    Returns:
        Boolean ``(utterances,)``.
    """
    counts = [np.bincount(table.utterance, minlength=utterances) for table in (predictions, references)]
    plain = np.minimum(*counts) <= FEW
    for table in (predictions, references):
        neighbours = table.utterance[1:] == table.utterance[:-1]
        plain[table.utterance[1:][neighbours & (table.start[1:] < table.end[:-1])]] = False
    return plain


def plain_error_durations(predictions: SegmentTable, references: SegmentTable, utterances: int) -> np.ndarray:
    """Seconds of each error in each utterance, all of which are of the usual case.

    Args:
        predictions: checked segments.
        references: checked segments, with the same ``labels``.
        utterances: how many there are.

    Returns:
        ``(utterances, 4)``, in the order of `error_durations.COMPONENTS`.
    """
    predictions, references = _fuse(predictions), _fuse(references)
    # all pairs of a reference and a predicted segment of the same utterance
    counts = np.bincount(predictions.utterance, minlength=utterances)
    partners = counts[references.utterance]
    reference = np.repeat(np.arange(len(partners)), partners)
    number = np.arange(len(reference)) - np.repeat(np.cumsum(partners) - partners, partners)
    utterance = references.utterance[reference]
    prediction = (np.cumsum(counts) - counts)[utterance] + number

    shared = np.minimum(references.end[reference], predictions.end[prediction])
    shared -= np.maximum(references.start[reference], predictions.start[prediction])
    shared = shared.clip(min=0)
    differs = references.label[reference] != predictions.label[prediction]

    def total(table_utterance: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        return np.bincount(table_utterance, seconds, minlength=utterances)

    both = total(utterance, shared)
    false_alarm = total(predictions.utterance, predictions.end - predictions.start) - both
    missed = total(references.utterance, references.end - references.start) - both
    confusion = total(utterance[differs], shared[differs])
    errors = np.stack([false_alarm, missed, confusion, np.zeros(utterances)], axis=1)
    return errors.clip(min=0)  # differences of sums may fall below by the last bits


def _fuse(table: SegmentTable) -> SegmentTable:
    """The same annotation with touching segments of one label made one: how it is written must not change a bit."""
    touching = (table.utterance[1:] == table.utterance[:-1]) & (table.label[1:] == table.label[:-1])
    touching &= table.start[1:] == table.end[:-1]
    if not touching.any():
        return table
    first, last = np.concatenate([[True], ~touching]), np.concatenate([~touching, [True]])
    return SegmentTable(table.utterance[first], table.start[first], table.end[last], table.label[first], table.labels)
