"""`emotion-diarization train`: the same as `python train_sed.py`, or `accelerate launch train_sed.py`."""

from __future__ import annotations

import typer


def train(context: typer.Context) -> None:
    """Train a model on a dataset."""
    import train_sed

    train_sed.main(context.args, prog="emotion-diarization train")
