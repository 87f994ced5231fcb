"""Trains a Speech Emotion Diarization model with Accelerate, as section 5.2 of arXiv 2306.12991 does by default.

    accelerate launch -m modeling_sed train --dataset DATA --encoder microsoft/wavlm-large --output-dir RUN

DATA is what `emotion-diarization build` writes (or a hub id with the same columns): splits train, validation and
test. The model of the epoch with the lowest validation frame error rate is kept in RUN, where `from_pretrained` and
`pipeline` load it; RUN/results.json and RUN/report.md have the Emotion Diarization Error Rate of the test split
beside those of two trivial answers. --config reads options from a file, by its path or name. In a checkout,
train_sed.py may stand in the place of -m modeling_sed train.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import send_to_device, set_seed
from datasets import Dataset, IterableDataset
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm
from transformers import get_scheduler
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor

from modeling_sed import SEDConfig, SEDForAudioFrameClassification, SpeechEmotionDiarizationPipeline
from modeling_sed.dataset_scripts.errors import InputError as DatasetInputError
from modeling_sed.evaluation import tuning
from modeling_sed.frames_sed import InputError
from modeling_sed.hub.eval_results import EVAL_RESULTS_FILE, write_eval_results
from modeling_sed.hub.model_upload import model_upload
from modeling_sed.modeling_sed import is_labelled
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.augmentation import Augmentation
from modeling_sed.training.batching import grouped
from modeling_sed.training.checkpoints import Checkpoints, Progress
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.command_line import parse_options
from modeling_sed.training.data import audio_folders, batches_in_epoch, fingerprint, load_splits, train_loader
from modeling_sed.training.evaluation import as_pairs, frame_error_rate, most_frequent_emotion, predict, score
from modeling_sed.training.model_card import write_model_card
from modeling_sed.training.model_setup import build_model, parameter_groups, with_weights
from modeling_sed.training.newbob import NewBob
from modeling_sed.training.provenance import provenance
from modeling_sed.training.report import RESULTS_FILE, write_report
from modeling_sed.training.run_folder import RunFolder
from modeling_sed.training.soft_targets import SoftTargets
from modeling_sed.training.trackers import checked_trackers, start_trackers
from modeling_sed.training.weight_average import weight_average


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Reads the options, trains, scores, reports, publishes.

    Raises:
        InputError: if the dataset, the encoder or the options cannot be used.
        SystemExit: with code 2, for bad usage.
    """
    options = parse_options(arguments, __doc__, prog)
    best = train_seeds(options, options.seeds) if options.seeds else train_and_score(options)
    if options.push_to_hub and options.hub_model_id and PartialState().is_main_process:
        folder = of_seed(options, best["options"]["seed"]).output_dir if options.seeds else options.output_dir
        model_upload(folder, options.hub_model_id).push(private=options.hub_private_repo)
    PartialState().destroy_process_group()


def train_seeds(options: TrainingOptions, seeds: Sequence[int]) -> dict[str, Any]:
    """The paper's protocol: one run for each seed, in a folder of its own, and a report of all of them.

    Returns:
        The results of the run that is best by validation.
    """
    folder = RunFolder(options.output_dir)
    with folder.held(options.resume, options.overwrite) if PartialState().is_main_process else nullcontext():
        runs = [train_and_score(of_seed(options, seed)) for seed in seeds]
        if PartialState().is_main_process:
            with folder.replacing_files() as staged:
                write_report(staged, runs)
    return min(runs, key=lambda run: run["best_validation_frame_error_rate"])


def of_seed(options: TrainingOptions, seed: int) -> TrainingOptions:
    """The options of one run of several."""
    folder = Path(options.output_dir)
    name = f"{options.run_name or folder.resolve().name}_seed_{seed}"
    return replace(options, seed=seed, seeds=None, run_name=name, output_dir=str(folder / f"seed_{seed}"))


