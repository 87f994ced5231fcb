"""A model's predictions for a split, and their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset
from scipy.special import softmax
from transformers import EvalPrediction

from ..annotations.annotation import Annotation
from ..annotations.dataset_rows import as_segments
from ..configuration_sed import SEDConfig
from ..evaluation.json_values import without_nan
from ..evaluation.pairing import Pairs
from ..evaluation.report import score_pairs
from ..evaluation.tuning import UtterancePosteriors, decode_utterances
from ..frames_sed import merge_frames
from ..metrics.eder.error_durations import COMPONENTS
from ..metrics.eder.scoring import score_segments
from ..modeling_sed import IGNORED_LABEL
from .arguments import TrainingOptions
from .collation import SEDDataCollator
from .data import eval_loader

CONFIDENCE = 0.95


@torch.no_grad()  # not inference_mode: sharded models keep buffers from here to the next training step
def predict(
    accelerator: Accelerator,
    model: torch.nn.Module,
    rows: Dataset,
    collator: SEDDataCollator,
    options: TrainingOptions,
) -> list[UtterancePosteriors]:
    """The posteriors of a split, each utterance once; the processes share the work.

    Returns:
        All utterances, in the order of their names, on every process.
    """
    model.eval()
    loader, plan = eval_loader(rows, collator, options, accelerator)
    described = rows.select_columns(["name", "duration", "segments"])
    utterances = []
    for batch, (numbers, counts) in zip(loader, plan, strict=True):
        labels = batch.pop("labels").numpy()
        with accelerator.autocast():
            logits = model(**send_to_device(batch, accelerator.device, non_blocking=True)).logits
        posteriors = logits.float().softmax(dim=-1).cpu().numpy()
        if not counts:
            continue
        for row, true, found in zip(described.select(numbers).to_list(), labels, posteriors, strict=True):
            utterances.append(_unpadded(row, true, found, collator.config))
    return sorted(gather_object(utterances), key=lambda item: item.annotation.name)


def _unpadded(
    row: dict[str, Any], labels: np.ndarray, posteriors: np.ndarray, config: SEDConfig
) -> UtterancePosteriors:
    frames = int((labels != IGNORED_LABEL).sum())
    return UtterancePosteriors(
        Annotation(row["name"], as_segments(row["segments"]), row["duration"]),
        posteriors[:frames].copy(),
        labels[:frames].copy(),
        np.append(np.arange(frames) * config.geometry.hop / config.sampling_rate, row["duration"]),
    )


def frame_error_rate(utterances: Sequence[UtterancePosteriors]) -> float:
    """Share of all frames whose most probable label is wrong."""
    wrong = [item.posteriors.argmax(axis=1) != item.frame_labels for item in utterances]
    return float(np.concatenate(wrong).mean())


def as_pairs(utterances: Sequence[UtterancePosteriors], config: SEDConfig) -> Pairs:
    """What `predict` returned, decoded as the model's configuration says, for `score_pairs`."""
    truth = [item.annotation for item in utterances]
    found = decode_utterances(utterances, config, config.decoder, config.posterior_temperature)
    names, segments, durations = zip(*((item.name, item.segments, item.duration) for item in truth), strict=True)
    return Pairs(list(names), list(segments), found, list(durations))


def score(utterances: Sequence[UtterancePosteriors], config: SEDConfig, majority_emotion: str) -> dict[str, Any]:
    """All scores of a split: those of the model, and the EDER of the paper's decoder and of two trivial answers."""
    neutral_label = config.neutral_label
    pairs = as_pairs(utterances, config)
    throughout = [[{"start": 0.0, "end": duration, "label": majority_emotion}] for duration in pairs.durations]
    rates = {}
    for name, answers in (
        ("eder_argmax", decode_utterances(utterances, config, "argmax")),
        ("eder_all_neutral", [[] for _ in throughout]),
        ("eder_majority", throughout),
    ):
        rates[name] = score_segments(answers, pairs.references, pairs.durations, neutral_label=neutral_label)["eder"]
    scores = score_pairs(pairs, [neutral_label], confidence_interval=CONFIDENCE)
    interval = scores.pop("confidence_interval")
    return {
        **{name: without_nan(value) for name, value in scores.items() if name not in ("per_utterance", "names")},
        "confidence_interval": interval,  # numbers in any case, as the reports print them
        **rates,
        "majority_emotion": majority_emotion,
        "frame_error_rate": frame_error_rate(utterances),
    }


def eder_metrics(config: SEDConfig) -> Callable[[EvalPrediction], dict[str, float]]:
    """EDER for ``Trainer(compute_metrics=eder_metrics(model.config))``, with batches of `SEDDataCollator`.

    A Trainer hands on the labels of frames instead of segments, so the true borders are those of frames: what
    train_sed.py reports may differ by some of 20 ms a border. Decoder and temperature are those of ``config``.

    Args:
        config: of the model.

    Returns:
        A function of logits ``(utterances, frames, labels)`` and labels ``(utterances, frames)``, -100 where there is
        none, that returns ``eder``, its components, and ``frame_error_rate``.
    """

    def compute_metrics(found: EvalPrediction) -> dict[str, float]:
        logits = found.predictions[0] if isinstance(found.predictions, tuple) else found.predictions
        utterances = [
            _of_frames(labels[counts], softmax(scores[counts], axis=-1), config)
            for scores, labels in zip(logits, np.asarray(found.label_ids), strict=True)
            if (counts := labels != IGNORED_LABEL).any()
        ]
        pairs = as_pairs(utterances, config)
        scores = score_segments(
            pairs.predictions, pairs.references, pairs.durations, neutral_label=config.neutral_label
        )
        rates = {name: float(scores[name]) for name in ("eder", *COMPONENTS)}
        return {**rates, "frame_error_rate": frame_error_rate(utterances)}

    return compute_metrics


def _of_frames(labels: np.ndarray, posteriors: np.ndarray, config: SEDConfig) -> UtterancePosteriors:
    """An utterance of which only frames are known: its true segments are runs of equal labels."""
    times = np.arange(len(labels) + 1) * config.geometry.hop / config.sampling_rate
    segments = merge_frames(labels, np.eye(len(config.labels))[labels], times, config.labels)
    return UtterancePosteriors(Annotation("", segments, float(times[-1])), posteriors, labels, times)


def most_frequent_emotion(rows: Dataset, neutral_label: str) -> str:
    """The emotion that lasts longest in a split."""
    seconds: Counter[str] = Counter()
    for segments in rows["segments"]:
        for segment in as_segments(segments):
            if segment["label"] != neutral_label:
                seconds[segment["label"]] += segment["end"] - segment["start"]
    return max(sorted(seconds), key=seconds.__getitem__)
