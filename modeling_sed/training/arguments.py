"""Options of train_sed.py: from the command line, a YAML file, or both."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml
from transformers import HfArgumentParser

NAMED_SCHEDULES = ("linear", "cosine", "constant_with_warmup")  # of transformers


@dataclass
class TrainingOptions:
    """Options of train_sed.py. The defaults are the paper's recipe (section 5.2 of arXiv 2306.12991)."""

    dataset: str = field(
        metadata={
            "help": "Folder written by dataset_scripts/sed.py; a dataset's hub id; or a .yaml file with options of the "
            "builder, whose train split is then rendered while it trains. '{seed}' in it stands for the seed."
        }
    )
    encoder: str = field(
        metadata={
            "help": "Hub id or folder of a pretrained wavlm, wav2vec2 or hubert encoder, "
            "or a .json file with the configuration of one that is trained from scratch."
        }
    )
    output_dir: str = field(metadata={"help": "Folder for the best epoch's model, results.json and report.md."})
    labels: list[str] = field(
        default_factory=lambda: ["neutral", "happy", "sad", "angry"],
        metadata={"help": "Label names, in the order of the classifier's outputs; 'neutral' among them."},
    )
    streaming: bool = field(
        default=False,
        metadata={"help": "Read the train split while training, without a copy of a hub dataset on disk."},
    )
    # the model
    use_weighted_layer_sum: bool = field(
        default=False, metadata={"help": "Classify a learnt weighted sum of all layers instead of the last one."}
    )
    normalize_encoder_output: bool = field(
        default=True, metadata={"help": "Layer norm over all frames and features of an utterance, before the head."}
    )
    classifier_bias: bool = field(default=False, metadata={"help": "Give the linear classifier a bias."})
    initialize_head: bool = field(
        default=False,
        metadata={"help": "The encoder is an emotion classifier of transformers: begin with its head, too."},
    )
    freeze_feature_encoder: bool | None = field(
        default=None, metadata={"help": "Keep the encoder's convolutions fixed. Default: if they are pretrained."}
    )
    train_last_layers: int | None = field(
        default=None, metadata={"help": "Train only so many of the encoder's last transformer layers, and the head."}
    )
    lora_rank: int | None = field(
        default=None, metadata={"help": "Train low-rank adapters of this rank (needs peft), and the head."}
    )
    lora_alpha: int = field(default=16, metadata={"help": "Adapters are scaled by lora_alpha / lora_rank."})
    lora_target_modules: list[str] = field(
        default_factory=lambda: ["intermediate_dense", "output_dense"],
        metadata={"help": "Names of the linear layers that get adapters."},
    )
    mask_time_prob: float = field(default=0.0, metadata={"help": "SpecAugment: share of frames masked in training."})
    mask_feature_prob: float = field(default=0.0, metadata={"help": "The same, of features."})
    # the optimisation
    num_train_epochs: int = field(default=15, metadata={"help": "Passes over the train split."})
    max_steps: int | None = field(default=None, metadata={"help": "Stop after so many optimiser steps."})
    train_batch_size: int = field(default=2, metadata={"help": "Utterances in a batch of one process."})
    max_batch_seconds: float | None = field(
        default=None,
        metadata={
            "help": "Instead of a fixed number, batches of as many utterances of similar length as last this many "
            "seconds with their padding."
        },
    )
    eval_batch_size: int = field(default=8, metadata={"help": "Utterances in a batch of validation and test."})
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
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many epochs in a row that are not the best so far."}
    )
    weight_decay: float = field(default=0.0, metadata={"help": "Of AdamW; 0 is Adam."})
    max_grad_norm: float = field(default=5.0, metadata={"help": "Clip the gradient to this norm."})
    mixed_precision: str | None = field(
        default=None, metadata={"help": "no, fp16 or bf16. Default: as `accelerate config` says."}
    )
    gradient_checkpointing: bool = field(
        default=False, metadata={"help": "Compute activations again in the backward pass: less memory, more time."}
    )
    # augmentation (needs audiomentations)
    augment_probability: float = field(
        default=0.5, metadata={"help": "How often each of the following is applied to an utterance of the train split."}
    )
    augment_noises: str | None = field(default=None, metadata={"help": "Folder of noise that is put under utterances."})
    augment_rooms: str | None = field(
        default=None, metadata={"help": "Folder of impulse responses that utterances are heard through."}
    )
    augment_gain: float = field(default=0.0, metadata={"help": "Make utterances louder or softer by up to so many dB."})
    augment_speed: float = field(
        default=0.0,
        metadata={"help": "Make them faster or slower by up to this share, such as 0.1, with their labels."},
    )
    # the run
    num_workers: int = field(default=0, metadata={"help": "Processes that decode audio, per training process."})
    seed: int = field(default=0, metadata={"help": "For initial weights, order, dropout and augmentation."})
    seeds: list[int] | None = field(
        default=None,
        metadata={"help": "Train once for each of these seeds, below output_dir, and report mean and deviation."},
    )
    checkpoint_minutes: float = field(
        default=15.0, metadata={"help": "Minutes between checkpoints; there is one after each epoch, too."}
    )
    keep_checkpoints: int = field(default=2, metadata={"help": "Number of checkpoints kept."})
    resume: bool = field(
        default=False, metadata={"help": "Go on from the last checkpoint in output_dir, if there is one."}
    )
    overwrite: bool = field(default=False, metadata={"help": "Delete the checkpoints of an earlier run in output_dir."})
    log_with: list[str] = field(
        default_factory=list, metadata={"help": "Trackers that Accelerate knows: tensorboard, wandb, mlflow …"}
    )
    push_to_hub: str | None = field(
        default=None, metadata={"help": "Publish the model under this NAMESPACE/NAME; with --seeds, the best of them."}
    )
    private: bool = field(default=False, metadata={"help": "Make a new repository private."})
    license: str | None = field(
        default=None, metadata={"help": "Licence for the model card, such as cc-by-nc-sa-4.0: that of the data counts."}
    )

    def __post_init__(self):
        for name in (
            "num_train_epochs",
            "max_steps",
            "train_batch_size",
            "eval_batch_size",
            "gradient_accumulation_steps",
            "keep_checkpoints",
            "train_last_layers",
            "lora_rank",
            "early_stopping_patience",
        ):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1; got {value}.")
        for name, most in (
            ("augment_probability", 1.0),
            ("mask_time_prob", 1.0),
            ("mask_feature_prob", 1.0),
            ("augment_speed", 0.5),
            ("max_batch_seconds", math.inf),
            ("checkpoint_minutes", math.inf),
        ):
            if not 0 <= (getattr(self, name) or 0) <= most:
                raise ValueError(f"--{name} must lie between 0 and {most:g}; got {getattr(self, name)}.")
        if self.lr_scheduler not in ("newbob", *NAMED_SCHEDULES):
            raise ValueError(
                f"--lr_scheduler is newbob or one of {', '.join(NAMED_SCHEDULES)}; got {self.lr_scheduler!r}."
            )
        if self.lr_scheduler == "newbob" and self.warmup_steps:
            raise ValueError("--warmup_steps needs another --lr_scheduler than newbob.")
        if self.lr_scheduler != "newbob" and self.streams and self.max_steps is None:
            raise ValueError(
                f"--lr_scheduler {self.lr_scheduler} needs --max_steps here: the train split's size is not known."
            )
        if self.train_last_layers is not None and self.lora_rank is not None:
            raise ValueError("Choose one of --train_last_layers and --lora_rank.")

    @property
    def streams(self) -> bool:
        """Whether the train split is read or rendered while training."""
        return self.streaming or self.dataset.endswith((".yaml", ".yml"))


