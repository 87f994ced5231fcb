"""`emotion-diarization export`: models for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..hub.bundled_model import BUNDLED_MODEL

export_app = typer.Typer(help="Export a model for another runtime.", no_args_is_help=True)


@export_app.callback()
def export() -> None:
    """Export a model for another runtime."""


@export_app.command("onnx")
def export_to_onnx(
    output_dir: Annotated[Path, typer.Argument(help="New folder for the graph and the code that runs it.")],
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of a trained model. Default: the one in the package.")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Quantise to 8 bits: smaller, and faster on CPUs.")] = False,
) -> None:
    """Export a model for ONNX Runtime. To run it without torch: python OUTPUT_DIR/diarize_onnx.py call.wav"""
    from ..frames_sed import import_library

    for library in ("onnx", "onnxruntime", "onnxscript"):
        import_library(library, "export onnx", "onnx onnxruntime onnxscript")
    from ..checkpoints.onnx_export import export_onnx

    typer.echo(export_onnx(model or BUNDLED_MODEL, output_dir, int8=int8))