@dataclass
class Run:
    """Everything that changes while training.

    Attributes:
        accelerator: handles processes, devices and precision.
        model: as the accelerator prepared it.
        average: of its weights, which is validated and saved in its place; or None.
        optimizer: as the accelerator prepared it.
        annealing: NewBob, or None.
        schedule: of the learning rates, by optimiser steps; or None.
        progress: how far training has come.
        checkpoints: of all of these.
    """

    accelerator: Accelerator
    model: torch.nn.Module
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer
    annealing: NewBob | None
    schedule: LRScheduler | None
    progress: Progress
    checkpoints: Checkpoints

    @property
    def evaluated_model(self) -> torch.nn.Module:
        """The model that is validated and saved."""
        return self.average.module if self.average else self.model


def train_and_score(options: TrainingOptions) -> dict[str, Any]:
    """Trains a model, keeps the best epoch in ``output_dir`` and scores it on the test split.

    Returns:
        What is written to results.json.

    Raises:
        InputError: if the dataset, the encoder, a tracker or the options cannot be used.
    """
    trackers = checked_trackers(options.report_to)
    accelerator = Accelerator(
        mixed_precision=options.mixed_precision, log_with=trackers or None, project_dir=options.output_dir
    )
    folder = RunFolder(options.output_dir)
    with folder.held(options.resume, options.overwrite) if accelerator.is_main_process else nullcontext():
        accelerator.wait_for_everyone()  # the main process has found out what is in the folder
        return _train_and_score(accelerator, options)


def _train_and_score(accelerator: Accelerator, options: TrainingOptions) -> dict[str, Any]:
    set_seed(options.seed)
    splits = load_splits(options)
    model, feature_extractor = build_model(options)
    config = model.config
    collator = SEDDataCollator(feature_extractor, config, folders=audio_folders(options.dataset_name))
    train_collator = replace(
        collator,
        augmentation=Augmentation.of_options(options, config.sampling_rate),
        soft_targets=SoftTargets.of_options(options),
    )
    run = start(accelerator, model, splits, options)
    if accelerator.log_with:
        start_trackers(accelerator, options)

    while not is_over(run.progress, options):
        train_one_epoch(run, splits["train"], train_collator, options)
        validate(run, splits["validation"], collator, feature_extractor, options)
        run.checkpoints.save()
    for tracker in accelerator.trackers:
        tracker.finish()

    results = score_best(run, splits, collator, options)
    accelerator.free_memory()
    return results


def score_best(
    run: Run, splits: dict[str, Dataset | IterableDataset], collator: SEDDataCollator, options: TrainingOptions
) -> dict[str, Any]:
    """Fits decoder and temperature of the best epoch's model on validation, scores it on test, and reports.

    Returns:
        What is written to results.json.
    """
    accelerator = run.accelerator
    accelerator.wait_for_everyone()
    best = SEDForAudioFrameClassification.from_pretrained(options.output_dir).to(accelerator.device)
    fitted = tuning.fit(predict(accelerator, best, splits["validation"], collator, options), best.config)
    predictions = predict(accelerator, best, splits["test"], collator, options)
    known = splits["validation"] if isinstance(splits["train"], IterableDataset) else splits["train"]
    results = {
        **score(predictions, best.config, most_frequent_emotion(known, best.config.neutral_label)),
        "decoder": best.config.decoder,
        "tuning": fitted,
        "best_validation_frame_error_rate": run.progress.best_error_rate,
        **provenance(options, splits),
        "num_processes": accelerator.num_processes,
        "history": run.progress.history,
    }
    if accelerator.is_main_process:
        folder = RunFolder(options.output_dir)
        with folder.writing():
            tuning.store(folder.path, best.config)
            folder.remember({EVAL_RESULTS_FILE})
            write_eval_results(folder.path, results)
        with folder.replacing_files() as staged:
            (staged / RESULTS_FILE).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            write_report(staged, [results], as_pairs(predictions, best.config))
            write_model_card(staged, results)
        print_scores(results)
    accelerator.wait_for_everyone()
    return results


