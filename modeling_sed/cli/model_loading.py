"""What the commands that run a model have in common."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ..frames_sed import InputError
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
        dtype: name of a floating point type of torch; default: as the model was saved.
        compile_model: whether to compile the model.

    Raises:
        InputError: if the model cannot be loaded.
        typer.BadParameter: if there is no such device or type.
    """
    import torch
    from transformers import pipeline
    from transformers.utils import logging

    from .. import TASK
    from ..checkpoints.opening import model_folder

    if dtype is not None and not isinstance(getattr(torch, dtype, None), torch.dtype):
        raise typer.BadParameter(f"--dtype {dtype}: must be one of torch's, such as float32, bfloat16, float16.")
    try:
        torch.device(device or "cpu")
    except RuntimeError as error:
        raise typer.BadParameter(f"--device {device}: must be one of torch's, such as cpu, cuda, mps.") from error
    if model is None:
        folder = BUNDLED_MODEL
        typer.echo(f"model: {ABOUT}", err=True)
    else:
        folder = model_folder(model)
    logging.disable_progress_bar()  # a second's bar at every start
    options: dict[str, Any] = {"device": device, "dtype": dtype}
    try:
        found = pipeline(TASK, model=str(folder), **options)  # type: ignore[call-overload]  # knows its own tasks only
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot load the model {model}: {error}") from error
    if compile_model:
        found.model.compile()
    return found
