"""Trains a Speech Emotion Diarization model with Accelerate, as section 5.2 of arXiv 2306.12991 does by default.

    accelerate launch train_sed.py --dataset DATA --encoder microsoft/wavlm-large --output_dir RUN

DATA is what dataset_scripts/sed.py writes (or a hub id with the same columns): splits train, validation and test. The
epoch with the lowest validation frame error rate is kept in RUN, where `from_pretrained` and `pipeline` open it;
RUN/results.json holds the test split's Emotion Diarization Error Rate beside those of the two trivial answers.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import math
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from datasets import Dataset, DatasetDict, load_dataset, load_from_disk
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import (
    AutoFeatureExtractor,
    FeatureExtractionMixin,
    HfArgumentParser,
    Wav2Vec2FeatureExtractor,
    get_scheduler,
)

from modeling_sed import SEDConfig, SEDForAudioFrameClassification, SpeechEmotionDiarizationPipeline
from modeling_sed.collation import FrameLabelCollator
from modeling_sed.decoding_sed import decode_argmax, merge_frames
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.newbob import NewBob

SPLITS = ("train", "validation", "test")
NAMED_SCHEDULES = ("linear", "cosine", "constant_with_warmup")  # of transformers


@dataclass
class Arguments:
    """Options of train_sed.py. The defaults are the paper's recipe (section 5.2)."""

    dataset: str = field(metadata={"help": "Folder written by dataset_scripts/sed.py, or a dataset's hub id."})
    encoder: str = field(
        metadata={
            "help": "Hub id or folder of a pretrained wavlm, wav2vec2 or hubert encoder, "
            "or a .json file with the configuration of one that is trained from scratch."
        }
    )
    output_dir: str = field(metadata={"help": "Folder for the best epoch's model and results.json."})
    labels: list[str] = field(
        default_factory=lambda: ["neutral", "happy", "sad", "angry"],
        metadata={"help": "Label names, in the order of the classifier's outputs; 'neutral' among them."},
    )
    use_weighted_layer_sum: bool = field(
        default=False, metadata={"help": "Classify a learnt weighted sum of all layers instead of the last one."}
    )
    normalize_encoder_output: bool = field(
        default=True, metadata={"help": "Layer norm over all frames and features of an utterance, before the head."}
    )
    classifier_bias: bool = field(default=False, metadata={"help": "Give the linear classifier a bias."})
    freeze_feature_encoder: bool | None = field(
        default=None,
        metadata={"help": "Keep the encoder's convolutions fixed. Default: if they are pretrained."},
    )
    num_train_epochs: int = field(default=15, metadata={"help": "Passes over the train split."})
    train_batch_size: int = field(default=2, metadata={"help": "Utterances in a batch of one process."})
    eval_batch_size: int = field(default=8, metadata={"help": "The same, for validation and test."})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "Batches in one optimiser step."})
    encoder_learning_rate: float = field(default=1e-5, metadata={"help": "Of the encoder, at the start."})
    head_learning_rate: float = field(default=1e-4, metadata={"help": "Of the classifier, at the start."})
    lr_scheduler: str = field(
        default="newbob",
        metadata={"help": "newbob (anneals after epochs that bring too little), " + ", ".join(NAMED_SCHEDULES) + "."},
    )
    warmup_steps: int = field(
        default=0, metadata={"help": "Optimiser steps over which the learning rates rise from 0 (not with newbob)."}
    )
    encoder_annealing_factor: float = field(default=0.9, metadata={"help": "NewBob's factor for the encoder."})
    head_annealing_factor: float = field(default=0.8, metadata={"help": "NewBob's factor for the classifier."})
    improvement_threshold: float = field(
        default=0.0025, metadata={"help": "Anneal when the frame error rate improves by less, relatively."}
    )
    weight_decay: float = field(default=0.0, metadata={"help": "Of AdamW; 0 is Adam."})
    max_grad_norm: float = field(default=5.0, metadata={"help": "Clip the gradient to this norm."})
    num_workers: int = field(default=0, metadata={"help": "Processes that decode audio, per training process."})
    seed: int = field(default=0, metadata={"help": "For initial weights, order and dropout."})

    def __post_init__(self):
        for name in ("num_train_epochs", "train_batch_size", "eval_batch_size", "gradient_accumulation_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1; got {getattr(self, name)}.")
        if self.lr_scheduler not in ("newbob", *NAMED_SCHEDULES):
            raise ValueError(
                f"--lr_scheduler is newbob or one of {', '.join(NAMED_SCHEDULES)}; got {self.lr_scheduler!r}."
            )
        if self.lr_scheduler == "newbob" and self.warmup_steps:
            raise ValueError("--warmup_steps needs another --lr_scheduler than newbob.")


