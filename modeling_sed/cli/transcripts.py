"""What `diarize --transcript` prints: sentences with their emotions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from ..annotations.text_table import HEADER, line_of
from ..frames_sed import Segment

if TYPE_CHECKING:  # importing them takes seconds
    from ..recordings.diarization import Result
    from ..recordings.transcripts import Sentence

OF_ONE_RECORDING = ("json", "srt", "vtt")
OF_MANY = ("table", "jsonl")


def check_transcript_options(transcript: Path, output_format: str, count: int, to_file: bool) -> None:
    """Refuses what does not go together with a transcript, before any work.

    Args:
        transcript: file or folder.
        output_format: of what is printed.
        count: of recordings.
        to_file: whether the results go into a file that holds many.

    Raises:
        typer.BadParameter: for a format that has no transcripts, or several recordings with one transcript or in a
            format that holds one.
    """
    if not transcript.exists():
        raise typer.BadParameter(f"--transcript: there is no file or folder {transcript}.")
    if count > 1 and not transcript.is_dir():
        raise typer.BadParameter(f"--transcript {transcript} is of one recording: give a folder with one for each.")
    if output_format not in (*OF_ONE_RECORDING, *OF_MANY):
        raise typer.BadParameter(
            f"--format {output_format} has no place for sentences: with --transcript, choose one of "
            f"{', '.join((*OF_MANY, *OF_ONE_RECORDING))}."
        )
    if count > 1 and not to_file and output_format in OF_ONE_RECORDING:
        raise typer.BadParameter(
            f"--format {output_format} holds the transcript of one recording; got {count}. "
            f"Choose {' or '.join(OF_MANY)}."
        )


def print_transcripts(results: Iterable[Result], output_format: str, file: TextIO) -> None:
    """Writes each transcript as soon as it is there.

    Args:
        results: with transcripts.
        output_format: one that has passed `check_transcript_options`. ``json`` is the transcript itself, with all of
            its fields; ``jsonl`` a line for each recording: its name, duration, segments and transcript.
        file: to write into.
    """
    from ..recordings.transcript_files import FORMATS

    for result in results:
        if output_format == "table":
            _print_table(result, file)
        elif output_format == "jsonl":
            print(json.dumps(result), file=file, flush=True)
        else:
            FORMATS[f".{output_format}"].write(result["transcript"], file)


def _print_table(result: Result, file: TextIO) -> None:
    from ..recordings.transcripts import sentences_of

    sentences = sentences_of(result["transcript"])
    lines = [f"{line_of(_as_segment(sentence))}   {' '.join(sentence['text'].split())}" for sentence in sentences]
    print(f"{result['name']} ({result['duration']:.2f} s)", HEADER, *lines, "", sep="\n", file=file, flush=True)


def _as_segment(sentence: Sentence) -> Segment:
    found: Segment = {"start": sentence["start"], "end": sentence["end"], "label": sentence.get("emotion", "")}
    if "emotion_score" in sentence:
        found["score"] = sentence["emotion_score"]
    if (speaker := sentence.get("speaker")) is not None:
        found["speaker"] = speaker
    return found
