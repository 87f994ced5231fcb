"""Options of train_sed.py. Those that mean what one of transformers' `TrainingArguments` means have its name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..frames_sed import InputError

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
    "label_smoothing_factor": 1.0,
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
    "encoder_learning_rate": math.inf,
    "head_learning_rate": math.inf,
    "encoder_annealing_factor": 1.0,
    "head_annealing_factor": 1.0,
    "weight_decay": math.inf,
    "max_grad_norm": math.inf,
    "augment_gain": 100.0,
}


def flag(name: str) -> str:
    """An option on the command line."""
    return "--" + name.replace("_", "-")


@dataclass(kw_only=True)
class DataOptions:
    """What is learnt from."""

    _argument_group_name = "data"

    dataset: str = field(
        metadata={
            "metavar": "DATA",
            "help": "Folder of a dataset that the builder has written; hub id of a dataset; or a .yaml file with "
            "options of the builder, whose train split is then rendered during training. '{seed}' stands for the seed.",
        }
    )
    labels: list[str] = field(
        default_factory=lambda: ["neutral", "happy", "sad", "angry"],
        metadata={
            "metavar": "LABEL",
            "help": "Label names, in the order of the classifier's outputs; 'neutral' among them.",
        },
    )
    streaming: bool = field(
        default=False,
        metadata={"help": "Read the train split during training, without a copy of a hub dataset on disk."},
    )


@dataclass(kw_only=True)
class ModelOptions:
    """What the model is, and what of it is trained."""

    _argument_group_name = "model"

    encoder: str = field(
        metadata={
            "metavar": "ENCODER",
            "help": "Hub id or folder of a pretrained wavlm, wav2vec2, hubert, wav2vec2-bert or whisper checkpoint, "
            "or a .json file with the configuration of an encoder to train from scratch: a path, or a name such as "
            "wavlm-tiny.json, which comes with this package.",
        }
    )
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
        metadata={
            "metavar": "NAME",
            "help": "Names of the linear layers that get adapters. Default: the feed-forward layers.",
        },
    )
    mask_time_prob: float = field(default=0.0, metadata={"help": "SpecAugment: share of frames masked in training."})
    mask_feature_prob: float = field(
        default=0.0, metadata={"help": "SpecAugment: share of features masked in training."}
    )
    attn_implementation: str | None = field(
        default=None,
        metadata={
            "metavar": "{eager,sdpa}",
            "help": "eager or sdpa; on a CPU in bfloat16, eager is faster. Default: sdpa.",
        },
    )


@dataclass(kw_only=True)
class OptimisationOptions:
    """How the weights change."""

    _argument_group_name = "optimisation"

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
            "metavar": "NAME",
            "help": "newbob (anneals after epochs with too little improvement), " + ", ".join(NAMED_SCHEDULES) + ".",
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
    label_smoothing_factor: float = field(
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
        default=None,
        metadata={"metavar": "{no,fp16,bf16}", "help": "no, fp16 or bf16. Default: as `accelerate config` says."},
    )
    gradient_checkpointing: bool = field(
        default=False,
        metadata={"help": "Recompute activations in the backward pass, which saves memory and takes time."},
    )


@dataclass(kw_only=True)
class AugmentationOptions:
    """What is done to utterances before the model hears them."""

    _argument_group_name = "augmentation"

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
        metadata={
            "metavar": "DIR",
            "help": "Add noise from this folder of audio files to utterances (needs audiomentations).",
        },
    )
    augment_rooms: str | None = field(
        default=None,
        metadata={
            "metavar": "DIR",
            "help": "Convolve utterances with room impulse responses from this folder (likewise).",
        },
    )
    augment_gain: float = field(
        default=0.0, metadata={"help": "Change the level of utterances by up to this many dB (likewise)."}
    )
    augment_speed: float = field(
        default=0.0,
        metadata={"help": "Change the speed of utterances by up to this share, such as 0.1, with their labels."},
    )


@dataclass(kw_only=True)
class RunOptions:
    """How it runs, and what comes of it."""

    _argument_group_name = "run"

    output_dir: str = field(
        metadata={"metavar": "DIR", "help": "Folder for the best epoch's model, results.json and report.md."}
    )
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
    overwrite: bool = field(
        default=False,
        metadata={"help": "Delete what an earlier training has written into output_dir; files of others stay."},
    )
    report_to: list[str] = field(
        default_factory=list,
        metadata={
            "metavar": "TRACKER",
            "help": "Experiment trackers by name: tensorboard, trackio, wandb, or any other one of Accelerate.",
        },
    )
    run_name: str | None = field(
        default=None,
        metadata={"metavar": "NAME", "help": "What trackers call the run. Default: the name of output_dir."},
    )
    project: str = field(
        default="speech-emotion-diarization",
        metadata={"metavar": "NAME", "help": "What trackers call the project that runs belong to."},
    )
    push_to_hub: bool = field(
        default=False, metadata={"help": "Publish the model on the Hub; with --seeds, the best one."}
    )
    hub_model_id: str | None = field(
        default=None, metadata={"metavar": "NAMESPACE/NAME", "help": "NAMESPACE/NAME of the published model."}
    )
    hub_private_repo: bool = field(default=False, metadata={"help": "Create the repository as a private one."})
    license: str | None = field(
        default=None,
        metadata={
            "metavar": "LICENCE",
            "help": "Licence for the model card, such as cc-by-nc-sa-4.0; the licences of the data may restrict it.",
        },
    )


@dataclass(kw_only=True)
class TrainingOptions(RunOptions, AugmentationOptions, OptimisationOptions, ModelOptions, DataOptions):
    """All options. The defaults are the paper's recipe (section 5.2 of arXiv 2306.12991)."""

    def __post_init__(self):
        for name in AT_LEAST_ONE:
            if (value := getattr(self, name)) is not None and value < 1:
                raise InputError(f"{flag(name)} must be at least 1; got {value}.")
        for name, most in RANGES.items():
            if not 0 <= (getattr(self, name) or 0) <= most:
                raise InputError(f"{flag(name)} must lie between 0 and {most:g}; got {getattr(self, name)}.")
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
