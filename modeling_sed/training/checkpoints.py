"""Checkpoints of a run: complete or not there at all, with a limited number kept, and resuming from them is exact."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from ..frames_sed import InputError
from .arguments import TrainingOptions
from .run_folder import CHECKPOINTS, STAGED, RunFolder

RECORD_FILE = "run.json"
MAY_CHANGE = frozenset(  # options that may have another value when a run is resumed
    {
        "output_dir",
        "resume",
        "overwrite",
        "early_stopping_patience",
        "checkpoint_minutes",
        "save_total_limit",
        "dataloader_num_workers",
        "per_device_eval_batch_size",
        "report_to",
        "run_name",
        "project",
        "push_to_hub",
        "hub_model_id",
        "hub_private_repo",
        "license",
        "seeds",
    }
)


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        epoch: number of complete epochs.
        batches: batches of this process in the current epoch.
        step: optimiser steps taken.
        loss: summed loss of the epoch's labelled frames.
        frames: number of them.
        samples: of the epoch's batches in the main process, without and with padding.
        best_error_rate: lowest validation frame error rate so far.
        epochs_without_improvement: epochs since then.
        history: the report of each epoch.
    """

    epoch: int = 0
    batches: int = 0
    step: int = 0
    loss: float = 0.0
    frames: int = 0
    samples: list[int] = field(default_factory=lambda: [0, 0])
    best_error_rate: float = math.inf
    epochs_without_improvement: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.__dict__.update(state)

    def finish_epoch(self) -> None:
        """Starts the next epoch."""
        self.epoch += 1
        self.batches, self.loss, self.frames, self.samples = 0, 0.0, 0, [0, 0]


class Checkpoints:
    """Saves and restores everything that a run consists of.

    Args:
        accelerator: has the model, the optimiser and everything else that was registered with it.
        options: of the run.
        progress: names the checkpoints.
        data: fingerprint of what is trained on.
    """

    def __init__(self, accelerator: Accelerator, options: TrainingOptions, progress: Progress, data: str = ""):
        self.accelerator, self.options, self.progress, self.data = accelerator, options, progress, data
        self.run_folder = RunFolder(options.output_dir)
        self.folder = self.run_folder.path / CHECKPOINTS
        self.saved_at = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether the time between two checkpoints has passed."""
        return time.monotonic() - self.saved_at >= 60 * self.options.checkpoint_minutes

    def save(self) -> None:
        """Called by every process between two optimiser steps. If a run is killed here, older checkpoints remain.

        Raises:
            InputError: if it cannot be written.
        """
        final = self.folder / f"step_{self.progress.step:08d}_{self.progress.epoch:04d}"
        unfinished = self.run_folder.work / STAGED / CHECKPOINTS
        with self.run_folder.writing():
            if self.accelerator.is_main_process and unfinished.exists():
                self.run_folder.discard(unfinished)
            self.accelerator.wait_for_everyone()
            self.accelerator.save_state(str(unfinished))
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process:
                (unfinished / RECORD_FILE).write_text(json.dumps(self._record()), encoding="utf-8")
                self.run_folder.remember({CHECKPOINTS})
                self.folder.mkdir(parents=True, exist_ok=True)
                if not final.exists():  # else a finished run was resumed, and is where it was
                    unfinished.rename(final)
                for path in self._finished()[: -self.options.save_total_limit]:
                    self.run_folder.discard(path)
        self.saved_at = time.monotonic()

    def begin(self) -> bool:
        """Resumes an earlier run, if the options ask for it; returns whether it did.

        Raises:
            InputError: if the earlier run had other options, data or another number of processes, or if the options
                ask neither to resume nor to overwrite it.
        """
        finished = self._finished()
        if finished and not (self.options.resume or self.options.overwrite):
            raise InputError(
                f"{self.folder} holds checkpoints of an earlier run: --resume it, --overwrite it, or choose another "
                "--output-dir."
            )
        resumes = self.options.resume and bool(finished)
        if resumes:
            self._restore(finished)
        elif self.options.overwrite and self.accelerator.is_main_process:
            with self.run_folder.writing():
                for path in finished:
                    self.run_folder.discard(path)
                with suppress(OSError):  # there is none, or it holds something else
                    self.folder.rmdir()
                self.run_folder.clear()
        self.accelerator.wait_for_everyone()
        return resumes

    def _restore(self, finished: list[Path]) -> None:
        now, then = self._record(), json.loads((finished[-1] / RECORD_FILE).read_text(encoding="utf-8"))
        if changed := [name for name in now if now[name] != then.get(name, now[name])]:
            raise InputError(
                f"--resume: {finished[-1]} was written with another value of "
                + ", ".join(f"{name} ({then[name]}, now {now[name]})" for name in changed)
                + "; use the same, or another --output-dir."
            )
        self.accelerator.load_state(str(finished[-1]))

    def _finished(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.glob(f"step_*/{RECORD_FILE}"))

    def _record(self) -> dict[str, Any]:
        options = {name: value for name, value in asdict(self.options).items() if name not in MAY_CHANGE}
        if self.options.lr_scheduler_type == "newbob":  # the others depend on where training is to end
            options = {name: value for name, value in options.items() if name not in ("num_train_epochs", "max_steps")}
        return options | {"num_processes": self.accelerator.num_processes, "data": self.data}
