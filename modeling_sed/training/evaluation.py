"""Diarizes a split with the model in training, and scores it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset

from ..configuration_sed import SEDConfig
from ..decoding_sed import decode_argmax, merge_frames
from ..metrics.eder.scoring import score_segments
from ..scoring_report import Pairs, score_pairs
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
) -> list[dict[str, Any]]:
    """Diarizes a split, each utterance once, shared between the processes.

    Returns:
        On every process, for each utterance, by their ids: ``id``, ``duration``, ``references`` and ``predictions``
        (segments), and the numbers of its ``frames`` and ``frame_errors``.
    """
    model.eval()
    loader, plan = eval_loader(rows, collator, options, accelerator)
    described = rows.select_columns(["id", "duration", "segments"])
    predictions = []
    for batch, (numbers, counts) in zip(loader, plan, strict=True):
        labels, samples = batch.pop("labels").numpy(), batch["attention_mask"].sum(1).tolist()
        with accelerator.autocast():
            logits = model(**send_to_device(batch, accelerator.device, non_blocking=True)).logits
        posteriors = logits.float().softmax(dim=-1).cpu().numpy()
        if not counts:
            continue
        for row, *frames in zip(described.select(numbers).to_list(), samples, labels, posteriors, strict=True):
            predictions.append(_decode(row, *frames, collator.config))
    return sorted(gather_object(predictions), key=lambda item: item["id"])


def _decode(row: dict[str, Any], samples: int, labels, posteriors, config: SEDConfig) -> dict[str, Any]:
    """Segments of an utterance, from its frames' labels ``(frames,)`` and posteriors ``(frames, labels)``, padded."""
    frames = config.geometry.frame_count(samples)
    decoded = decode_argmax(posteriors[:frames])
    times = config.geometry.frame_times(samples)
    return {
        "id": row["id"],
        "duration": row["duration"],
        "references": row["segments"],
        "predictions": merge_frames(decoded, posteriors[:frames], times, config.labels),
        "frames": frames,
        "frame_errors": int((decoded != labels[:frames]).sum()),
    }


def frame_error_rate(predictions: Sequence[dict[str, Any]]) -> float:
    """Share of all frames whose label is wrong."""
    return sum(item["frame_errors"] for item in predictions) / sum(item["frames"] for item in predictions)


def as_pairs(predictions: Sequence[dict[str, Any]]) -> Pairs:
    """What `predict` returned, for `score_pairs`."""
    columns = ([item[name] for item in predictions] for name in ("id", "references", "predictions", "duration"))
    return Pairs(*columns)


def score(predictions: Sequence[dict[str, Any]], neutral_label: str, majority_emotion: str) -> dict[str, Any]:
    """All scores of a split: the model's, and the error rates of the two answers that need no model."""
    pairs = as_pairs(predictions)
    throughout = [[{"start": 0.0, "end": duration, "label": majority_emotion}] for duration in pairs.durations]
    rates = {}
    for name, answers in (("eder_all_neutral", [[] for _ in throughout]), ("eder_majority", throughout)):
        rates[name] = score_segments(answers, pairs.references, pairs.durations, neutral_label=neutral_label)["eder"]
    scores = score_pairs(pairs, [neutral_label], confidence_interval=CONFIDENCE)
    return {
        **{name: value for name, value in scores.items() if name not in ("per_utterance", "names")},
        **rates,
        "majority_emotion": majority_emotion,
        "frame_error_rate": frame_error_rate(predictions),
    }


def most_frequent_emotion(rows: Dataset, neutral_label: str) -> str:
    """The emotion that lasts longest in a split."""
    seconds: Counter[str] = Counter()
    for segments in rows["segments"]:
        for segment in segments:
            if segment["label"] != neutral_label:
                seconds[segment["label"]] += segment["end"] - segment["start"]
    return max(sorted(seconds), key=seconds.__getitem__)
