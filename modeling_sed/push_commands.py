"""`emotion-diarization push …`: models, datasets, metrics and demos to the Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

push_app = typer.Typer(help="Publish on the Hub.", no_args_is_help=True)
RepoId = Annotated[str, typer.Argument(help="NAMESPACE/NAME on the Hub.")]
Private = Annotated[bool, typer.Option("--private", help="Make a new repository private.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would go up.")]


@push_app.command("model")
def push_model(
    folder: Annotated[Path, typer.Argument(help="Folder of a model.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a model, for from_pretrained("NAMESPACE/NAME", trust_remote_code=True)."""
    from modeling_sed import publishing

    _push(publishing.push_model, folder, repo_id, private=private, dry_run=dry_run)


@push_app.command("dataset")
def push_dataset(
    folder: Annotated[Path, typer.Argument(help="Folder that dataset_scripts/sed.py has written.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a dataset as Parquet, for load_dataset("NAMESPACE/NAME")."""
    from modeling_sed.dataset_scripts.build import push_built_dataset
    from modeling_sed.publishing import clear_errors

    def push(folder: Path, repo_id: str, **options: bool) -> str:
        with clear_errors(repo_id):
            return push_built_dataset(folder, repo_id, **options)

    _push(push, folder, repo_id, private=private, dry_run=dry_run)


@push_app.command("metric")
def push_metric(
    namespace: Annotated[str, typer.Argument(help="User or organisation on the Hub.")],
    name: Annotated[list[str] | None, typer.Option(help="Only this metric; repeatable.")] = None,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish the metrics as Spaces, for evaluate.load("NAMESPACE/eder")."""
    from modeling_sed.metric_modules import MODULES, push_module

    for module in name or MODULES:
        _push(push_module, module, namespace, private=private, dry_run=dry_run)


@push_app.command("space")
def push_space(
    model: Annotated[str, typer.Argument(help="Hub id of the model to try.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a demo of a model as a Space."""
    from modeling_sed.publishing import push_demo

    _push(push_demo, model, repo_id, private=private, dry_run=dry_run)


def _push(push: Callable[..., str], source: str | Path, target: str, **options: bool) -> None:
    try:
        typer.echo(push(source, target, **options))
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