def start(
    accelerator: Accelerator,
    model: SEDForAudioFrameClassification,
    splits: dict[str, Dataset | IterableDataset],
    options: TrainingOptions,
) -> Run:
    """Prepares everything for the processes and, if the options say so, resumes an earlier run."""
    optimizer = torch.optim.AdamW(parameter_groups(model, options), weight_decay=options.weight_decay)
    annealing = schedule = None
    if options.lr_scheduler_type == "newbob":
        annealing = NewBob(optimizer, options.improvement_threshold)
    else:
        steps = options.max_steps or options.num_train_epochs * math.ceil(
            batches_in_epoch(splits["train"], options, accelerator.num_processes) / options.gradient_accumulation_steps
        )
        schedule = get_scheduler(options.lr_scheduler_type, optimizer, options.warmup_steps, steps)
    progress = Progress()
    average = weight_average(model, options, accelerator)
    changing = (progress, annealing or schedule, average)
    accelerator.register_for_checkpointing(*(item for item in changing if item is not None))
    model, optimizer = accelerator.prepare(model, optimizer)
    checkpoints = Checkpoints(accelerator, options, progress, fingerprint(splits))
    # processes draw their own dropout; a resumed run has the states of the generators from its checkpoint
    set_seed(options.seed, device_specific=True)
    if checkpoints.begin():
        accelerator.print(f"resuming after epoch {progress.epoch}, step {progress.step}")
    return Run(accelerator, model, average, optimizer, annealing, schedule, progress, checkpoints)


def is_over(progress: Progress, options: TrainingOptions) -> bool:
    """Whether training has reached its number of epochs or steps, or stops early; never within an epoch."""
    patience = options.early_stopping_patience or math.inf
    return progress.batches == 0 and (
        progress.epoch >= options.num_train_epochs
        or progress.step >= (options.max_steps or math.inf)
        or progress.epochs_without_improvement >= patience
    )


def train_one_epoch(
    run: Run, rows: Dataset | IterableDataset, collator: SEDDataCollator, options: TrainingOptions
) -> None:
    """Trains to the end of the epoch, or the last step.

    Every optimiser step minimises the mean over the labelled frames of its global batch, however that is spread over
    processes and accumulation steps.
    """
    accelerator, progress = run.accelerator, run.progress
    loader = train_loader(rows, collator, options, accelerator, progress.epoch, progress.batches)
    total = None if isinstance(rows, IterableDataset) else len(loader) + progress.batches
    bar = tqdm(
        total=total,
        initial=progress.batches,
        desc=f"epoch {progress.epoch + 1}",
        disable=not accelerator.is_main_process,
        leave=False,
    )
    run.model.train()
    for batches in grouped(loader, options.gradient_accumulation_steps):
        if progress.step >= (options.max_steps or math.inf):
            break
        loss, frames, due = train_one_step(run, batches, options)
        progress.step += 1
        progress.batches += len(batches)
        progress.loss += loss
        progress.frames += frames
        progress.samples[0] += sum(int(batch["attention_mask"].sum()) for batch in batches)
        progress.samples[1] += sum(batch["attention_mask"].numel() for batch in batches)
        bar.update(len(batches))
        bar.set_postfix(loss=f"{progress.loss / progress.frames:.4f}")
        accelerator.log({"train/loss": loss / frames, "train/learning_rate": _rates(run)[0]}, step=progress.step)
        if due:
            run.checkpoints.save()
    bar.close()


def train_one_step(
    run: Run, batches: list[dict[str, torch.Tensor]], options: TrainingOptions
) -> tuple[float, int, bool]:
    """One optimiser step on this process' batches.

    Returns:
        The summed loss of the global batch, its number of labelled frames, and whether a checkpoint is due.
    """
    accelerator = run.accelerator
    frames = sum(int(is_labelled(batch["labels"]).sum()) for batch in batches)
    due = run.checkpoints.due and accelerator.is_main_process
    frames, due = accelerator.reduce(torch.tensor([frames, due], device=accelerator.device), "sum").tolist()
    total = 0.0
    for number, batch in enumerate(batches, start=1):
        keep_gradients_local = number < len(batches)
        with accelerator.no_sync(run.model) if keep_gradients_local else nullcontext():
            # distributed training averages the processes' gradients: undone, to leave the sum over the frames
            count = frames / accelerator.num_processes
            batch = send_to_device(batch, accelerator.device, non_blocking=True)
            loss = run.model(**batch, num_items_in_batch=count).loss
            accelerator.backward(loss)
        total += loss.item() * count
    accelerator.clip_grad_norm_(run.model.parameters(), options.max_grad_norm)
    run.optimizer.step()
    if run.average:
        run.average.update_parameters(run.model)
    if run.schedule:
        run.schedule.step()
    run.optimizer.zero_grad()
    total = accelerator.reduce(torch.tensor(total, device=accelerator.device), "sum").item()
    return total, frames, bool(due)


