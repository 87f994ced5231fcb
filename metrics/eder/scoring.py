"""Scores predicted segments against reference segments: EDER, its components, and what is reported beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bootstrap import confidence_intervals
from .error_durations import (
    COMPONENTS,
    cut_into_pieces,
    error_durations,
    find_errors,
    label_durations,
    shared_durations,
    with_labels,
)
from .segment_table import (
    ROUNDING,
    SegmentError,
    Segments,
    SegmentTable,
    check_durations,
    check_segments,
    name_of,
    segments_to_arrow,
    table_from_arrow,
)

BLOCK = 1 << 12  # utterances scored at a time: bounds the memory, and fits into the processor's cache


@dataclass(frozen=True)
class Errors:
    """Errors of every utterance.

    Attributes:
        seconds: ``(utterances, 4)``, in the order of `COMPONENTS`.
        scored: ``(utterances,)`` seconds that are scored: the duration less the collars. 0 where these leave nothing:
            such an utterance counts nowhere.
        has_label: boolean ``(labels, utterances)``, whether the reference has the emotion.
        shared: ``(1 + labels, 1 + labels)`` seconds, reference by prediction, no emotion first; zeros unless asked for.
        of_labels: ``(3, utterances, 1 + labels)`` seconds, no emotion first: in the reference, in the prediction, in
            both at once; zeros unless asked for.
        labels: the emotions.
    """

    seconds: np.ndarray
    scored: np.ndarray
    has_label: np.ndarray
    shared: np.ndarray
    of_labels: np.ndarray
    labels: tuple[str, ...]

    @property
    def rates(self) -> np.ndarray:
        """``(utterances, 4)``, errors over scored seconds; NaN where nothing is scored."""
        with np.errstate(invalid="ignore"):
            return self.seconds / self.scored[:, None]


def score_segments(
    predictions: Sequence[Segments],
    references: Sequence[Segments],
    durations: Sequence[float],
    *,
    names: Sequence[str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """EDER of predicted segments, without `evaluate`.

    Args:
        predictions: for each utterance its segments: ``{"start": seconds, "end": seconds, "label": name}`` in any
            order; overlaps are allowed, neutral ones may be left out. Ends past the duration are cut.
        references: the same, of the truth.
        durations: of the utterances, in seconds.
        names: what messages call the utterances; default: their numbers, from 0.
        options: see `score_tables`.

    Returns:
        See `score_tables`.

    Raises:
        SegmentError: for invalid input, naming the utterance and the value.
    """
    if not len(predictions) == len(references) == len(durations):
        raise SegmentError(
            "predictions, references and durations must have one entry for each utterance; "
            f"got {len(predictions)}, {len(references)} and {len(durations)}."
        )
    return score_tables(
        table_from_arrow(segments_to_arrow(predictions, names, "predictions")),
        table_from_arrow(segments_to_arrow(references, names, "references")),
        durations,
        names=names,
        **options,
    )


def score_tables(
    predictions: SegmentTable,
    references: SegmentTable,
    durations: Sequence[float],
    *,
    names: Sequence[str] | None = None,
    neutral_label: str | Sequence[str] = "neutral",
    labels: Sequence[str] | None = None,
    collar: float = 0.0,
    per_utterance: bool = False,
    per_label: bool = False,
    confidence_interval: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """EDER and its components (Eq. 1 of arXiv 2306.12991).

    Args:
        predictions: predicted segments, as read.
        references: reference segments, as read.
        durations: ``(utterances,)`` seconds.
        names: what messages call the utterances; default: their numbers, from 0.
        neutral_label: the label that means no emotion, or several such.
        labels: the emotions that may occur; others are an error. Default: any emotion.
        collar: seconds on either side of each reference border that are not scored.
        per_utterance: adds ``per_utterance``: a list of each rate and the scored seconds, in the order of the input.
        per_label: adds ``per_label``, for each reference emotion the scores over the utterances that have it, and
            ``durations``, the seconds of each pair of reference and predicted label.
        confidence_interval: its level, such as 0.95: adds ``confidence_interval`` (bootstrap over utterances).
        seed: of the bootstrap.

    Returns:
        ``eder`` (the mean over utterances, as in the paper) with its components ``false_alarm``, ``missed_emotion``,
        ``confusion`` and ``overlap``, which add up to it; the same five with ``_by_duration`` (all errors over all
        durations); ``utterances`` (their number) and ``hours`` (scored); ``unscored``, the number of utterances of
        which the collar leaves nothing, if there are any: they count nowhere, and their own rates are NaN; and what was
        asked for.

    Raises:
        SegmentError: for invalid input, naming the utterance and the value.
    """
    _check_level(confidence_interval)
    errors = measure_errors(
        predictions,
        references,
        durations,
        names=names,
        neutral_label=neutral_label,
        labels=labels,
        collar=collar,
        per_label=per_label,
    )
    neutral = _as_tuple(neutral_label)
    result = summarize(errors, neutral[0] if neutral else "", per_utterance, per_label)
    if confidence_interval is not None:
        scored = errors.scored > 0
        result["confidence_interval"] = confidence_intervals(
            errors.seconds[scored].sum(axis=1), errors.scored[scored], confidence_interval, seed=seed
        )
    return result


def summarize(errors: Errors, neutral_label: str, per_utterance: bool, per_label: bool) -> dict[str, Any]:
    """What `score_tables` returns but the intervals, of errors that are measured already."""
    scored = errors.scored > 0
    result: dict[str, Any] = _averages(errors, scored)
    if not scored.all():
        result["unscored"] = int((~scored).sum())
    if per_utterance:
        rates = errors.rates
        columns = {"eder": _sum(rates), **dict(zip(COMPONENTS, rates.T, strict=True)), "seconds": errors.scored}
        result["per_utterance"] = {name: column.tolist() for name, column in columns.items()}
    if per_label:
        result["per_label"] = {
            label: _averages(errors, has_label & scored)
            for label, has_label in zip(errors.labels, errors.has_label, strict=True)
            if (has_label & scored).any()
        }
        rows = [neutral_label, *errors.labels]
        result["durations"] = {
            reference: dict(zip(rows, row.tolist(), strict=True))
            for reference, row in zip(rows, errors.shared, strict=True)
        }
    return result


def measure_errors(
    predictions: SegmentTable,
    references: SegmentTable,
    durations: Sequence[float],
    *,
    names: Sequence[str] | None = None,
    neutral_label: str | Sequence[str] = "neutral",
    labels: Sequence[str] | None = None,
    collar: float = 0.0,
    per_label: bool = False,
) -> Errors:
    """Seconds of every kind of error in every utterance; the arguments are those of `score_tables`.

    Raises:
        SegmentError: for invalid input, naming the utterance and the value, or if the collar leaves nothing to score.
    """
    if not 0 <= collar < np.inf:
        raise SegmentError(f"collar must be a number of seconds, at least 0; got {collar}.")
    neutral = _as_tuple(neutral_label)
    seconds = check_durations(durations, names)
    predictions = check_segments(predictions, seconds, names, "predictions", neutral, labels)
    references = check_segments(references, seconds, names, "references", neutral, labels)
    errors = _collect_errors(predictions, references, seconds, collar, per_label)
    if not errors.scored.any():
        raise SegmentError(
            f"{name_of(names, 0)}: a collar of {collar} s leaves nothing to score of its {seconds[0]} s."
        )
    return errors


def find_error_segments(
    prediction: Segments, reference: Segments, duration: float, neutral_label: str | Sequence[str] = "neutral"
) -> list[dict[str, Any]]:
    """Where in one utterance which error is.

    Returns:
        ``{"start": seconds, "end": seconds, "label": one of COMPONENTS}`` each, in the order of time.

    Raises:
        SegmentError: for invalid input, see `score_segments`.
    """
    seconds, neutral = check_durations([duration], None), _as_tuple(neutral_label)
    predicted, true = (
        check_segments(table_from_arrow(segments_to_arrow([segments])), seconds, None, side, neutral, None)
        for segments, side in ((prediction, "predictions"), (reference, "references"))
    )
    labels = tuple(sorted({*predicted.labels, *true.labels}))
    pieces = cut_into_pieces(with_labels(predicted, labels), with_labels(true, labels), seconds)
    segments: list[dict[str, Any]] = []
    for start, end, kinds in zip(pieces.start.tolist(), pieces.end.tolist(), find_errors(pieces).T, strict=True):
        if not kinds.any():
            continue
        label = COMPONENTS[kinds.argmax()]
        if segments and segments[-1]["label"] == label and segments[-1]["end"] == start:
            segments[-1]["end"] = end
        else:
            segments.append({"start": start, "end": end, "label": label})
    return segments


def _as_tuple(neutral_label: str | Sequence[str]) -> tuple[str, ...]:
    return (neutral_label,) if isinstance(neutral_label, str) else tuple(neutral_label)


def _check_level(level: float | None) -> None:
    if level is not None and not 0 < level < 1:
        raise SegmentError(f"confidence_interval is a level between 0 and 1, such as 0.95; got {level}.")


def _collect_errors(
    predictions: SegmentTable, references: SegmentTable, durations: np.ndarray, collar: float, per_label: bool
) -> Errors:
    labels = tuple(sorted({*predictions.labels, *references.labels}))
    predictions, references = with_labels(predictions, labels), with_labels(references, labels)
    has_label = np.zeros((len(labels), len(durations)), dtype=bool)
    has_label[references.label, references.utterance] = True
    seconds, scored = np.empty((len(durations), len(COMPONENTS))), durations.copy()
    shared = np.zeros((1 + len(labels), 1 + len(labels)))
    of_labels = np.zeros((3, len(durations), 1 + len(labels)))
    for first in range(0, len(durations), BLOCK):
        block = slice(first, min(first + BLOCK, len(durations)))
        predicted, true = (table.of_utterances(block.start, block.stop) for table in (predictions, references))
        count = block.stop - block.start
        pieces = cut_into_pieces(predicted, true, durations[block], collar)
        seconds[block] = error_durations(pieces, count)
        if collar:
            scored[block] = np.bincount(pieces.utterance, pieces.seconds, minlength=count)
        if per_label:
            shared += shared_durations(pieces)
            of_labels[:, block] = label_durations(pieces, count)
    # the borders of collars are sums of times: what they leave between them may be no more than their rounding
    unscored = scored <= (ROUNDING if collar else 0.0)
    seconds[unscored], scored[unscored], of_labels[:, unscored] = 0.0, 0.0, 0.0
    return Errors(seconds, scored, has_label, shared, of_labels, labels)


def _averages(errors: Errors, which: np.ndarray) -> dict[str, Any]:
    """Both averages over the utterances of a boolean ``(utterances,)``, all of them scored."""
    seconds, scored = errors.seconds[which], errors.scored[which]
    result = {}
    for suffix, components in (
        ("", (seconds / scored[:, None]).mean(axis=0)),
        ("_by_duration", seconds.sum(axis=0) / scored.sum()),
    ):
        result["eder" + suffix] = float(_sum(components))
        result |= {name + suffix: float(value) for name, value in zip(COMPONENTS, components, strict=True)}
    return {**result, "utterances": len(scored), "hours": float(scored.sum() / 3600)}


def _sum(components: np.ndarray) -> np.ndarray:
    """EDER ``(...)`` of its components ``(..., 4)``: at most 1, whatever the last bits of their sum."""
    return np.minimum(components.sum(axis=-1), 1.0)
