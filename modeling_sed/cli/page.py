"""`emotion-diarization app`: the page in the browser."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from ..frames_sed import import_library
from ..hub.bundled_model import DESCRIPTION
from ..page.uploads import MAX_UPLOAD, uploads_folder

LOOPBACK = "127.0.0.1"


def show_page(
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of a trained model. Default: the one in the package.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps … Default: the best there is.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets everybody in who reaches this machine.")
    ] = LOOPBACK,
    port: Annotated[
        int | None, typer.Option(help="Default: the first one from 7860 that is free.", min=1, max=65_535)
    ] = None,
    max_upload: Annotated[int, typer.Option(help="Megabytes of a file, at most.", min=1)] = MAX_UPLOAD,
) -> None:
    """Show a page in the browser: drop or record a recording, see and hear its timeline.

    The page is for this machine only, unless --host says otherwise, and asks no other. Recordings are deleted when it
    ends.
    """
    from .model_loading import load_pipeline

    if model is not None and Path(model).exists():
        model = str(Path(model).resolve())  # the working directory changes
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # recordings are deleted then, too
    with uploads_folder():
        import_library("gradio", "The page", "gradio")
        from ..page.app import build_page, launch_page

        page = build_page(load_pipeline(model, device), DESCRIPTION if model is None else Path(model).name)
        try:
            address = launch_page(page, host, port, max_upload)
        except OSError as error:
            raise typer.BadParameter(f"--host {host} --port {port or 'any'}: {error}") from error
        typer.echo(f"The page is at {address} (end it with Ctrl+C)")
        if host not in (LOOPBACK, "localhost", "::1"):
            typer.echo("Everybody who reaches this machine can use it: there is no password.", err=True)
        page.block_thread()
