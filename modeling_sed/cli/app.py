"""The console command `emotion-diarization`: its subcommands, and how errors are reported.

Exit codes: 0 success, 1 an input cannot be used (an `InputError`, which is printed as one line), 2 wrong usage. An
`InputWarning` is printed as one line, too. Anything else is a bug and keeps its traceback. Each subcommand is a file of
this folder and imports what it needs when it runs, so that the command starts at once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..dataset_scripts.errors import InputError as DatasetInputError
from ..frames_sed import InputError, InputWarning
from .build import build
from .compare import compare
from .convert import convert
from .diarize import diarize
from .export import export_app
from .join import join
from .live import live
from .metrics import metrics_app
from .page import show_page
from .push import push_app
from .score import score
from .train import train
from .tune import tune

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk, a quota or a limit


class Commands(TyperGroup):
    """Prints an `InputError` of a command, and each `InputWarning`, as one line."""

    def invoke(self, context: Any) -> object:
        with warnings.catch_warnings():
            if not sys.warnoptions:  # those of libraries are for programmers, who ask for them with python -W
                warnings.simplefilter("ignore")
            warnings.simplefilter("default", InputWarning)
            warnings.showwarning = partial(_show_warning, warnings.showwarning)
            try:
                found = super().invoke(context)
                sys.stdout.flush()
                return found
            except (InputError, DatasetInputError) as error:
                typer.echo(f"error: {error}", err=True)
                raise typer.Exit(1) from error
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                typer.echo(f"error: the output cannot be written ({error.strerror}).", err=True)
                sys.stdout = io.StringIO()  # it would be flushed again at the end, with a traceback
                raise typer.Exit(1) from error


def _show_warning(
    show: Callable[..., None], message: Warning | str, category: type[Warning], *place: Any, **more: Any
) -> None:
    if issubclass(category, InputWarning):
        typer.echo(f"warning: {message}", err=True)
    else:
        show(message, category, *place, **more)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emotion-diarization {version('speech-emotion-diarization')}")
        raise typer.Exit


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Speech Emotion Diarization: which emotion appears when?"""


app = typer.Typer(cls=Commands, callback=_options, no_args_is_help=True, pretty_exceptions_enable=False)
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}  # to a parser of its own, which has --help, too

app.command(epilog="Example: emotion-diarization diarize calls/ interview.mp4 --output timelines --format srt")(diarize)
app.command(epilog="Example: emotion-diarization join parts/*.jsonl --list calls.txt --output timelines.csv")(join)
app.command(epilog="Example: ffmpeg -i STREAM -f wav - | emotion-diarization live -")(live)
app.command("app", epilog="Example: emotion-diarization app")(show_page)
app.command(epilog="Example: emotion-diarization score ZED.json timelines.json --per-utterance")(score)
app.command(epilog="Example: emotion-diarization compare ZED.json old.json new.json --by speaker")(compare)
app.command(context_settings=PASSED_ON, add_help_option=False)(build)
app.command(context_settings=PASSED_ON, add_help_option=False)(train)
app.command(epilog="Example: emotion-diarization tune --model RUN --dataset OUT")(tune)
app.command(epilog="Example: emotion-diarization convert speechbrain/emotion-diarization-wavlm-large MODEL")(convert)
app.add_typer(export_app, name="export", epilog="Example: emotion-diarization export onnx OUTPUT_DIR --int8")
app.add_typer(push_app, name="push", epilog="Example: emotion-diarization push model RUN NAMESPACE/NAME")
app.add_typer(metrics_app, name="metrics", epilog="Example: emotion-diarization metrics install")


def main() -> None:
    """Entry point of the console command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that its encoding lacks, as on standard error
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # what it warns of are not things that users can mend
    if sys.platform == "win32":  # where pipes and files would get a code page of 256 characters
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8")
    app()