def main() -> None:
    """Reads the command line, trains, scores."""
    try:
        (arguments,) = HfArgumentParser(Arguments, description=__doc__).parse_args_into_dataclasses()
        train_and_score(arguments)
    except (ValueError, OSError) as error:
        sys.exit(f"train_sed.py: {error}")


def train_and_score(arguments: Arguments) -> dict[str, Any]:
    """Trains a model, keeps the best epoch in ``output_dir`` and scores it on the test split.

    Returns:
        What is written to results.json.

    Raises:
        ValueError: if the dataset or the encoder cannot be used.
        OSError: if there is no such dataset or encoder.
    """
    accelerator = Accelerator()
    set_seed(arguments.seed)
    splits = load_splits(arguments.dataset, arguments.labels)
    model, feature_extractor = build_model(arguments)
    collator = FrameLabelCollator(feature_extractor, model.config)

    optimizer = torch.optim.AdamW(parameter_groups(model, arguments), weight_decay=arguments.weight_decay)
    train_loader = make_train_loader(splits["train"], collator, arguments)
    model, prepared_optimizer, train_loader = accelerator.prepare(model, optimizer, train_loader)
    annealing = NewBob(optimizer, arguments.improvement_threshold) if arguments.lr_scheduler == "newbob" else None
    schedule = None if annealing else make_schedule(optimizer, len(train_loader), arguments)
    trained = accelerator.unwrap_model(model)

    best_error_rate, history = math.inf, []
    for epoch in range(arguments.num_train_epochs):
        train_loader.set_epoch(epoch)
        loss = train_one_epoch(accelerator, model, prepared_optimizer, schedule, train_loader, arguments, epoch)
        predictions = predict(accelerator, trained, splits["validation"], collator, arguments)
        error_rate = frame_error_rate(predictions)
        history.append(
            {
                "epoch": epoch + 1,
                "train_loss": loss,
                "validation_frame_error_rate": error_rate,
                "learning_rates": [group["lr"] for group in optimizer.param_groups],
            }
        )
        accelerator.print(
            f"epoch {epoch + 1:2d}: train loss {loss:.4f}, validation frame error rate {error_rate:.4f}"
            + (" (best so far)" if error_rate < best_error_rate else "")
        )
        if error_rate < best_error_rate:
            best_error_rate = error_rate
            if accelerator.is_main_process:
                pipeline = SpeechEmotionDiarizationPipeline(model=trained, feature_extractor=feature_extractor)
                pipeline.save_pretrained(arguments.output_dir)
        if annealing:
            annealing.step(error_rate)

    accelerator.wait_for_everyone()
    best = SEDForAudioFrameClassification.from_pretrained(arguments.output_dir).to(accelerator.device)
    predictions = predict(accelerator, best, splits["test"], collator, arguments)
    results = {
        **score(predictions, most_frequent_emotion(splits["train"], best.config.neutral_label)),
        "test_frame_error_rate": frame_error_rate(predictions),
        "best_validation_frame_error_rate": best_error_rate,
        "arguments": asdict(arguments),
        "num_processes": accelerator.num_processes,
        "history": history,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "transformers", "accelerate", "datasets")},
        },
    }
    if accelerator.is_main_process:
        Path(arguments.output_dir, "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        report(results)
    return results


def load_splits(dataset: str, labels: list[str]) -> DatasetDict:
    """The train, validation and test splits; their labels are among ``labels``."""
    splits = load_from_disk(dataset) if Path(dataset).is_dir() else load_dataset(dataset)
    missing = [split for split in SPLITS if not isinstance(splits, DatasetDict) or not len(splits.get(split, []))]
    if missing:
        raise ValueError(f"{dataset}: no utterances in the split(s) {', '.join(missing)}.")
    for split in SPLITS:
        found = {segment["label"] for segments in splits[split]["segments"] for segment in segments}
        if unknown := sorted(found - set(labels)):
            raise ValueError(
                f"{dataset}: the {split} split has the label(s) {', '.join(unknown)}, "
                f"which the model does not know: its labels are {', '.join(labels)}."
            )
    return splits


def build_model(arguments: Arguments) -> tuple[SEDForAudioFrameClassification, FeatureExtractionMixin]:
    """A new classifier on a pretrained or fresh encoder, and what prepares waveforms for it."""
    names = ("labels", "use_weighted_layer_sum", "normalize_encoder_output", "classifier_bias")
    options = {name: getattr(arguments, name) for name in names}
    feature_extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    from_scratch = arguments.encoder.endswith(".json")
    if from_scratch:
        encoder_config = json.loads(Path(arguments.encoder).read_text(encoding="utf-8"))
        model = SEDForAudioFrameClassification(SEDConfig(encoder_config=encoder_config, **options))
    else:
        model = SEDForAudioFrameClassification.from_encoder(arguments.encoder, **options)
        with contextlib.suppress(OSError):  # some checkpoints lack one
            feature_extractor = AutoFeatureExtractor.from_pretrained(arguments.encoder, return_attention_mask=True)
    freeze = arguments.freeze_feature_encoder
    if freeze or (freeze is None and not from_scratch):
        model.freeze_feature_encoder()
    return model, feature_extractor


def parameter_groups(model: SEDForAudioFrameClassification, arguments: Arguments) -> list[dict[str, Any]]:
    """The encoder's and the classifier's parameters, each with its learning rate and annealing factor."""
    encoder = [parameter for parameter in model.encoder.parameters() if parameter.requires_grad]
    inside_encoder = {id(parameter) for parameter in model.encoder.parameters()}
    head = [parameter for parameter in model.parameters() if id(parameter) not in inside_encoder]
    return [
        {
            "params": encoder,
            "lr": arguments.encoder_learning_rate,
            "annealing_factor": arguments.encoder_annealing_factor,
        },
        {
            "params": head,
            "lr": arguments.head_learning_rate,
            "annealing_factor": arguments.head_annealing_factor,
        },
    ]


def make_schedule(optimizer: torch.optim.Optimizer, batches: int, arguments: Arguments) -> LRScheduler:
    """A schedule over all optimiser steps, of epochs with so many batches a process."""
    steps = arguments.num_train_epochs * math.ceil(batches / arguments.gradient_accumulation_steps)
    return get_scheduler(arguments.lr_scheduler, optimizer, arguments.warmup_steps, steps)


def make_train_loader(dataset: Dataset, collator: FrameLabelCollator, arguments: Arguments) -> DataLoader:
    """Batches of the train split in an order that depends on the seed and the epoch alone."""
    generator = torch.Generator().manual_seed(arguments.seed)
    return DataLoader(
        dataset,
        batch_size=arguments.train_batch_size,
        shuffle=True,
        generator=generator,
        collate_fn=collator,
        num_workers=arguments.num_workers,
    )


def train_one_epoch(
    accelerator: Accelerator,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler | None,
    loader: DataLoader,
    arguments: Arguments,
    epoch: int,
) -> float:
    """Trains for one epoch; returns the mean negative log-likelihood of its frames.

    Every optimiser step minimises the mean over the labelled frames of its global batch, however that is spread over
    processes and accumulation steps.
    """
    model.train()
    total_loss, total_frames = 0.0, 0
    progress = tqdm(total=len(loader), desc=f"epoch {epoch + 1}", disable=not accelerator.is_main_process, leave=False)
    for batches in grouped(loader, arguments.gradient_accumulation_steps):
        frames = sum((batch["labels"] >= 0).sum() for batch in batches)
        frames = accelerator.reduce(frames, "sum").item()
        for number, batch in enumerate(batches, start=1):
            keep_gradients_local = number < len(batches)
            with accelerator.no_sync(model) if keep_gradients_local else contextlib.nullcontext():
                # distributed training averages the processes' gradients: undone, to leave the sum over the frames
                loss = model(**batch, num_items_in_batch=frames / accelerator.num_processes).loss
                accelerator.backward(loss)
            total_loss += loss.item() * frames / accelerator.num_processes
            progress.update()
        accelerator.clip_grad_norm_(model.parameters(), arguments.max_grad_norm)
        optimizer.step()
        if schedule:
            schedule.step()
        optimizer.zero_grad()
        total_frames += frames
        progress.set_postfix(loss=f"{total_loss * accelerator.num_processes / total_frames:.4f}")
    progress.close()
    total_loss = accelerator.reduce(torch.tensor(total_loss, device=accelerator.device), "sum").item()
    return total_loss / total_frames


@torch.inference_mode()
def predict(
    accelerator: Accelerator,
    model: SEDForAudioFrameClassification,
    dataset: Dataset,
    collator: FrameLabelCollator,
    arguments: Arguments,
) -> list[dict[str, Any]]:
    """Diarizes a split, each utterance once, shared between the processes.

    Returns:
        On every process, for each utterance: ``id``, ``duration``, ``references`` and ``predictions`` (segments), and
        the numbers of its ``frames`` and ``frame_errors``.
    """
    model.eval()
    config, geometry = model.config, model.config.geometry
    # by duration: utterances of a batch are of similar length, and so are the processes' shares
    dataset = dataset.select(np.argsort(dataset["duration"], kind="stable"))
    share = dataset.select(range(accelerator.process_index, len(dataset), accelerator.num_processes))
    predictions = []
    for start in range(0, len(share), arguments.eval_batch_size):
        rows = share.select(range(start, min(start + arguments.eval_batch_size, len(share)))).to_list()
        batch = {name: tensor.to(accelerator.device) for name, tensor in collator(rows).items()}
        labels = batch.pop("labels").cpu().numpy()
        with accelerator.autocast():
            logits = model(**batch).logits
        posteriors = logits.float().softmax(dim=-1).cpu().numpy()
        for row, samples, target, posterior in zip(
            rows, batch["attention_mask"].sum(1).tolist(), labels, posteriors, strict=True
        ):
            frames = geometry.frame_count(samples)
            decoded = decode_argmax(posterior[:frames])
            predictions.append(
                {
                    "id": row["id"],
                    "duration": row["duration"],
                    "references": row["segments"],
                    "predictions": merge_frames(
                        decoded, posterior[:frames], geometry.frame_times(samples), config.labels
                    ),
                    "frames": frames,
                    "frame_errors": int((decoded != target[:frames]).sum()),
                }
            )
    return gather_object(predictions)


def frame_error_rate(predictions: list[dict[str, Any]]) -> float:
    """Share of all frames whose label is wrong."""
    return sum(item["frame_errors"] for item in predictions) / sum(item["frames"] for item in predictions)


def score(predictions: list[dict[str, Any]], majority_emotion: str) -> dict[str, Any]:
    """Emotion Diarization Error Rates: the model's, and those of the two answers that need no model."""
    durations = [item["duration"] for item in predictions]
    references = [item["references"] for item in predictions]
    throughout = [[{"start": 0.0, "end": duration, "label": majority_emotion}] for duration in durations]
    return {
        **score_segments([item["predictions"] for item in predictions], references, durations),
        "eder_all_neutral": score_segments([[] for _ in durations], references, durations)["eder"],
        "eder_majority": score_segments(throughout, references, durations)["eder"],
        "majority_emotion": majority_emotion,
    }


def most_frequent_emotion(dataset: Dataset, neutral_label: str) -> str:
    """The emotion that lasts longest in a split."""
    seconds: Counter[str] = Counter()
    for segments in dataset["segments"]:
        for segment in segments:
            if segment["label"] != neutral_label:
                seconds[segment["label"]] += segment["end"] - segment["start"]
    return max(sorted(seconds), key=seconds.__getitem__)


def report(results: dict[str, Any]) -> None:
    """Prints the test split's scores."""
    print("Emotion Diarization Error Rate on the test split (mean over utterances):")
    for name in ("eder", "false_alarm", "missed_emotion", "confusion", "overlap"):
        print(f"  {name:<18}{100 * results[name]:6.2f} %")
    print(f"  {'all neutral':<18}{100 * results['eder_all_neutral']:6.2f} %   (trivial answer)")
    name = f"all {results['majority_emotion']}"
    print(f"  {name:<18}{100 * results['eder_majority']:6.2f} %   (trivial answer)")


def grouped(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of ``size`` consecutive items; the last may be shorter."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


if __name__ == "__main__":
    main()
