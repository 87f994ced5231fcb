"""`emotion-diarization push …`: models, datasets, metrics and demos to the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

push_app = typer.Typer(help="Publish on the Hub.", no_args_is_help=True)
RepoId = Annotated[str, typer.Argument(help="NAMESPACE/NAME on the Hub.")]
Private = Annotated[bool, typer.Option("--private", help="Create the repository as a private one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would be uploaded.")]


@push_app.command("model")
def push_model_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a model.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a model, for from_pretrained("NAMESPACE/NAME", trust_remote_code=True)."""
    from ..hub.publishing import push_model

    typer.echo(push_model(folder, repo_id, private=private, dry_run=dry_run))


@push_app.command("dataset")
def push_dataset_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a dataset that the builder has written.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a dataset as Parquet, for load_dataset("NAMESPACE/NAME")."""
    from ..dataset_scripts.publishing import push_built_dataset

    typer.echo(push_built_dataset(folder, repo_id, private=private, dry_run=dry_run))


@push_app.command("metric")
def push_metric_command(
    namespace: Annotated[str, typer.Argument(help="User or organisation on the Hub.")],
    name: Annotated[list[str] | None, typer.Option(help="Only this metric; repeatable.")] = None,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish the metrics as Spaces, for evaluate.load("NAMESPACE/eder")."""
    from ..hub.metric_modules import MODULES, push_module

    for module in name or MODULES:
        typer.echo(push_module(module, namespace, private=private, dry_run=dry_run))


@push_app.command("space")
def push_space_command(
    model: Annotated[str, typer.Argument(help="Hub id of the model to try.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a demo of a model as a Space."""
    from ..hub.publishing import push_demo

    typer.echo(push_demo(model, repo_id, private=private, dry_run=dry_run))
