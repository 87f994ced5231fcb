"""`emotion-diarization train`, for several processes `accelerate launch -m modeling_sed train`: train_sed.py."""

from __future__ import annotations

import typer


def train(context: typer.Context) -> None:
    """Train a model on a dataset."""
    import train_sed

    train_sed.main(context.args, prog="emotion-diarization train")
