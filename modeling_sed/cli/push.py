"""`emotion-diarization push …`: models, datasets, metrics, demos, or all of them, to the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..dataset_scripts.publishing import DatasetUpload
    from ..dataset_scripts.repository import Upload

push_app = typer.Typer(help="Publish on the Hub.", no_args_is_help=True)
RepoId = Annotated[str, typer.Argument(help="NAMESPACE/NAME on the Hub.")]
Private = Annotated[bool, typer.Option("--private", help="Create the repository as a private one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list the files, and which are new, changed or the same.")]


@push_app.command("model")
def push_model_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a model.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a model, for from_pretrained("NAMESPACE/NAME", trust_remote_code=True) and Inference Endpoints."""
    from ..hub.model_upload import model_upload

    _publish(model_upload(folder, repo_id), private, dry_run)


@push_app.command("dataset")
def push_dataset_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a dataset that the builder has written.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a dataset as Parquet, for load_dataset("NAMESPACE/NAME")."""
    from ..dataset_scripts.publishing import DatasetUpload

    _publish(DatasetUpload(folder, repo_id), private, dry_run)


@push_app.command("metric")
def push_metric_command(
    namespace: Annotated[str, typer.Argument(help="User or organisation on the Hub.")],
    name: Annotated[list[str] | None, typer.Option(help="Only this metric; repeatable.")] = None,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish the metrics as Spaces, for evaluate.load("NAMESPACE/eder")."""
    from ..hub.metric_modules import MODULES, module_upload

    for module in name or MODULES:
        _publish(module_upload(module, namespace), private, dry_run)


@push_app.command("space")
def push_space_command(
    model: Annotated[str, typer.Argument(help="Hub id of the model to try.")],
    repo_id: RepoId,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a demo of a model as a Space."""
    from ..hub.demo import demo_upload

    _publish(demo_upload(model, repo_id), private, dry_run)


@push_app.command("release")
def push_release_command(
    repo_id: Annotated[str, typer.Argument(help="NAMESPACE/NAME of the model, the dataset and the demo on the Hub.")],
    model: Annotated[Path, typer.Option(help="Folder of the model.")],
    dataset: Annotated[Path | None, typer.Option(help="Folder of a dataset that the builder has written.")] = None,
    metrics: Annotated[bool, typer.Option(help="Publish the metrics as Spaces of NAMESPACE.")] = True,
    space: Annotated[bool, typer.Option(help="Publish a demo of the model as a Space.")] = True,
    private: Private = False,
    dry_run: DryRun = False,
) -> None:
    """Publish dataset, metrics, model and demo; a release that broke goes on by the same command."""
    from ..hub.release import release_uploads

    for upload in release_uploads(repo_id, model, dataset, metrics=metrics, demo=space):
        _publish(upload, private, dry_run)


def _publish(upload: Upload | DatasetUpload, private: bool, dry_run: bool) -> None:
    """Lists the files of a repository and, but for ``dry_run``, pushes those that are new or changed."""
    typer.echo(upload.listing(), err=not dry_run)
    if not dry_run:
        typer.echo(upload.push(private=private))
