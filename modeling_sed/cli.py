"""The console command `emotion-diarization`. Exit codes: 0 done, 1 a recording failed, 2 wrong usage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # torch and transformers take seconds to import: only when there is something to do
    from modeling_sed.pipeline_sed import SpeechEmotionDiarizationPipeline

app = typer.Typer(
    help="Speech Emotion Diarization: which emotion appears when?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class OutputFormat(str, Enum):
    """How segments are printed."""

    table = "table"
    json = "json"


metrics_app = typer.Typer(help="Make the metrics known to `evaluate` by name.", no_args_is_help=True)
app.add_typer(metrics_app, name="metrics")


@metrics_app.command("install")
def install_metrics() -> None:
    """Make evaluate.load("eder") work on this machine, from any directory, without network; likewise the others."""
    from modeling_sed.metric_modules import MODULES, install_module

    for name in MODULES:
        typer.echo(f"{name}: {install_module(name)}")


push_app = typer.Typer(help="Publish on the Hub.", no_args_is_help=True)
app.add_typer(push_app, name="push")
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


@app.command()
def convert(
    source: Annotated[str, typer.Argument(help="Folder or hub id of a checkpoint of SpeechBrain's recipe.")],
    output_dir: Annotated[Path, typer.Argument(help="New folder for the model.")],
    encoder: Annotated[
        str | None, typer.Option(help="Folder or hub id with the encoder's config.json; default: what it names.")
    ] = None,
) -> None:
    """Make a model of this package of the authors' released checkpoints."""
    from modeling_sed.convert_speechbrain import convert_speechbrain

    try:
        typer.echo(convert_speechbrain(source, output_dir, encoder))
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


export_app = typer.Typer(help="Write a model for other runtimes.", no_args_is_help=True)
app.add_typer(export_app, name="export")


@export_app.callback()
def export() -> None:
    """Write a model for other runtimes."""


@export_app.command("onnx")
def export_to_onnx(
    output_dir: Annotated[Path, typer.Argument(help="New folder for the graph and the code that runs it.")],
    model: Annotated[str, typer.Option(help="Folder or hub id of a trained model.")],
    int8: Annotated[bool, typer.Option("--int8", help="8 bit integers: smaller, and faster on CPUs.")] = False,
) -> None:
    """Write a model for ONNX Runtime: python OUTPUT_DIR/diarize_onnx.py call.wav needs no torch."""
    try:
        from modeling_sed.export_onnx import export_onnx
    except ImportError as error:
        raise typer.BadParameter("export onnx needs pip install 'speech-emotion-diarization[onnx]'") from error
    try:
        typer.echo(export_onnx(model, output_dir, int8=int8))
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


