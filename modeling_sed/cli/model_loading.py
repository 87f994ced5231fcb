"""What the commands that run a model have in common."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ..hub.bundled_model import ABOUT, BUNDLED_MODEL

if TYPE_CHECKING:  # importing it takes seconds
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline


@contextmanager
def garbage_uncollected() -> Iterator[None]:
    """Importing and loading leave no garbage, but many objects: looking for it is a fifth of a command's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@garbage_uncollected()
def load_pipeline(
    model: str | None, device: str | None = None, dtype: str | None = None, compile_model: bool = False
) -> SpeechEmotionDiarizationPipeline:
    """The pipeline of a model.

    Args:
        model: folder or hub id; None for the one that comes with the package.
        device: "cpu", "cuda", "mps" …; default: the fastest available.
        dtype: name of a floating point type of torch; "auto": bfloat16 where the device computes in it; default: as
            the model was saved.
        compile_model: whether to compile the model.

    Raises:
        InputError: if the model cannot be loaded.
        typer.BadParameter: if there is no such device or type.
    """
    import torch
    from transformers.utils import logging

    from .. import TASK
    from ..checkpoints.opening import open_model
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline

    if dtype == "auto":
        dtype = "bfloat16" if computes_in_bfloat16(device) else None
    kind = torch.float32 if dtype is None else getattr(torch, dtype, None)
    if not (isinstance(kind, torch.dtype) and kind.is_floating_point and kind.itemsize >= 2):
        raise typer.BadParameter(f"--dtype {dtype}: must be auto, or one of torch's, such as float32, bfloat16.")
    try:
        torch.zeros(1, device=device or "cpu").cpu()
    except (RuntimeError, AssertionError) as error:  # there is none of this name, or not here
        reason = str(error).partition("\n")[0]
        raise typer.BadParameter(f"--device {device}: must be one that torch finds here ({reason:.100}).") from error
    if model is None:
        typer.echo(f"model: {ABOUT}", err=True)
    logging.disable_progress_bar()  # a second's bar at every start
    trained, feature_extractor = open_model(model or BUNDLED_MODEL, dtype or "auto")
    found = SpeechEmotionDiarizationPipeline(
        model=trained, feature_extractor=feature_extractor, task=TASK, device=device
    )
    if compile_model:
        found.model.compile()
    return found


def computes_in_bfloat16(device: str | None) -> bool:
    """Whether a device has instructions for bfloat16; without them, it is slower than single precision.

    Args:
        device: "cpu", "cuda", "mps" …; None for the fastest available.
    """
    import torch

    if str(device).startswith("cuda") or (device is None and torch.cuda.is_available()):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if str(device).startswith("cpu") or (device is None and not torch.backends.mps.is_available()):
        # versions of torch that cannot tell are taken to have none
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()
        return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
    return False
