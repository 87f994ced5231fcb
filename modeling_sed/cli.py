"""The console command `emotion-diarization`. Exit codes: 0 done, 1 a recording failed, 2 wrong usage."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .push_commands import push_app

if TYPE_CHECKING:  # torch and transformers take seconds to import: only when there is something to do
    from modeling_sed.frontend import FrontEnd
    from modeling_sed.pipeline_sed import SpeechEmotionDiarizationPipeline
    from modeling_sed.recordings import Recordings

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


app.add_typer(push_app, name="push")


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
    files: Annotated[list[str] | None, typer.Argument(help="Recordings: files or URLs.")] = None,
    file_list: Annotated[Path | None, typer.Option("--list", help="Text file with a recording a line.")] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Folder of a dataset: diarize its utterances, with the truth beside.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first utterances of the dataset.", min=1)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write JSON into this file instead of printing. Goes on where a killed run stopped, and lets the "
            "processes of `accelerate launch -m modeling_sed diarize …` share the recordings."
        ),
    ] = None,
    output_format: Annotated[OutputFormat, typer.Option("--format", help="What to print.")] = OutputFormat.table,
    plot: Annotated[Path | None, typer.Option(help="Draw the timelines into this file (.png, .svg, .pdf).")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps …; default: the best there is.")] = None,
    dtype: Annotated[str | None, typer.Option(help="bfloat16, float16 …; default: as the model was saved.")] = None,
    compile_model: Annotated[
        bool, typer.Option("--compile", help="torch.compile: minutes for the first few lengths, a little faster then.")
    ] = False,
    batch_size: Annotated[
        str, typer.Option(help="Windows that go through the model at once: a number, or auto: as memory allows.")
    ] = "auto",
    window: Annotated[
        float | None, typer.Option(help="Seconds of a window of a long recording; 0: whole recordings at once.")
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="How frames become segments: a decoder's name, or JSON with its parameters, too; default: what was "
            "fitted in training; argmax: the paper's."
        ),
    ] = None,
    front_end: Annotated[
        list[str] | None,
        typer.Option(
            help="What happens before the model: vad, cut, split, loudness, denoise, dereverberate, "
            "or the hub id of a SepFormer; repeatable."
        ),
    ] = None,
    per_channel: Annotated[bool, typer.Option("--per-channel", help="Each channel is a recording of its own.")] = False,
    turns: Annotated[Path | None, typer.Option(help="RTTM file of who speaks when: emotions by speaker.")] = None,
) -> None:
    """Print the emotion segments of recordings, with times in seconds and scores."""
    if output is not None and plot is not None:
        raise typer.BadParameter("--plot draws what is printed: not together with --output.")
    if per_channel and turns is not None:
        raise typer.BadParameter("--turns are those of a whole recording: not together with --per-channel.")
    recordings = _find_recordings(files, file_list, dataset, split, limit)
    if per_channel:
        recordings = recordings.by_channel()
    options = {
        "batch_size": _batch_size(batch_size),
        "front_end": _front_end(front_end) if front_end else None,
        "turns": turns,
        **({} if window is None else {"window": window or None}),
    }
    failures = []

    def report(error: Exception) -> None:
        failures.append(error)
        typer.echo(f"error: {error}", err=True)

    if output is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise typer.BadParameter("Several processes need an --output, which they share.")
    from modeling_sed.recordings import device_of_process, diarize_into_file

    pipeline = _load_pipeline(model, device or device_of_process(), dtype, compile_model)
    options["decoder"] = _decoder(decoder, len(pipeline.model.config.labels))
    if output is None:
        _diarize_and_print(pipeline, recordings, report, options, output_format, plot)
    else:
        try:
            settings = {
                "model": model,
                "dataset": dataset and str(dataset),
                "split": split if dataset else None,
                "window": window,
                "dtype": dtype,
                "decoder": decoder,
                "front_end": front_end,
                "turns": turns and str(turns),
            }
            settings = {name: value for name, value in settings.items() if value is not None}
            count = diarize_into_file(output, pipeline, recordings, report, settings, **options)
        except (ValueError, OSError) as error:
            raise typer.BadParameter(str(error)) from error
        if count is not None:
            typer.echo(f"{count} recordings in {output}")
    if failures:
        raise typer.Exit(1)


@app.command()
def tune(
    model: Annotated[Path, typer.Option(help="Folder of a trained model; its config.json is changed.")],
    dataset: Annotated[Path, typer.Option(help="Folder of a dataset.")],
    split: Annotated[
        str, typer.Option(help="Split that the model was not trained on, and is not tested on.")
    ] = "validation",
    decoder: Annotated[list[str] | None, typer.Option(help="Only this decoder; repeatable.")] = None,
) -> None:
    """Fit the decoder of a model and the confidence of its scores on a validation split (training does it, too)."""
    from modeling_sed import decoder_tuning
    from modeling_sed.decoding_sed import check_decoder
    from modeling_sed.recordings import dataset_split

    try:
        rows = dataset_split(dataset, split)
        pipeline = _load_pipeline(str(model), None, None, False)
        for name in decoder or ():
            check_decoder(name, len(pipeline.model.config.labels))
        fitted = decoder_tuning.fit(decoder_tuning.posteriors_of(pipeline, rows), pipeline.model.config, decoder)
        decoder_tuning.store(model, pipeline.model.config)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    error = fitted["calibration_error"]
    typer.echo(
        f"temperature {fitted['temperature']:.2f}: expected calibration error {100 * error['before']:.2f} % -> "
        f"{100 * error['after']:.2f} %"
    )
    typer.echo(f"EDER on {split}, the first one is the model's decoder from now on:")
    for result in fitted["decoders"].values():
        typer.echo(f"  {100 * result['eder']:6.2f} %  {json.dumps(result['decoder'])}")


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


def _find_recordings(
    files: list[str] | None, file_list: Path | None, dataset: Path | None, split: str, limit: int | None
) -> Recordings:
    from modeling_sed.recordings import Recordings

    if sum(source is not None and source != [] for source in (files, file_list, dataset)) != 1:
        raise typer.BadParameter("Give recordings, a --list of them, or a --dataset.")
    try:
        if dataset is not None:
            return Recordings.of_dataset(dataset, split, limit)
        if file_list is not None:
            files = [line.strip() for line in file_list.read_text(encoding="utf-8").splitlines() if line.strip()]
        return Recordings.of_files(files)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


def _decoder(value: str | None, label_count: int) -> str | dict[str, Any] | None:
    from modeling_sed.decoding_sed import check_decoder

    try:
        decoder = json.loads(value) if value and value.startswith("{") else value
        check_decoder(decoder, label_count)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--decoder") from error
    return decoder


def _front_end(names: list[str]) -> FrontEnd:
    from modeling_sed.dataset_scripts.speech_activity import speech_intervals
    from modeling_sed.frontend_processors import front_end_of

    try:
        return front_end_of(names, speech_intervals)
    except (ValueError, OSError, ImportError) as error:
        raise typer.BadParameter(str(error), param_hint="--front-end") from error


def _batch_size(value: str) -> int | str:
    if value == "auto":
        return value
    if not value.isdecimal() or int(value) == 0:
        raise typer.BadParameter(f"--batch-size {value}: must be a number from 1, or auto.")
    return int(value)


def _load_pipeline(
    model: str, device: str | None, dtype: str | None, compile_model: bool
) -> SpeechEmotionDiarizationPipeline:
    import torch
    from transformers import pipeline

    import modeling_sed

    if dtype is not None and not isinstance(getattr(torch, dtype, None), torch.dtype):
        raise typer.BadParameter(f"--dtype {dtype}: must be one of torch's, such as float32, bfloat16, float16.")
    try:
        found = pipeline(modeling_sed.TASK, model=model, device=device, dtype=dtype)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"cannot load the model {model}: {error}") from error
    if compile_model:
        found.model.compile()
    return found


def _diarize_and_print(
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    report: Callable[[Exception], None],
    options: dict[str, Any],
    output_format: OutputFormat,
    plot: Path | None,
) -> None:
    from modeling_sed.audio_sed import load_recording
    from modeling_sed.recordings import diarize_recordings

    results = []
    for position, result in diarize_recordings(pipeline, recordings, range(len(recordings.names)), report, **options):
        results.append(result)
        if output_format is OutputFormat.table:
            _print_table(result)
        if plot is not None:
            sampling_rate = pipeline.model.config.sampling_rate
            waveform = load_recording(recordings.audio(position), sampling_rate).waveform
            results[-1] = {**result, "waveform": waveform}
    if output_format is OutputFormat.json:
        typer.echo(json.dumps([{k: v for k, v in item.items() if k != "waveform"} for item in results], indent=2))
    if plot is not None and results:
        _save_picture("plot_timelines", results, plot)


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
