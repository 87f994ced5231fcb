"""Cues of subtitle files, SRT and WebVTT: times and text, whatever the text says."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TextIO

from ..frames_sed import InputError
from .text_files import read_text
from .values import check_times

TIME = r"(?:(\d{1,9}):)?(\d\d):(\d\d)[.,](\d{3})"
TIMES = re.compile(rf"{TIME}\s+-->\s+{TIME}(?:\s.*)?", re.ASCII)
NOT_CUES = ("NOTE", "STYLE", "REGION")  # blocks of WebVTT


class Cue(NamedTuple):
    """A subtitle: seconds, lines of text as they are in the file, and where in the file it is, for messages."""

    start: float
    end: float
    text: str
    where: str


def srt_cues(path: Path) -> Iterator[Cue]:
    """The cues of an SRT file.

    Raises:
        InputError: for anything else in it, naming the line.
    """
    return map(_cue, _blocks(path))


def vtt_cues(path: Path) -> Iterator[Cue]:
    """The cues of a WebVTT file; comments, styles and the settings of cues are left out.

    Raises:
        InputError: for anything else in it, naming the line.
    """
    blocks = _blocks(path)
    if not next(blocks, [("", "")])[0][1].startswith("WEBVTT"):
        raise InputError(f"{path} is not a WebVTT file: its first line must be WEBVTT.")
    return (_cue(block) for block in blocks if not block[0][1].startswith(NOT_CUES))


def _blocks(path: Path) -> Iterator[list[tuple[str, str]]]:
    """Lines, with their places, that no blank line parts."""
    block: list[tuple[str, str]] = []
    for number, line in enumerate([*read_text(path).split("\n"), ""], start=1):
        if line.strip():
            block.append((f"{path}, line {number}", line.strip()))
        elif block:
            yield block
            block = []


def _cue(block: list[tuple[str, str]]) -> Cue:
    where, first = block[0]
    numbered = block if TIMES.fullmatch(first) else block[1:]  # without its number or name
    times = TIMES.fullmatch(numbered[0][1]) if numbered else None
    if times is None:
        raise InputError(f"{where}: a subtitle is a number, START --> END and its text; got {first!r}.")
    start, end = (_seconds(*times.groups()[side : side + 4]) for side in (0, 4))
    check_times(start, end, "a subtitle", where)
    return Cue(start, end, "\n".join(line for _, line in numbered[1:]), where)


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return (1000 * whole + int(milliseconds)) / 1000


def write_srt_cues(cues: Iterable[tuple[float, float, str]], file: TextIO) -> None:
    """Writes start, end and text of each cue in SRT; times to a millisecond."""
    for number, (start, end, text) in enumerate(cues, start=1):
        times = f"{_time(start)} --> {_time(end)}".replace(".", ",")
        print(number, times, f"{text}\n", sep="\n", file=file)


def write_vtt_cues(cues: Iterable[tuple[float, float, str]], file: TextIO) -> None:
    """The same as `write_srt_cues` in WebVTT; the text may have tags, and its ``<`` and ``&`` are `escaped`."""
    print("WEBVTT\n", file=file)
    for start, end, text in cues:
        print(f"{_time(start)} --> {_time(end)}", f"{text}\n", sep="\n", file=file)


def escaped(text: str) -> str:
    """Text as WebVTT has it, in which nothing is a tag."""
    return html.escape(text, quote=False)


def _time(seconds: float) -> str:
    whole, milliseconds = divmod(round(1000 * Fraction(seconds)), 1000)  # of any finite number
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milliseconds:03d}"