def validate(
    run: Run,
    rows: Dataset,
    collator: SEDDataCollator,
    feature_extractor: SequenceFeatureExtractor,
    options: TrainingOptions,
) -> None:
    """Ends an epoch: measures the validation frame error rate, keeps the best model, anneals."""
    accelerator, progress = run.accelerator, run.progress
    error_rate = frame_error_rate(predict(accelerator, run.evaluated_model, rows, collator, options))
    padding = 1 - progress.samples[0] / progress.samples[1]
    loss = progress.loss / progress.frames
    is_best = error_rate < progress.best_error_rate
    accelerator.print(
        f"epoch {progress.epoch + 1:2d}: train loss {loss:.4f}, validation frame error rate {error_rate:.4f}, "
        f"padding {100 * padding:.1f} %" + (" (best so far)" if is_best else "")
    )
    progress.history.append(
        {
            "epoch": progress.epoch + 1,
            "step": progress.step,
            "train_loss": loss,
            "validation_frame_error_rate": error_rate,
            "learning_rates": _rates(run),
            "padding": padding,
        }
    )
    accelerator.log({"validation/frame_error_rate": error_rate}, step=progress.step)
    progress.epochs_without_improvement = 0 if is_best else progress.epochs_without_improvement + 1
    if is_best:
        progress.best_error_rate = error_rate
        save_model(run, collator.config, feature_extractor, options)
    if run.annealing:
        run.annealing.step(error_rate)
    progress.finish_epoch()


def _rates(run: Run) -> list[float]:
    return [group["lr"] for group in run.optimizer.param_groups]


def save_model(
    run: Run, config: SEDConfig, feature_extractor: SequenceFeatureExtractor, options: TrainingOptions
) -> None:
    """Writes the model so that `from_pretrained` and `pipeline` load it."""
    weights = run.accelerator.get_state_dict(run.evaluated_model)
    if run.accelerator.is_main_process:
        scaling = options.lora_alpha / options.lora_rank if options.lora_rank else 1.0
        model = with_weights(config, weights, scaling)
        with RunFolder(options.output_dir).replacing_files() as staged:
            SpeechEmotionDiarizationPipeline(model=model, feature_extractor=feature_extractor).save_pretrained(staged)


def print_scores(results: dict[str, Any]) -> None:
    """Prints the test split's scores."""
    low, high = results["confidence_interval"]["eder"]
    print("Emotion Diarization Error Rate on the test split (mean over utterances):")
    for name in ("eder", "false_alarm", "missed_emotion", "confusion", "overlap"):
        interval = f"   (95 % interval {100 * low:.2f} to {100 * high:.2f})" if name == "eder" else ""
        print(f"  {name:<18}{100 * results[name]:6.2f} %{interval}")
    print(f"  {'eder, argmax':<18}{100 * results['eder_argmax']:6.2f} %   (the paper's decoder)")
    print(f"  {'all neutral':<18}{100 * results['eder_all_neutral']:6.2f} %   (trivial answer)")
    name = f"all {results['majority_emotion']}"
    print(f"  {name:<18}{100 * results['eder_majority']:6.2f} %   (trivial answer)")


if __name__ == "__main__":
    try:
        main()
    except (InputError, DatasetInputError) as error:
        sys.exit(f"train_sed.py: {error}")
