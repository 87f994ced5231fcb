"""What `diarize --transcript` writes: sentences with their emotions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..annotations.text_files import Target, opened
from ..annotations.text_table import HEADER, format_segment
from ..frames_sed import Segment

if TYPE_CHECKING:  # importing them takes seconds
    from ..recordings.diarization import Result
    from ..recordings.transcripts import Sentence

OF_ONE_RECORDING = ("json", "srt", "vtt")


def check_transcript(transcript: Path, count: int) -> None:
    """Refuses a transcript that is not there, or that cannot be that of all recordings, before any work.

    Raises:
        typer.BadParameter: with the reason.
    """
    if not transcript.exists():
        raise typer.BadParameter(f"--transcript: there is no file or folder {transcript}.")
    if count > 1 and not transcript.is_dir():
        raise typer.BadParameter(f"--transcript {transcript} is of one recording: give a folder with one for each.")


def check_transcript_format(name: str, count: int) -> None:
    """Refuses a format that has no place for sentences, or not for those of so many recordings.

    Raises:
        typer.BadParameter: with the reason.
    """
    if name not in TRANSCRIPT_WRITERS:
        raise typer.BadParameter(
            f"--format {name} has no place for sentences: with --transcript, choose one of "
            f"{', '.join(TRANSCRIPT_WRITERS)}."
        )
    if count > 1 and name in OF_ONE_RECORDING:
        raise typer.BadParameter(
            f"--format {name} holds the transcript of one recording; got {count}. Choose table or jsonl, or a folder "
            "as --output, which gets one file for each."
        )


def write_sentence_tables(results: Iterable[Result], target: Target) -> None:
    """Writes a table of the sentences of each recording, as soon as it is there."""
    from ..recordings.transcripts import sentences_of

    with opened(target) as file:
        for result in results:
            sentences = sentences_of(result["transcript"])
            lines = [f"{format_segment(_as_segment(item))}   {' '.join(item['text'].split())}" for item in sentences]
            print(f"{result['name']} ({result['duration']:.2f} s)", HEADER, *lines, "", sep="\n", file=file, flush=True)


def write_lines(results: Iterable[Result], target: Target) -> None:
    """Writes a line of JSON for each recording: its name, duration, segments and transcript."""
    with opened(target) as file:
        for result in results:
            print(json.dumps(result), file=file, flush=True)


def _write_transcript(suffix: str, results: Iterable[Result], target: Target) -> None:
    """Writes the transcript of the one recording, with all of its fields."""
    from ..recordings.transcript_files import FORMATS

    for result in results:
        FORMATS[suffix].write(result["transcript"], target)


TRANSCRIPT_WRITERS = {
    "table": write_sentence_tables,
    "jsonl": write_lines,
    **{name: partial(_write_transcript, f".{name}") for name in OF_ONE_RECORDING},
}


def _as_segment(sentence: Sentence) -> Segment:
    found: Segment = {"start": sentence["start"], "end": sentence["end"], "label": sentence.get("emotion", "")}
    if "emotion_score" in sentence:
        found["score"] = sentence["emotion_score"]
    if (speaker := sentence.get("speaker")) is not None:
        found["speaker"] = speaker
    return found
