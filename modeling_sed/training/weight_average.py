"""The moving average of a model's weights, which does better on other recordings than the weights of the last step."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch.optim.swa_utils import AveragedModel

from ..frames_sed import InputError
from .arguments import TrainingOptions


def weight_average(model: torch.nn.Module, options: TrainingOptions, accelerator: Accelerator) -> AveragedModel | None:
    """A copy of the model whose weights will be averages; None if the options do not ask for one.

    `update_parameters`, called after every optimiser step, keeps the share ``options.average_weights`` of the average;
    early in training ``(1 + steps) / (10 + steps)`` if that is less, so that the first weights are soon forgotten.

    Args:
        model: before the accelerator prepares it.
        options: of the run.
        accelerator: gives the device.

    Raises:
        InputError: if training is sharded, where no process has all weights.
    """
    decay = options.average_weights
    if not decay:
        return None
    if accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED):
        raise InputError(
            f"--average-weights {decay:g}: not with a sharded model (FSDP, DeepSpeed); set it to 0, or train without "
            "sharding."
        )

    def average(averaged: torch.Tensor, current: torch.Tensor, steps: torch.Tensor | int) -> torch.Tensor:
        kept = torch.clamp((1 + torch.as_tensor(steps)) / (10 + torch.as_tensor(steps)), max=decay)
        return torch.lerp(current, averaged, kept.to(averaged.dtype))

    return AveragedModel(model, accelerator.device, avg_fn=average)
