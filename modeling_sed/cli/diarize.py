"""`emotion-diarization diarize`: the timeline of each recording, printed or written to files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..frames_sed import InputError
from .pictures import Pictures, draw_timeline
from .progress import progress_of
from .recording_paths import expanded
from .results import OutputFormat, Writer, printed, results_at
from .transcripts import check_transcript

if TYPE_CHECKING:  # importing them takes seconds
    from ..front_end.signals import FrontEnd
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline
    from ..recordings.diarization import Result
    from ..recordings.sources import Recordings


def diarize(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Recordings: files, folders, patterns, http(s) addresses, - for standard input."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder or hub id of a model, or of one of the paper's authors. Default: the one in the package.",
            rich_help_panel="Model",
        ),
    ] = None,
    file_list: Annotated[Path | None, typer.Option("--list", help="Text file with one recording per line.")] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Folder of a dataset: diarize its utterances, and print the reference beside the result."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first utterances of the dataset.", min=1)] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only the I-th of N parts of the recordings, for N machines; `emotion-diarization join` joins them.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="Write a file for each recording into this folder, or all into this file, instead of printing. A "
            "killed run is resumed by the same command, and the processes of `accelerate launch -m modeling_sed "
            "diarize …` share the recordings.",
            rich_help_panel="Results",
        ),
    ] = None,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            "--format",
            help="json, jsonl, csv, rttm and tables hold any number of recordings, the others one. Default: a coloured "
            "timeline on a terminal, else a table; as the suffix of the file says; in a folder, json.",
            rich_help_panel="Results",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw the timelines into this file: .pdf has a page for each recording; .png and .svg become a file "
            "for each, numbered (name_001.png …), if there are several.",
            rich_help_panel="Results",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps … Default: the best there is.", rich_help_panel="Model")
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="auto (bfloat16 where the device computes in it), bfloat16, float16 … Default: as saved.",
            rich_help_panel="Model",
        ),
    ] = None,
    compile_model: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Use torch.compile: slow for the first few lengths, then a little faster.",
            rich_help_panel="Model",
        ),
    ] = False,
    batch_size: Annotated[
        str,
        typer.Option(
            help="Windows that go through the model at once: a number, or auto (as memory allows).",
            rich_help_panel="Model",
        ),
    ] = "auto",
    window: Annotated[
        float | None,
        typer.Option(
            help="Seconds of a window of a long recording; 0 for whole recordings.", min=0, rich_help_panel="Model"
        ),
    ] = None,
    max_duration: Annotated[
        float | None,
        typer.Option(
            help="Refuse recordings of more seconds; default: 24 hours.",
            min=0,
            rich_help_panel="Sound, speakers, words",
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help="How frames become segments: the name of a decoder, with its default parameters, or JSON with its "
            "name and parameters. Default: the model's own, fitted in training; argmax: the paper's.",
            rich_help_panel="Model",
        ),
    ] = None,
    front_end: Annotated[
        list[str] | None,
        typer.Option(
            help="Process recordings before the model: vad, cut, split, loudness, denoise, dereverberate, or the hub "
            "id of a SepFormer; repeatable, in order.",
            rich_help_panel="Sound, speakers, words",
        ),
    ] = None,
    per_channel: Annotated[
        bool,
        typer.Option(
            "--per-channel",
            help="Diarize each channel as a recording of its own.",
            rich_help_panel="Sound, speakers, words",
        ),
    ] = False,
    turns: Annotated[
        Path | None,
        typer.Option(
            help="RTTM file of who speaks when: print the emotions of each speaker.",
            rich_help_panel="Sound, speakers, words",
        ),
    ] = None,
    transcript: Annotated[
        Path | None,
        typer.Option(
            help="Transcript of the recording (JSON of WhisperX, faster-whisper or openai-whisper, SRT, WebVTT), or "
            "folder with one for each: print the emotion of each sentence; with --format json, of each word, too.",
            rich_help_panel="Sound, speakers, words",
        ),
    ] = None,
) -> None:
    """Find the emotions of recordings: segments with times in seconds and scores."""
    _check_combination(output, plot, per_channel, turns, transcript)
    if sum(source is not None and source != [] for source in (paths, file_list, dataset)) != 1:
        raise typer.BadParameter("Give recordings, a --list of them, or a --dataset.")
    options: dict[str, Any] = {"batch_size": _batch_size(batch_size), "turns": turns, "transcript": transcript}
    options["decoder"] = _decoder(decoder)
    if window is not None:
        options["window"] = _window(window)
    if max_duration is not None:
        options["max_duration"] = max_duration
    if front_end:
        options["front_end"] = _front_end(front_end)
    recordings, others = _recordings(paths, file_list, dataset, split, limit, shard)
    if per_channel:
        recordings = recordings.by_channel()
    if transcript is not None:
        check_transcript(transcript, len(recordings.names))
    chosen = output_format and output_format.value
    if output is None:
        write = printed(chosen, recordings.names, transcript is not None)
    else:
        named = [*recordings.names, *others]  # what files are called depends on all
        results = results_at(output, chosen, named, transcript is not None)
    pictures = Pictures(plot) if plot is not None else None
    failures: list[InputError] = []

    def report(failure: InputError) -> None:
        failures.append(failure)
        typer.echo(f"error: {failure}", err=True)

    from .model_loading import garbage_uncollected, load_pipeline

    with garbage_uncollected():
        from ..checkpoints.opening import digest_of_model
        from ..recordings.diarization import device_of_process, diarize_into

        pipeline = load_pipeline(model, device or device_of_process(), dtype, compile_model)
    options["return_scores"] = pictures is not None and not front_end
    if output is None:
        _diarize_and_print(pipeline, recordings, report, options, write, pictures)
    else:
        settings = {
            "model": model or "the model that comes with the package",
            "weights": digest_of_model(Path(pipeline.model.name_or_path)),
            **_given(dataset=dataset, split=split if dataset else None, window=window, dtype=dtype, decoder=decoder),
            **_given(front_end=front_end, turns=turns, transcript=transcript, shard=shard),
        }
        progress = progress_of(pipeline, recordings.names)
        count = diarize_into(results, settings, pipeline, recordings, report, progress, **options)
        if count is not None:
            typer.echo(f"{count} recordings in {output}")
    if failures:
        raise typer.Exit(1)


def _check_combination(
    output: str | None, plot: Path | None, per_channel: bool, turns: Path | None, transcript: Path | None
) -> None:
    if output is not None and plot is not None:
        raise typer.BadParameter("--plot draws what is printed: not together with --output.")
    if per_channel and turns is not None:
        raise typer.BadParameter("--turns are those of a whole recording: not together with --per-channel.")
    if per_channel and transcript is not None:
        raise typer.BadParameter("A --transcript is that of a whole recording: not together with --per-channel.")
    if output is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise typer.BadParameter("Several processes need an --output, which they share.")


def _given(**options: Any) -> dict[str, Any]:
    """Those of the options that have a value, as JSON has them."""
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _batch_size(value: str) -> int | str:
    if value == "auto":
        return value
    if not value.isdecimal() or int(value) == 0:
        raise typer.BadParameter(f"--batch-size {value}: must be a number from 1, or auto.")
    return int(value)


def _window(seconds: float) -> float | None:
    from ..pipeline_sed import CONTEXT

    if seconds and not 2 * CONTEXT < seconds < float("inf"):
        raise typer.BadParameter(f"--window {seconds:g}: must be more than {2 * CONTEXT:g} seconds, or 0.")
    return seconds or None


def _recordings(
    paths: list[str] | None,
    file_list: Path | None,
    dataset: Path | None,
    split: str,
    limit: int | None,
    shard: str | None,
) -> tuple[Recordings, list[str]]:
    """Those of the shard, and the names of all others."""
    from ..archive.shards import parse_shard, split_shard
    from ..recordings.sources import Recordings

    try:
        index, count = parse_shard(shard or "1/1")
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--shard") from error
    if dataset is not None:
        recordings = Recordings.of_dataset(dataset, split, limit)
    elif file_list is not None:
        recordings = Recordings.of_list(file_list)
    else:
        recordings = Recordings.of_files(expanded(paths or []))
    return split_shard(recordings, index, count)


def _front_end(names: list[str]) -> FrontEnd:
    from ..dataset_scripts.speech_activity import speech_intervals
    from ..front_end.processors import check_names, front_end_of

    try:
        check_names(names)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--front-end") from error
    return front_end_of(names, speech_intervals)


def _decoder(value: str | None) -> str | dict[str, Any] | None:
    from ..decoding_sed import check_decoder

    try:
        decoder = json.loads(value) if value and value.startswith("{") else value
        check_decoder(decoder, label_count=2)  # what it accepts does not depend on it
    except ValueError as error:  # not JSON, or no such decoder
        raise typer.BadParameter(str(error), param_hint="--decoder") from error
    return decoder


def _diarize_and_print(
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    report: Callable[[InputError], None],
    options: dict[str, Any],
    write: Writer,
    pictures: Pictures | None,
) -> None:
    from ..audio_sed import MAX_DURATION
    from ..recordings.diarization import diarize_recordings
    from ..recordings.watched_recordings import WatchedRecordings

    count = len(recordings.names)
    watched = WatchedRecordings(recordings)

    def results() -> Iterator[Result]:
        found = diarize_recordings(pipeline, watched.recordings, range(count), report, **options)
        found = progress_of(pipeline, recordings.names)(found, count)
        for position, _, result in watched.unchanged(found, report):
            if pictures is not None:
                limit = options.get("max_duration", MAX_DURATION)
                figure = draw_timeline(result, recordings.audio(position), pipeline.model.config, limit)
                pictures.add(figure, position + 1, count)
            result.pop("posteriors", None)
            result.pop("frame_times", None)
            yield result

    with pictures or nullcontext():
        write(results(), sys.stdout)
