"""The console command `emotion-diarization`. Exit codes: 0 done, 1 a recording failed, 2 wrong usage."""

from __future__ import annotations

import json
from collections.abc import Iterator
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


@app.callback()
def _commands() -> None:
    """Makes typer keep the subcommand's name while there is only one."""


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
) -> None:
    """Print the emotion segments of recordings, with times in seconds and scores."""
    if not files and dataset is None:
        raise typer.BadParameter("Give recordings, or a --dataset.")
    recordings = [{"name": str(file), "audio": file} for file in files or []]
    if dataset is not None:
        recordings += list(_dataset_recordings(dataset, split, limit))
    pipeline = _load_pipeline(model, device)
    results, failed = [], False
    for recording in recordings:
        try:
            results.append(_diarize_one(pipeline, recording))
        except (ValueError, OSError, ImportError) as error:
            failed = True
            typer.echo(f"error: {error}", err=True)
            continue
        if output_format is OutputFormat.table:
            _print_table(results[-1])
    if output_format is OutputFormat.json:
        typer.echo(json.dumps([{k: v for k, v in item.items() if k != "waveform"} for item in results], indent=2))
    if plot is not None and results:
        _save_plot(results, plot)
    if failed:
        raise typer.Exit(1)


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


def _diarize_one(pipeline: SpeechEmotionDiarizationPipeline, recording: dict[str, Any]) -> dict[str, Any]:
    from modeling_sed.audio_sed import load_recording
    from modeling_sed.segments import with_neutral

    config = pipeline.model.config
    waveform, duration, _ = load_recording(recording["audio"], config.sampling_rate)
    result = {
        "name": recording["name"],
        "duration": duration,
        "segments": pipeline(recording["audio"]),
        "waveform": waveform,
    }
    if "reference" in recording:
        result["reference"] = with_neutral(recording["reference"], duration, config.neutral_label)
    return result


def _print_table(result: dict[str, Any]) -> None:
    from modeling_sed.segments import format_table

    typer.echo(f"{result['name']} ({result['duration']:.2f} s)")
    typer.echo(format_table(result["segments"], result.get("reference")) + "\n")


def _save_plot(results: list[dict[str, Any]], path: Path) -> None:
    try:
        from modeling_sed.plotting import plot_timelines
    except ImportError as error:
        raise typer.BadParameter("--plot needs matplotlib: pip install 'speech-emotion-diarization[plot]'") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        plot_timelines(results).savefig(path, dpi=150)
    except ValueError as error:
        raise typer.BadParameter(f"cannot draw into {path}: {error}") from error


def main() -> None:
    """Entry point of the console command."""
    app()
