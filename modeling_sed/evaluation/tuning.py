"""Fits decoder and temperature of a model on utterances that it was not trained on: validation, never test.

Decoders are compared by EDER, over the grids below; none of them assumes how many events a recording has, since the
model will be used on other recordings than those it was tuned on. (Where each recording is known to have one event,
name the decoder "events".) The grids are coarse, as validation splits have few speakers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from datasets import Dataset
from tqdm.auto import tqdm

from ..annotations.annotation import Annotation
from ..annotations.dataset_rows import as_segments, row_audio
from ..configuration_sed import SEDConfig
from ..decoding_sed import segments_of, temper
from ..disk.replacing import replacing
from ..frames_sed import Segment
from ..metrics.eder.scoring import score_segments
from ..pipeline_sed import SpeechEmotionDiarizationPipeline
from .calibration import BINS, calibration_error, count_by_confidence

GRIDS: dict[str, dict[str, Sequence[float]]] = {
    "argmax": {},
    "threshold": {"threshold": (0.4, 0.5, 0.6, 0.7, 0.8)},
    "median": {"duration": (0.25, 0.5, 1.0, 1.5, 2.0)},
    "hysteresis": {"onset": (0.5, 0.6, 0.7, 0.8, 0.9), "offset": (0.2, 0.3, 0.4, 0.5)},
    "minimum_duration": {"duration": (0.25, 0.5, 1.0, 1.5, 2.0)},
    "total_variation": {"strength": (0.1, 0.25, 0.5, 1.0, 2.0)},
    "semi_markov": {
        "transition_cost": (5.0, 10.0, 20.0, 40.0, 80.0),
        "minimum_duration": (0.0, 0.5, 1.0, 1.5),
    },
}
TEMPERATURES = (0.2, 20.0)  # the least and the greatest


@dataclass(frozen=True)
class UtterancePosteriors:
    """Posteriors of the frames of an utterance, and the true labels.

    Attributes:
        annotation: the true segments, with name and duration.
        posteriors: ``(frames, labels)``, before any temperature.
        frame_labels: ``(frames,)``, the true labels.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
    """

    annotation: Annotation
    posteriors: np.ndarray
    frame_labels: np.ndarray
    frame_times: np.ndarray


class TunedDecoder(TypedDict):
    """A decoder with its best parameters, as `decode` takes it, and the EDER that it gives."""

    decoder: dict[str, Any]
    eder: float


def decode_utterances(
    utterances: Sequence[UtterancePosteriors],
    config: SEDConfig,
    decoder: str | Mapping[str, Any] | None = None,
    temperature: float = 1.0,
) -> list[list[Segment]]:
    """Predicted segments of utterances.

    Args:
        utterances: with the posteriors to decode.
        config: of the model, for its labels.
        decoder: as `decode` takes it.
        temperature: as `temper` takes it.
    """
    return [
        segments_of(
            temper(item.posteriors, temperature), item.frame_times, config.labels, config.neutral_label, decoder
        )
        for item in utterances
    ]


def posteriors_of(
    pipeline: SpeechEmotionDiarizationPipeline, rows: Dataset, folders: Sequence[Path | str] = ()
) -> list[UtterancePosteriors]:
    """A model's posteriors for a split.

    Args:
        pipeline: with the model.
        rows: with the columns ``name``, ``audio``, ``segments`` and, if it is known, ``duration``.
        folders: where files that rows name have to be, as `row_audio` takes them.
    """
    config = pipeline.model.config
    found = pipeline(
        (row_audio(row["audio"], folders) for row in rows), return_scores=True, temperature=1.0, batch_size="auto"
    )
    utterances = []
    for row, scores in zip(rows.remove_columns("audio"), tqdm(found, total=len(rows), unit="utterance"), strict=True):
        segments, duration = as_segments(row["segments"]), float(scores["frame_times"][-1])
        samples = round(duration * config.geometry.sampling_rate)
        utterances.append(
            UtterancePosteriors(
                Annotation(row["name"], segments, row.get("duration", duration)),
                scores["posteriors"],
                config.geometry.rasterize(segments, samples, config.labels, config.neutral_label),
                scores["frame_times"],
            )
        )
    return utterances


def fit_temperature(utterances: Sequence[UtterancePosteriors]) -> float:
    """The temperature that maximises the mean logarithm of the true labels' posteriors.

    Args:
        utterances: with posteriors and true labels.
    """
    posteriors = np.concatenate([item.posteriors for item in utterances])
    labels = np.concatenate([item.frame_labels for item in utterances])

    def loss(logarithm: float) -> float:
        true = temper(posteriors, math.exp(logarithm))[np.arange(len(labels)), labels]
        return -float(np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())

    low, high = map(math.log, TEMPERATURES)
    while high - low > 1e-3:  # the loss falls, and then rises
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return round(math.exp((low + high) / 2), 4)


def expected_calibration_error(
    utterances: Sequence[UtterancePosteriors], temperature: float = 1.0, bins: int = BINS
) -> float:
    """How far the probability of frames' most probable labels is from the share of them that are right.

    See calibration.py.

    Args:
        utterances: with posteriors and true labels.
        temperature: as `temper` takes it.
        bins: number of bins.
    """
    posteriors = temper(np.concatenate([item.posteriors for item in utterances]), temperature)
    labels = np.concatenate([item.frame_labels for item in utterances])
    return float(calibration_error(count_by_confidence(posteriors, labels, bins)))


def tune_decoder(
    utterances: Sequence[UtterancePosteriors], config: SEDConfig, temperature: float, names: Sequence[str] | None = None
) -> dict[str, TunedDecoder]:
    """The best parameters of each decoder.

    Args:
        utterances: with posteriors and true segments.
        config: of the model.
        temperature: as `temper` takes it.
        names: of decoders; one that is not in `GRIDS` is tried with its default parameters. Default: all of `GRIDS`.

    Returns:
        By name; the best of all decoders comes first.
    """
    references = [item.annotation.segments for item in utterances]
    durations = [item.annotation.duration for item in utterances]

    def eder(decoder: Mapping[str, Any]) -> float:
        found = decode_utterances(utterances, config, decoder, temperature)
        return score_segments(found, references, durations, neutral_label=config.neutral_label)["eder"]

    best = {}
    for name in names or GRIDS:
        tried: list[TunedDecoder] = [{"decoder": decoder, "eder": eder(decoder)} for decoder in _candidates(name)]
        best[name] = min(tried, key=lambda result: result["eder"])
    return dict(sorted(best.items(), key=lambda item: item[1]["eder"]))


def fit(
    utterances: Sequence[UtterancePosteriors], config: SEDConfig, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Fits the temperature, then the decoder, and sets both in ``config``.

    Args:
        utterances: with posteriors and the truth.
        config: of the model.
        names: as `tune_decoder` takes them.

    Returns:
        ``temperature``, ``calibration_error`` before and after, and ``decoders`` as `tune_decoder` returns them.
    """
    temperature = fit_temperature(utterances)
    decoders = tune_decoder(utterances, config, temperature, names)
    config.posterior_temperature, config.decoder = temperature, next(iter(decoders.values()))["decoder"]
    return {
        "temperature": temperature,
        "calibration_error": {
            "before": expected_calibration_error(utterances),
            "after": expected_calibration_error(utterances, temperature),
        },
        "decoders": decoders,
    }


def store(folder: Path, config: SEDConfig) -> None:
    """Writes the decoder and the temperature of ``config`` to the config.json of a model's folder."""
    path = Path(folder) / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored.update(decoder=config.decoder, posterior_temperature=config.posterior_temperature)
    with replacing(path) as file:
        file.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _candidates(name: str) -> Iterator[dict[str, Any]]:
    grid = GRIDS.get(name, {})
    for values in product(*grid.values()):
        yield {"name": name, **dict(zip(grid, values, strict=True))}
