"""Boundary quality as an `evaluate` module; its definition is in borders and event_matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import evaluate

# evaluate.load carries along the files that this one imports, and not what those import in turn: all are named here
from .borders import boundary_quality
from .event_matching import match_within_collar
from .events import find_events

_DESCRIPTION = """\
Boundary quality of emotion segments: absolute errors of onsets and offsets in seconds, and event-based F1.
"""

_CITATION = """\
@article{mesaros2016metrics,
  title = {Metrics for Polyphonic Sound Event Detection},
  author = {Mesaros, Annamaria and Heittola, Toni and Virtanen, Tuomas},
  journal = {Applied Sciences},
  volume = {6},
  number = {6},
  year = {2016},
}
"""

_INPUTS = """\
Args:
    predictions: for each utterance its predicted segments, {"start": seconds, "end": seconds, "label": name}, in any
        order; neutral ones may be left out.
    references: the same, of the truth.
    durations: of the utterances, in seconds.
    tolerance: seconds by which an event's onset and offset may be off. Default: 0.2.
    offset_ratio: share of a reference event's length by which its offset may be off, if that is more. Default: 0.2.
    neutral_label: the label that means no emotion, or a list of several. Default: "neutral".
Returns:
    f1, precision, recall: of events over all utterances; reference_events, predicted_events, correct_events.
    onset, offset: median, percentile_90 (seconds), within_0.1, within_0.2, within_0.5 (shares) and count, over the
        borders inside utterances of those reference events that overlap a predicted event of their label
        (overlapped_events).
Examples:
    >>> quality = evaluate.load("metrics/boundary_quality")
    >>> result = quality.compute(
    ...     predictions=[[{"start": 1.25, "end": 4.0, "label": "sad"}]],
    ...     references=[[{"start": 1.0, "end": 4.0, "label": "sad"}]],
    ...     durations=[4.0],
    ... )
    >>> result["onset"]["median"], result["f1"]
    (0.25, 0.0)
"""


class BoundaryQuality(evaluate.Metric):
    """Errors of onsets and offsets, and event-based F1."""

    def _info(self) -> evaluate.MetricInfo:
        segments = [
            {"start": datasets.Value("float64"), "end": datasets.Value("float64"), "label": datasets.Value("string")}
        ]
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": segments, "references": segments, "durations": datasets.Value("float64")}
            ),
        )

    def _compute(
        self,
        predictions: Sequence[Sequence[Mapping[str, Any]]],
        references: Sequence[Sequence[Mapping[str, Any]]],
        durations: Sequence[float],
        **options: Any,
    ) -> dict[str, Any]:
        return boundary_quality(predictions, references, durations, **options)
