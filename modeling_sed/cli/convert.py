"""`emotion-diarization convert`: checkpoints of SpeechBrain's recipe for this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[
        str,
        typer.Argument(
            help="Folder or hub id of a checkpoint of SpeechBrain's recipe; or the results folder of a training with "
            "it, whose best checkpoint by validation is taken, or one of its folders save/CKPT+…"
        ),
    ],
    output_dir: Annotated[Path, typer.Argument(help="New folder for the model.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Folder or hub id with the encoder's config.json. Default: the encoder that the checkpoint names."
        ),
    ] = None,
) -> None:
    """Convert a checkpoint of SpeechBrain's recipe, such as the paper's authors', to a model of this package."""
    from ..checkpoints.speechbrain import convert_speechbrain
    from ..checkpoints.speechbrain_files import speechbrain_files

    typer.echo(f"weights: {speechbrain_files(source)['wav2vec2.ckpt']}", err=True)
    typer.echo(convert_speechbrain(source, output_dir, encoder))