@app.command()
def diarize(
    model: Annotated[str, typer.Option(help="Folder or hub id of a trained model.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Recordings.")] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Folder of a dataset: diarize its utterances, with the truth beside.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first utterances of the dataset.", min=1)] = None,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="What to print.")] = OutputFormat.table,
    plot: Annotated[Path | None, typer.Option(help="Draw the timelines into this file (.png, .svg, .pdf).")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps …; default: the best there is.")] = None,
    batch_size: Annotated[int, typer.Option(help="Windows that go through the model at once.", min=1)] = 1,
    window: Annotated[
        float | None, typer.Option(help="Seconds of a window of a long recording; 0: whole recordings at once.")
    ] = None,
) -> None:
    """Print the emotion segments of recordings, with times in seconds and scores."""
    if not files and dataset is None:
        raise typer.BadParameter("Give recordings, or a --dataset.")
    recordings = [{"name": str(file), "audio": file} for file in files or []]
    if dataset is not None:
        recordings += list(_dataset_recordings(dataset, split, limit))
    pipeline = _load_pipeline(model, device)
    options = {"batch_size": batch_size, **({} if window is None else {"window": window or None})}
    results, failed = [], False
    for recording in recordings:
        try:
            results.append(_diarize_one(pipeline, recording, options, with_waveform=plot is not None))
        except (ValueError, OSError, ImportError) as error:
            failed = True
            typer.echo(f"error: {error}", err=True)
            continue
        if output_format is OutputFormat.table:
            _print_table(results[-1])
    if output_format is OutputFormat.json:
        typer.echo(json.dumps([{k: v for k, v in item.items() if k != "waveform"} for item in results], indent=2))
    if plot is not None and results:
        _save_picture("plot_timelines", results, plot)
    if failed:
        raise typer.Exit(1)


@app.command()
def score(
    reference: Annotated[Path, typer.Argument(help="The truth: ZED.json, our JSON, RTTM, TextGrid, CSV, or a folder.")],
    hypothesis: Annotated[Path, typer.Argument(help="The predictions, in any of these formats.")],
    durations: Annotated[
        Path | None, typer.Option(help="CSV (name,duration) or UEM file, where the annotations do not tell durations.")
    ] = None,
    neutral: Annotated[
        list[str] | None, typer.Option(help="Label that means no emotion (neutral); repeatable.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label that may occur (any); repeatable.")] = None,
    collar: Annotated[float, typer.Option(help="Seconds around reference borders that are not scored.")] = 0.0,
    confidence: Annotated[float, typer.Option(help="Level of the bootstrap interval.")] = 0.95,
    boundaries: Annotated[bool, typer.Option("--boundaries", help="Also onset and offset errors, event F1.")] = False,
    per_utterance: Annotated[bool, typer.Option("--per-utterance", help="Also each utterance's rates.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the errors of the worst utterances into this file.")] = None,
    worst: Annotated[int, typer.Option(help="How many utterances to draw.", min=1)] = 5,
) -> None:
    """Score predicted segments against the truth: EDER with its components, and the sequences of emotions."""
    from modeling_sed.annotation_files import read_annotations, read_durations
    from modeling_sed.scoring_report import format_report, pair_annotations, score_pairs, worst_utterances

    neutral_labels = neutral or ["neutral"]
    try:
        pairs = pair_annotations(
            read_annotations(reference), read_annotations(hypothesis), durations and read_durations(durations)
        )
        result = score_pairs(
            pairs, neutral_labels, boundaries=boundaries, labels=label, collar=collar, confidence_interval=confidence
        )
    except (ValueError, OSError, ImportError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if plot is not None:
        _save_picture("plot_errors", worst_utterances(pairs, result, worst, neutral_labels), plot)
    if as_json:
        rows = _utterance_rows(result)
        typer.echo(json.dumps({**result, "per_utterance": rows} if per_utterance else result, indent=2))
    else:
        typer.echo(format_report(result, per_utterance))


def _utterance_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Takes the columns of each utterance's rates out of a result and makes a row of each utterance."""
    columns = {"name": result.pop("names"), **result.pop("per_utterance")}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _dataset_recordings(folder: Path, split: str, limit: int | None) -> Iterator[dict[str, Any]]:
    from datasets import load_from_disk

    try:
        rows = load_from_disk(str(folder))[split]
    except (OSError, KeyError) as error:
        raise typer.BadParameter(f"{folder} is not a dataset with a split {split!r}.") from error
    for row in rows.select(range(min(limit or len(rows), len(rows)))):
        yield {"name": row["id"], "audio": row["audio"], "reference": row["segments"]}


def _load_pipeline(model: str, device: str | None) -> SpeechEmotionDiarizationPipeline:
    from transformers import pipeline

    import modeling_sed

    try:
        return pipeline(modeling_sed.TASK, model=model, device=device)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"cannot load the model {model}: {error}") from error


def _diarize_one(
    pipeline: SpeechEmotionDiarizationPipeline, recording: dict[str, Any], options: dict[str, Any], with_waveform: bool
) -> dict[str, Any]:
    from modeling_sed.audio_sed import load_recording
    from modeling_sed.segments import with_neutral

    config = pipeline.model.config
    segments = pipeline(recording["audio"], **options)
    duration = segments[-1]["end"]
    result = {"name": recording["name"], "duration": duration, "segments": segments}
    if with_waveform:
        result["waveform"] = load_recording(recording["audio"], config.sampling_rate).waveform
    if "reference" in recording:
        result["reference"] = with_neutral(recording["reference"], duration, config.neutral_label)
    return result


def _print_table(result: dict[str, Any]) -> None:
    from modeling_sed.segments import format_table

    typer.echo(f"{result['name']} ({result['duration']:.2f} s)")
    typer.echo(format_table(result["segments"], result.get("reference")) + "\n")


def _save_picture(drawing: str, items: list[dict[str, Any]], path: Path) -> None:
    """Calls a function of plotting.py and saves its figure."""
    try:
        from modeling_sed import plotting
    except ImportError as error:
        raise typer.BadParameter("--plot needs matplotlib: pip install 'speech-emotion-diarization[plot]'") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        getattr(plotting, drawing)(items).savefig(path, dpi=150)
    except ValueError as error:
        raise typer.BadParameter(f"cannot draw into {path}: {error}") from error


def main() -> None:
    """Entry point of the console command."""
    app()
