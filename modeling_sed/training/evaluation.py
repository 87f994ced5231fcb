"""A model's predictions for a split, and their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset

from ..annotations.annotation import Annotation
from ..annotations.dataset_rows import as_segments
from ..configuration_sed import SEDConfig
from ..evaluation.json_values import without_nan
from ..evaluation.pairing import Pairs
from ..evaluation.report import score_pairs
from ..evaluation.tuning import UtterancePosteriors, decode_utterances
from ..metrics.eder.scoring import score_segments
from ..modeling_sed import IGNORED_LABEL
from .arguments import TrainingOptions
from .collation import FrameLabelCollator
from .data import eval_loader

CONFIDENCE = 0.95


@torch.no_grad()  # not inference_mode: sharded models keep buffers from here to the next training step
def predict(
    accelerator: Accelerator,
    model: torch.nn.Module,
    rows: Dataset,
    collator: FrameLabelCollator,
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


def most_frequent_emotion(rows: Dataset, neutral_label: str) -> str:
    """The emotion that lasts longest in a split."""
    seconds: Counter[str] = Counter()
    for segments in rows["segments"]:
        for segment in as_segments(segments):
            if segment["label"] != neutral_label:
                seconds[segment["label"]] += segment["end"] - segment["start"]
    return max(sorted(seconds), key=seconds.__getitem__)
