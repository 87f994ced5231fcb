"""Experiment trackers by name, through Accelerate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import LoggerType

from ..frames_sed import InputError, MissingLibraryError
from .arguments import TrainingOptions
from .provenance import public_options

NAME_RUNS = ("trackio", "wandb")  # whose runs have a name within a project


def checked_trackers(report_to: Sequence[str]) -> list[str]:
    """The trackers that are asked for; "none" is no tracker, as in transformers.

    Raises:
        InputError: if there is no such tracker, or its package is not installed.
    """
    names = [name for name in report_to if name != "none"]
    known = [one.value for one in LoggerType]
    for name in names:
        if name not in known:
            raise InputError(f"--report-to: there is no tracker {name!r}; there are {', '.join(known)} and none.")
        if name != "all" and LoggerType(name) not in get_available_trackers():
            raise MissingLibraryError(f"--report-to {name} needs its package: `pip install {name.replace('_', '-')}`.")
    return names


def start_trackers(accelerator: Accelerator, options: TrainingOptions) -> None:
    """Opens the run in every tracker, with its options but without the paths among them."""
    run_name = options.run_name or Path(options.output_dir).resolve().name
    values = {name: str(value) for name, value in public_options(options).items()}
    accelerator.init_trackers(options.project, values, {name: {"name": run_name} for name in NAME_RUNS})
