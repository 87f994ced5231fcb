"""`emotion-diarization live`: segments while they are spoken, from a microphone or a pipe."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from ..annotations.text_table import format_segment
from ..frames_sed import Segment
from .terminal import is_terminal, timeline, wants_colors

if TYPE_CHECKING:
    import numpy as np

SHOWN = 60.0  # seconds of the moving timeline
CLEAR_LINE = "\r\x1b[K"

Item = TypeVar("Item")


class LiveFormat(str, Enum):
    """How segments are printed."""

    lines = "lines"
    jsonl = "jsonl"


def live(
    source: Annotated[
        str | None,
        typer.Argument(
            help="- for audio from standard input, in any format that needs no rewinding. Default: a microphone."
        ),
    ] = None,
    microphone: Annotated[
        str | None, typer.Option(help="Number or part of the name of a microphone. Default: the system's.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of a trained model. Default: the one in the package.")
    ] = None,
    output_format: Annotated[
        LiveFormat, typer.Option("--format", help="lines: start, end, label and score; jsonl: a JSON object a line.")
    ] = LiveFormat.lines,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps … Default: the best there is.")] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="auto (bfloat16 where the device computes in it), bfloat16, float16 … Default: as saved."),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(help="Seconds that the model hears at once: less answers sooner, and is less accurate."),
    ] = None,
    context: Annotated[
        float | None, typer.Option(help="Seconds that neighbouring windows have in common on either side.")
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(help="Name of a decoder that needs not hear the end, or JSON with its name and parameters."),
    ] = None,
) -> None:
    """Find emotions while they are spoken, until Ctrl-C or the end of the input; a segment appears when it is final."""
    if source not in (None, "-"):
        raise typer.BadParameter(f"{source}: only - is possible, for standard input; for files, use `diarize`.")
    options: dict[str, Any] = {"window": window, "context": context, "decoder": _decoder(decoder)}
    rate, blocks = _open(source, microphone)
    from ..recordings.streaming import StreamingDiarizer
    from .model_loading import load_pipeline

    pipeline = load_pipeline(model, device, dtype)
    given = {name: value for name, value in options.items() if value is not None}
    diarizer = StreamingDiarizer(pipeline, rate, **given)
    moving = MovingTimeline(sys.stderr) if is_terminal(sys.stderr) else None
    typer.echo("listening; Ctrl-C ends", err=True)

    def show(segments: list[Segment]) -> None:
        if moving is not None:
            moving.clear()
        for segment in segments:
            typer.echo(json.dumps(segment) if output_format is LiveFormat.jsonl else format_segment(segment))
        if moving is not None:
            moving.draw(segments, diarizer.outlook(), diarizer.duration)

    with closing(blocks):
        for samples in until_interrupted(blocks):
            second = int(diarizer.duration)
            if (segments := diarizer.step(samples)) or int(diarizer.duration) > second:
                show(segments)
    if moving is not None:
        moving.clear()
        moving = None
    show(diarizer.finish())


class MovingTimeline:
    """The time and the last minute, in one line of a terminal that is drawn anew."""

    def __init__(self, stream: TextIO):
        self._stream, self._final = stream, list[Segment]()

    def draw(self, final: list[Segment], outlook: list[Segment], duration: float) -> None:
        """Draws the segments that are final, new ones and old ones, and those that may change."""
        beginning = max(duration - SHOWN, 0.0)
        self._final = [segment for segment in [*self._final, *final] if segment["end"] > beginning]
        clock = f"{int(duration) // 60:3d}:{int(duration) % 60:02d} "
        columns = max(shutil.get_terminal_size().columns - len(clock) - 1, 1)
        shown: list[Segment] = [
            {"start": segment["start"] - beginning, "end": segment["end"] - beginning, "label": segment["label"]}
            for segment in [*self._final, *outlook]
        ]
        print(
            CLEAR_LINE + clock + timeline(shown, SHOWN, columns, wants_colors()), end="", file=self._stream, flush=True
        )

    def clear(self) -> None:
        """Leaves the line empty, for others to write there."""
        print(CLEAR_LINE, end="", file=self._stream, flush=True)


def until_interrupted(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, until Ctrl-C, which does not interrupt what is done with an item."""
    pressed = waiting = False

    def on_interrupt(*_: object) -> None:
        nonlocal pressed
        pressed = True
        if waiting:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        while not pressed:
            waiting = True
            item = next(items)
            waiting = False
            yield item
    except (KeyboardInterrupt, StopIteration):
        pass
    finally:
        signal.signal(signal.SIGINT, before)


def _open(source: str | None, microphone: str | None) -> tuple[int, Generator[np.ndarray, None, None]]:
    if source is None:
        from ..recordings.microphone import open_microphone

        return open_microphone(microphone)
    if sys.stdin.isatty():
        raise typer.BadParameter(
            "Nothing is piped into standard input: ffmpeg -i … -f wav - | emotion-diarization live -"
        )
    from ..audio_files_sed import open_pipe

    return open_pipe(os.fdopen(0, "rb", buffering=0, closefd=False), "standard input")


def _decoder(value: str | None) -> str | dict[str, Any] | None:
    try:
        return json.loads(value) if value and value.startswith("{") else value
    except ValueError as error:
        raise typer.BadParameter(f"{value}: not JSON ({error}).", param_hint="--decoder") from error
