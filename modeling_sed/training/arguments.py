"""Options of train_sed.py: from the command line, a YAML file, or both.

Options that mean what those of transformers' `TrainingArguments` mean have their names.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml
from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool

from ..frames_sed import InputError, MissingFileError
from .recipes import RECIPES

NAMED_SCHEDULES = ("linear", "cosine", "constant_with_warmup")  # of transformers
AT_LEAST_ONE = (
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "save_total_limit",
    "encoder_layers",
    "train_last_layers",
    "lora_rank",
    "early_stopping_patience",
)
RANGES = {  # the greatest value; the least is 0
    "layer_learning_rate_decay": 1.0,
    "label_smoothing": 1.0,
    "soft_joins": math.inf,
    "augment_conditions": 1.0,
    "augment_non_speech": 1.0,
    "augment_probability": 1.0,
    "average_weights": 1.0,
    "mask_time_prob": 1.0,
    "mask_feature_prob": 1.0,
    "augment_speed": 0.5,
    "max_batch_seconds": math.inf,
    "checkpoint_minutes": math.inf,
}


@dataclass
class TrainingOptions:
    """Options of train_sed.py. The defaults are the paper's recipe (section 5.2 of arXiv 2306.12991)."""

    dataset: str = field(
        metadata={
            "help": "Folder of a dataset that the builder has written; hub id of a dataset; or a .yaml file with "
            "options of the builder, whose train split is then rendered during training. '{seed}' stands for the seed."
        }
    )
    encoder: str = field(
        metadata={
            "help": "Hub id or folder of a pretrained wavlm, wav2vec2, hubert, wav2vec2-bert or whisper checkpoint, "
            "or a .json file with the configuration of an encoder to train from scratch."
        }
    )
    output_dir: str = field(metadata={"help": "Folder for the best epoch's model, results.json and report.md."})
    labels: list[str] = field(
        default_factory=lambda: ["neutral", "happy", "sad", "angry"],
        metadata={"help": "Label names, in the order of the classifier's outputs; 'neutral' among them."},
    )
    streaming: bool = field(
        default=False,
        metadata={"help": "Read the train split during training, without a copy of a hub dataset on disk."},
    )
    # the model
    encoder_layers: int | None = field(
        default=None,
        metadata={"help": "Keep only this number of the encoder's transformer layers, the lowest. Default: all."},
    )
    use_weighted_layer_sum: bool | None = field(
        default=None,
        metadata={"help": "Classify a learnt weighted sum of all layers instead of the last one. Default: no."},
    )
    normalize_encoder_output: bool | None = field(
        default=None,
        metadata={"help": "Apply layer norm to all frames and features of an utterance jointly. Default: yes."},
    )
    classifier_bias: bool | None = field(
        default=None, metadata={"help": "Give the linear classifier a bias. Default: no."}
    )
    initialize_head: bool = field(
        default=False,
        metadata={
            "help": "The encoder is an emotion classifier of transformers: initialise the head from its head, whose "
            "form determines the three options above."
        },
    )
    freeze_feature_encoder: bool | None = field(
        default=None,
        metadata={"help": "Keep what is below the transformer layers fixed. Default: if it is pretrained."},
    )
    train_last_layers: int | None = field(
        default=None, metadata={"help": "Train only the head and this number of the encoder's last transformer layers."}
    )
    lora_rank: int | None = field(
        default=None, metadata={"help": "Train only the head and low-rank adapters of this rank (needs peft)."}
    )
    lora_alpha: int = field(default=16, metadata={"help": "Adapters are scaled by lora_alpha / lora_rank."})
    lora_target_modules: list[str] = field(
        default_factory=list,
        metadata={"help": "Names of the linear layers that get adapters. Default: the feed-forward layers."},
    )
    mask_time_prob: float = field(default=0.0, metadata={"help": "SpecAugment: share of frames masked in training."})
    mask_feature_prob: float = field(
        default=0.0, metadata={"help": "SpecAugment: share of features masked in training."}
    )
    attn_implementation: str | None = field(
        default=None,
        metadata={"help": "eager or sdpa; on a CPU in bfloat16, eager is faster. Default: sdpa."},
    )
    # the optimisation
    num_train_epochs: int = field(default=15, metadata={"help": "Passes over the train split."})
    balance: bool = field(
        default=False,
        metadata={
            "help": "Draw utterances so that all emotions of all corpora (by the column corpus, if there is one) are "
            "heard equally often; an epoch has about as many utterances as before."
        },
    )
    max_steps: int | None = field(default=None, metadata={"help": "Stop after this number of optimiser steps."})
    per_device_train_batch_size: int = field(default=2, metadata={"help": "Utterances in a batch of one process."})
    max_batch_seconds: float | None = field(
        default=None,
        metadata={
            "help": "Instead of a fixed number, put utterances of similar length into a batch until it lasts this many "
            "seconds, with padding."
        },
    )
    per_device_eval_batch_size: int = field(
        default=8, metadata={"help": "Utterances in a batch of validation and test."}
    )
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "Batches in one optimiser step."})
    encoder_learning_rate: float = field(default=1e-5, metadata={"help": "Initial learning rate of the encoder."})
    head_learning_rate: float = field(default=1e-4, metadata={"help": "Initial learning rate of the classifier."})
    layer_learning_rate_decay: float = field(
        default=1.0,
        metadata={
            "help": "The encoder's last layer has its learning rate; each layer below, that of the next times this."
        },
    )
    lr_scheduler_type: str = field(
        default="newbob",
        metadata={
            "help": "newbob (anneals after epochs with too little improvement), " + ", ".join(NAMED_SCHEDULES) + "."
        },
    )
    warmup_steps: int = field(
        default=0, metadata={"help": "Optimiser steps over which the learning rates rise from 0 (not with newbob)."}
    )
    encoder_annealing_factor: float = field(default=0.9, metadata={"help": "NewBob's factor for the encoder."})
    head_annealing_factor: float = field(default=0.8, metadata={"help": "NewBob's factor for the classifier."})
    improvement_threshold: float = field(
        default=0.0025, metadata={"help": "NewBob anneals when the relative improvement of the error rate is smaller."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after this number of epochs in a row without improvement."}
    )
    weight_decay: float = field(default=0.0, metadata={"help": "Weight decay of AdamW; 0 is Adam."})
    average_weights: float | None = field(
        default=None,
        metadata={
            "help": "Validate and save a moving average of the weights, of which every optimiser step keeps this share "
            "(fewer at first), such as 0.999."
        },
    )
    label_smoothing: float = field(
        default=0.0, metadata={"help": "Share of the target of a frame that is spread over all labels."}
    )
    soft_joins: float = field(
        default=0.0,
        metadata={
            "help": "The target of frames within this many seconds of a join of two labels is a mixture of both."
        },
    )
    max_grad_norm: float = field(default=5.0, metadata={"help": "Clip the gradient to this norm."})
    mixed_precision: str | None = field(
        default=None, metadata={"help": "no, fp16 or bf16. Default: as `accelerate config` says."}
    )
    gradient_checkpointing: bool = field(
        default=False,
        metadata={"help": "Recompute activations in the backward pass, which saves memory and takes time."},
    )
    # augmentation
    augment_conditions: float = field(
        default=0.0,
        metadata={
            "help": "Probability of each of these recording conditions of an utterance, which are computed: a room, "
            "noise, hum, band limits, tilt, equaliser, masked bands, compression, level with clipping, telephone code."
        },
    )
    augment_non_speech: float = field(
        default=0.0,
        metadata={
            "help": "Probability that silence, noise, hum or music of up to 3 s, which is neutral, is inserted into an "
            "utterance or replaces it. Batches become longer by it than --max-batch-seconds."
        },
    )
    augment_probability: float = field(
        default=0.5, metadata={"help": "Probability of each of the following changes to an utterance."}
    )
    augment_noises: str | None = field(
        default=None,
        metadata={"help": "Add noise from this folder of audio files to utterances (needs audiomentations)."},
    )
    augment_rooms: str | None = field(
        default=None, metadata={"help": "Convolve utterances with room impulse responses from this folder (likewise)."}
    )
    augment_gain: float = field(
        default=0.0, metadata={"help": "Change the level of utterances by up to this many dB (likewise)."}
    )
    augment_speed: float = field(
        default=0.0,
        metadata={"help": "Change the speed of utterances by up to this share, such as 0.1, with their labels."},
    )
    # the run
    dataloader_num_workers: int = field(
        default=0, metadata={"help": "Processes that decode audio, per training process."}
    )
    seed: int = field(default=0, metadata={"help": "Seed of initial weights, order, dropout and augmentation."})
    seeds: list[int] | None = field(
        default=None,
        metadata={
            "help": "Train once for each of these seeds, below output_dir, and report mean and standard deviation."
        },
    )
    checkpoint_minutes: float = field(
        default=15.0, metadata={"help": "Minutes between checkpoints; there is one after each epoch, too."}
    )
    save_total_limit: int = field(default=2, metadata={"help": "Number of checkpoints to keep."})
    resume: bool = field(
        default=False, metadata={"help": "Resume from the last checkpoint in output_dir, if there is one."}
    )
    overwrite: bool = field(default=False, metadata={"help": "Delete the checkpoints of an earlier run in output_dir."})
    report_to: list[str] = field(
        default_factory=list,
        metadata={"help": "Experiment trackers by name: tensorboard, trackio, wandb, or any other one of Accelerate."},
    )
    run_name: str | None = field(
        default=None, metadata={"help": "What trackers call the run. Default: the name of output_dir."}
    )
    project: str = field(
        default="speech-emotion-diarization", metadata={"help": "What trackers call the project that runs belong to."}
    )
    push_to_hub: bool = field(
        default=False, metadata={"help": "Publish the model on the Hub; with --seeds, the best one."}
    )
    hub_model_id: str | None = field(default=None, metadata={"help": "NAMESPACE/NAME of the published model."})
    hub_private_repo: bool = field(default=False, metadata={"help": "Create the repository as a private one."})
    license: str | None = field(
        default=None,
        metadata={
            "help": "Licence for the model card, such as cc-by-nc-sa-4.0; the licences of the data may restrict it."
        },
    )

    def __post_init__(self):
        for name in AT_LEAST_ONE:
            if (value := getattr(self, name)) is not None and value < 1:
                raise InputError(f"{_flag(name)} must be at least 1; got {value}.")
        for name, most in RANGES.items():
            if not 0 <= (getattr(self, name) or 0) <= most:
                raise InputError(f"{_flag(name)} must lie between 0 and {most:g}; got {getattr(self, name)}.")
        if self.lr_scheduler_type not in ("newbob", *NAMED_SCHEDULES):
            raise InputError(
                f"--lr-scheduler-type is newbob or one of {', '.join(NAMED_SCHEDULES)}; got {self.lr_scheduler_type!r}."
            )
        if self.lr_scheduler_type == "newbob" and self.warmup_steps:
            raise InputError("--warmup-steps needs another --lr-scheduler-type than newbob; or set it to 0.")
        if self.lr_scheduler_type != "newbob" and self.streams and self.max_steps is None:
            raise InputError(
                f"--lr-scheduler-type {self.lr_scheduler_type} needs --max-steps here: the train split's size is not "
                "known."
            )
        if self.train_last_layers is not None and self.lora_rank is not None:
            raise InputError("Choose one of --train-last-layers and --lora-rank.")
        if self.balance and self.streams:
            raise InputError(
                "--balance needs the whole train split, which is not known when it is read during training: "
                "set it to false, or build the dataset first."
            )
        if self.push_to_hub and self.hub_model_id is None:
            raise InputError("--push-to-hub needs --hub-model-id NAMESPACE/NAME.")

    @property
    def dataset_name(self) -> str:
        """The dataset of this run: ``{seed}`` in its name stands for the seed."""
        return self.dataset.format(seed=self.seed)

    @property
    def streams(self) -> bool:
        """Whether the train split is read or rendered during training."""
        return self.streaming or self.dataset.endswith((".yaml", ".yml"))


def parse_options(
    arguments: Sequence[str] | None = None, description: str | None = None, prog: str | None = None
) -> TrainingOptions:
    """Options of the command line, on top of those of the YAML file that ``--config`` names, on top of a recipe.

    Either may name the ``recipe``, which is no option itself: what it stands for are options.

    Args:
        arguments: of the command line; default: those of this process.
        description: for ``--help``.
        prog: name of the command, for ``--help``.

    Raises:
        InputError: for a bad value, a missing file, or an unknown option in the file.
        SystemExit: with code 2, for bad usage; with 0, for ``--help``.
    """
    parser = HfArgumentParser(
        TrainingOptions,  # type: ignore[arg-type]  # transformers' DataClassType is the type of nothing
        description=description,
        prog=prog,
        allow_abbrev=False,
        formatter_class=_HelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE.yaml", help="Options by name; those of the command line win.")
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default="paper",
        help="Defaults of the other options: the paper's, or those for natural recordings (docs/recipe.md).",
    )
    for action in parser._actions:
        if action.type is string_to_bool:  # a flag, also where None is the default
            action.nargs, action.const = "?", True
        # options with underscores are accepted, too, but --help shows one spelling
        action.option_strings = [option for option in action.option_strings if "_" not in option]
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if config := _value_of("--config", arguments):
        arguments = [*_read_config(Path(config)), *arguments]
    parser.set_defaults(**RECIPES.get(_value_of("--recipe", arguments) or "", {}))
    namespace = parser.parse_args(arguments)
    del namespace.config, namespace.recipe
    return TrainingOptions(**vars(namespace))


class _HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults of options that have one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False, []) else super()._get_help_string(action)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    """What a command line says of one option, before the others are looked at."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option, nargs="?", dest="value")
    return parser.parse_known_args(arguments)[0].value


def _read_config(path: Path) -> list[str]:
    """The file's options as a command line, so that one parser checks both."""
    try:
        options = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise MissingFileError(f"--config: there is no file {path}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(options, dict):
        raise InputError(f"{path} must hold options by name; got {type(options).__name__}.")
    known = {"recipe", *(option.name for option in fields(TrainingOptions))}
    if unknown := [str(name) for name in options if name not in known]:
        raise InputError(f"{path}: unknown option(s) {', '.join(unknown)}; see --help.")
    arguments = []
    for name, value in options.items():
        if value is not None:
            arguments += [_flag(name), *map(str, value if isinstance(value, list) else [value])]
    return arguments
