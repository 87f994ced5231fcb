"""`emotion-diarization metrics`: the metrics for `evaluate` on this machine."""

from __future__ import annotations

import typer

metrics_app = typer.Typer(help="Make the metrics known to `evaluate` by name.", no_args_is_help=True)


@metrics_app.callback()
def metrics() -> None:
    """Make the metrics known to `evaluate` by name."""


@metrics_app.command("install")
def install_metrics() -> None:
    """Make evaluate.load("eder") and the others work on this machine, from any directory, without network."""
    from ..hub.metric_modules import MODULES, install_module

    for name in MODULES:
        typer.echo(f"{name}: {install_module(name)}")