def parse_options(arguments: Sequence[str] | None = None, description: str | None = None) -> TrainingOptions:
    """Options of the command line, on top of those of the YAML file that ``--config`` names.

    Raises:
        ValueError: for a bad value, or an unknown option of the file.
        OSError: if there is no such file.
        SystemExit: with code 2, for bad usage; with 0, for ``--help``.
    """
    parser = HfArgumentParser(TrainingOptions, description=description, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE.yaml", help="Options by name; those of the command line win.")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    only_config = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    only_config.add_argument("--config", type=Path)
    if config := only_config.parse_known_args(arguments)[0].config:
        arguments = [*_read_config(config), *arguments]
    namespace = parser.parse_args(arguments)
    del namespace.config
    return TrainingOptions(**vars(namespace))


def _read_config(path: Path) -> list[str]:
    """The file's options as a command line, so that one parser checks both."""
    try:
        options = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(options, dict):
        raise ValueError(f"{path} must hold options by name; got {type(options).__name__}.")
    known = {option.name for option in fields(TrainingOptions)}
    if unknown := [str(name) for name in options if name not in known]:
        raise ValueError(f"{path}: unknown option(s) {', '.join(unknown)}; see train_sed.py --help.")
    arguments = []
    for name, value in options.items():
        if value is not None:
            arguments += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return arguments
