"""`emotion-diarization diarize`: the timeline of each recording, printed or written to a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..annotations.annotation import Annotation
from ..annotations.files import FORMATS
from ..annotations.text_table import write_table
from ..frames_sed import InputError
from ..hub.bundled_model import BUNDLED_MODEL
from .pictures import Pictures, draw_timeline

if TYPE_CHECKING:  # importing them takes seconds
    from ..front_end.signals import FrontEnd
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline
    from ..recordings.sources import Recordings


WRITERS = {"table": write_table, **{name: kind.write for name, kind in FORMATS.items()}}
OutputFormat = Enum("OutputFormat", {name: name for name in WRITERS}, type=str)  # type: ignore[misc]


def diarize(
    files: Annotated[list[str] | None, typer.Argument(help="Recordings: files or URLs.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of a trained model. Default: the one in the package.")
    ] = None,
    file_list: Annotated[Path | None, typer.Option("--list", help="Text file with one recording per line.")] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Folder of a dataset: diarize its utterances, and print the reference beside the result."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first utterances of the dataset.", min=1)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write JSON to this file instead of printing. A killed run is resumed by the same command, and the "
            "processes of `accelerate launch -m modeling_sed diarize …` share the recordings."
        ),
    ] = None,
    output_format: Annotated[
        OutputFormat,
        typer.Option(
            "--format",
            help="What to print; json, jsonl, csv, rttm and table for any number of recordings, others for one.",
        ),
    ] = OutputFormat["table"],
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw the timelines into this file: .pdf has a page for each recording; .png and .svg become a file "
            "for each, numbered (name_001.png …), if there are several."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps … Default: the best there is.")] = None,
    dtype: Annotated[str | None, typer.Option(help="bfloat16, float16 … Default: as the model was saved.")] = None,
    compile_model: Annotated[
        bool,
        typer.Option("--compile", help="Use torch.compile: slow for the first few lengths, then a little faster."),
    ] = False,
    batch_size: Annotated[
        str, typer.Option(help="Windows that go through the model at once: a number, or auto (as memory allows).")
    ] = "auto",
    window: Annotated[
        float | None, typer.Option(help="Seconds of a window of a long recording; 0 for whole recordings.")
    ] = None,
    max_duration: Annotated[
        float | None, typer.Option(help="Refuse recordings of more seconds; default: 24 hours.", min=0)
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="How frames become segments: the name of a decoder, with its default parameters, or JSON with its "
            "name and parameters. Default: the model's own, fitted in training; argmax: the paper's."
        ),
    ] = None,
    front_end: Annotated[
        list[str] | None,
        typer.Option(
            help="Process recordings before the model: vad, cut, split, loudness, denoise, dereverberate, or the hub "
            "id of a SepFormer; repeatable, in order."
        ),
    ] = None,
    per_channel: Annotated[
        bool, typer.Option("--per-channel", help="Diarize each channel as a recording of its own.")
    ] = False,
    turns: Annotated[
        Path | None, typer.Option(help="RTTM file of who speaks when: print the emotions of each speaker.")
    ] = None,
) -> None:
    """Find the emotions of recordings: segments with times in seconds and scores."""
    if output is not None and plot is not None:
        raise typer.BadParameter("--plot draws what is printed: not together with --output.")
    if per_channel and turns is not None:
        raise typer.BadParameter("--turns are those of a whole recording: not together with --per-channel.")
    if output is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise typer.BadParameter("Several processes need an --output, which they share.")
    if sum(source is not None and source != [] for source in (files, file_list, dataset)) != 1:
        raise typer.BadParameter("Give recordings, a --list of them, or a --dataset.")
    if output is not None and output_format.value not in ("table", "json"):
        raise typer.BadParameter("--output writes JSON: --format is for what is printed.")
    options: dict[str, Any] = {"batch_size": _batch_size(batch_size), "turns": turns}
    if window is not None:
        options["window"] = window or None
    if max_duration is not None:
        options["max_duration"] = max_duration
    recordings = _recordings(files, file_list, dataset, split, limit)
    if per_channel:
        recordings = recordings.by_channel()
    if output is None:
        _check_format(output_format.value, recordings)
    pictures = Pictures(plot) if plot is not None else None
    if front_end:
        options["front_end"] = _front_end(front_end)
    failures: list[InputError] = []

    def report(failure: InputError) -> None:
        failures.append(failure)
        typer.echo(f"error: {failure}", err=True)

    from ..recordings.diarization import device_of_process, diarize_into_file
    from .model_loading import load_pipeline

    pipeline = load_pipeline(model, device or device_of_process(), dtype, compile_model)
    options["decoder"] = _decoder(decoder, len(pipeline.model.config.labels))
    if output is None:
        _diarize_and_print(pipeline, recordings, report, options, output_format.value, pictures)
    else:
        settings = {
            "model": model or str(BUNDLED_MODEL),
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
        if count is not None:
            typer.echo(f"{count} recordings in {output}")
    if failures:
        raise typer.Exit(1)


def _check_format(name: str, recordings: Recordings) -> None:
    """Lets the format refuse the recordings before the model is loaded: too many, or names that it cannot hold."""
    try:
        WRITERS[name]((Annotation(recording, duration=1.0) for recording in recordings.names), StringIO())
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--format") from error


def _batch_size(value: str) -> int | str:
    if value == "auto":
        return value
    if not value.isdecimal() or int(value) == 0:
        raise typer.BadParameter(f"--batch-size {value}: must be a number from 1, or auto.")
    return int(value)


def _recordings(
    files: list[str] | None, file_list: Path | None, dataset: Path | None, split: str, limit: int | None
) -> Recordings:
    from ..recordings.sources import Recordings

    if dataset is not None:
        return Recordings.of_dataset(dataset, split, limit)
    if file_list is not None:
        return Recordings.of_list(file_list)
    return Recordings.of_files(files or [])


def _front_end(names: list[str]) -> FrontEnd:
    from ..dataset_scripts.speech_activity import speech_intervals
    from ..front_end.processors import check_names, front_end_of

    try:
        check_names(names)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--front-end") from error
    return front_end_of(names, speech_intervals)


def _decoder(value: str | None, label_count: int) -> str | dict[str, Any] | None:
    from ..decoding_sed import check_decoder

    try:
        decoder = json.loads(value) if value and value.startswith("{") else value
        check_decoder(decoder, label_count)
    except ValueError as error:  # not JSON, or no such decoder
        raise typer.BadParameter(str(error), param_hint="--decoder") from error
    return decoder


def _diarize_and_print(
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    report: Callable[[InputError], None],
    options: dict[str, Any],
    output_format: str,
    pictures: Pictures | None,
) -> None:
    from ..audio_sed import MAX_DURATION
    from ..recordings.diarization import diarize_recordings

    count = len(recordings.names)

    def annotations() -> Iterator[Annotation]:
        for position, result in diarize_recordings(pipeline, recordings, range(count), report, **options):
            if pictures is not None:
                limit = options.get("max_duration", MAX_DURATION)
                figure = draw_timeline(result, recordings.audio(position), pipeline.model.config, limit)
                pictures.add(figure, position + 1, count)
            yield Annotation(**result)

    with pictures or nullcontext():
        WRITERS[output_format](annotations(), sys.stdout)
