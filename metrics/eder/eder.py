"""Emotion Diarization Error Rate as an `evaluate` module; the definition and its mathematics are in error_durations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import pyarrow

# evaluate.load carries along the files that this one imports, and not what those import in turn: all are named here
from .bootstrap import compare_systems
from .error_durations import COMPONENTS
from .frame_labels import segments_from_frames
from .scoring import score_tables
from .segment_table import Segments, check_durations, segments_to_arrow, table_from_arrow

_DESCRIPTION = """\
Emotion Diarization Error Rate (EDER): the share of an utterance's duration in which the predicted emotions are wrong,
averaged over utterances. It is the sum of false alarm, missed emotion, confusion and overlap.
"""

_CITATION = """\
@inproceedings{wang2023speech,
  title = {Speech Emotion Diarization: Which Emotion Appears When?},
  author = {Wang, Yingzhi and Ravanelli, Mirco and Yacoubi, Alya},
  booktitle = {IEEE Automatic Speech Recognition and Understanding Workshop (ASRU)},
  year = {2023},
  url = {https://arxiv.org/abs/2306.12991},
}
"""

_INPUTS = """\
Args:
    predictions: for each utterance its predicted segments, {"start": seconds, "end": seconds, "label": name}, in any
        order; overlaps are allowed, neutral ones may be left out. Ends past the duration are cut.
    references: the same, of the truth.
    durations: of the utterances, in seconds.
    neutral_label: the label that means no emotion, or a list of several. Default: "neutral".
    labels: the emotions that may occur; others are an error. Default: any emotion.
    collar: seconds on either side of each reference border that are not scored. Default: 0.
    per_utterance: whether to add the rates of each utterance.
    per_label: whether to add the rates over the utterances of each emotion, and the durations of all confusions.
    confidence_interval: its level, such as 0.95: adds bootstrap intervals.
    seed: of the bootstrap.
Returns:
    eder, false_alarm, missed_emotion, confusion, overlap: means over utterances; the last four add up to the first.
    eder_by_duration, false_alarm_by_duration, ...: all errors over all durations.
    utterances, hours: how much was scored.
Examples:
    >>> eder = evaluate.load("metrics/eder")
    >>> result = eder.compute(
    ...     predictions=[[{"start": 0.0, "end": 1.5, "label": "happy"}]],
    ...     references=[[{"start": 0.5, "end": 2.0, "label": "happy"}]],
    ...     durations=[4.0],
    ... )
    >>> result["eder"], result["false_alarm"], result["missed_emotion"]
    (0.25, 0.125, 0.125)
"""


class Eder(evaluate.Metric):
    """Emotion Diarization Error Rate (Eq. 1 of arXiv 2306.12991)."""

    components = COMPONENTS
    compare_systems = staticmethod(compare_systems)
    segments_from_frames = staticmethod(segments_from_frames)

    def _info(self) -> evaluate.MetricInfo:
        segments = [
            {
                "start": datasets.Value("float64"),
                "end": datasets.Value("float64"),
                "label": datasets.Value("string"),
            }
        ]
        info = evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": segments, "references": segments, "durations": datasets.Value("float64")}
            ),
            reference_urls=["https://arxiv.org/abs/2306.12991"],
        )
        info.format = "arrow"  # `_compute` gets columns; the constructor allows formats for plain values only
        return info

    def add_batch(
        self,
        *,
        predictions: Sequence[Segments] | None = None,
        references: Sequence[Segments] | None = None,
        **kwargs: Any,
    ) -> None:
        """Adds utterances; the arguments are those of `compute`.

        Segments are converted to Arrow columns: datasets' own encoding, value by value, would take most of the time,
        and raise a bare KeyError for a segment without a label.

        Raises:
            ValueError: if the three lists differ in length or contain something other than segments and durations.
        """
        durations = kwargs.pop("durations", None)
        if kwargs:
            raise ValueError(f"eder takes predictions, references and durations; got {', '.join(kwargs)}.")
        columns: dict[str, Any] = {"predictions": predictions, "references": references, "durations": durations}
        if missing := [name for name, column in columns.items() if column is None]:
            raise ValueError(f"eder needs {', '.join(missing)}.")
        for name, column in columns.items():
            if not hasattr(column, "__len__"):
                raise ValueError(f"{name} must be a list with one entry for each utterance; got {column!r}.")
        if len({len(column) for column in columns.values()}) > 1:
            lengths = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
            raise ValueError(f"Each utterance needs its predictions, references and duration; got {lengths}.")
        table = pyarrow.table(
            {
                "predictions": segments_to_arrow(columns["predictions"], side="predictions"),
                "references": segments_to_arrow(columns["references"], side="references"),
                "durations": pyarrow.array(check_durations(durations, None)),
            }
        )
        if self.writer is None:
            self.selected_feature_format = self.features
            self._init_writer()
        self.writer.write_table(table)

    def add(self, *, prediction: Segments | None = None, reference: Segments | None = None, **kwargs: Any) -> None:
        """Adds one utterance: its ``prediction``, ``reference`` and ``duration`` (or ``durations``, as in `add_batch`).

        Raises:
            ValueError: see `add_batch`.
        """
        duration = kwargs.pop("duration", kwargs.pop("durations", None))
        given: dict[str, Any] = {"prediction": prediction, "reference": reference, "duration": duration}
        if missing := [name for name, value in given.items() if value is None]:
            raise ValueError(f"eder needs {', '.join(missing)}.")
        self.add_batch(
            predictions=[given["prediction"]], references=[given["reference"]], durations=[given["duration"]], **kwargs
        )

    def _compute(
        self,
        predictions: pyarrow.ChunkedArray,
        references: pyarrow.ChunkedArray,
        durations: pyarrow.ChunkedArray,
        **options: Any,
    ) -> dict[str, Any]:
        return score_tables(
            table_from_arrow(predictions), table_from_arrow(references), durations.to_numpy(), **options
        )
