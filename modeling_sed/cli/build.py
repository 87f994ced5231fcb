"""`emotion-diarization build`: the datasets builder."""

from __future__ import annotations

import typer


def build(context: typer.Context) -> None:
    """Build a dataset: simulated utterances from corpora of emotional speech, and ZED."""
    from ..dataset_scripts.command_line import main

    main(context.args, prog="emotion-diarization build")
