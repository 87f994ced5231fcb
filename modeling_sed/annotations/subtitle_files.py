"""Subtitles, SRT and WebVTT: the emotion as a text to read while the recording plays."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..frames_sed import InputError, Segment
from .annotation import Annotation, at_most_one, utterance_name
from .text_files import Target, opened, read_text
from .values import segment

TIME = r"(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})"
TIMES = re.compile(rf"{TIME}\s+-->\s+{TIME}(?:\s.*)?", re.ASCII)
TEXT = re.compile(r"(?:\[(?P<speaker>[^\]]+)\] )?(?P<label>.+?)(?: (?P<score>[01]\.\d\d))?", re.ASCII)
VOICE, TAG = re.compile(r"<v(?:\.[^\s<>]+)?\s([^<>\]]+)>"), re.compile(r"</?[a-z][^<>]*>")  # of WebVTT
NOT_CUES = ("NOTE", "STYLE", "REGION")  # blocks of WebVTT


def read_srt(path: Path) -> Iterator[Annotation]:
    """Subtitles ``[speaker] label score``, of which only the label must be there, each on one line.

    The utterance has the file's name.

    Raises:
        InputError: for anything else, naming the line.
    """
    yield Annotation(utterance_name(path.stem), [_segment(block, str) for block in _blocks(path)])


def read_vtt(path: Path) -> Iterator[Annotation]:
    """The same as `read_srt` in WebVTT, whose voices (``<v NAME>``) are speakers; other tags are left out.

    Raises:
        InputError: for anything else, naming the line.
    """
    blocks = _blocks(path)
    if not next(blocks, [("", "")])[0][1].startswith("WEBVTT"):
        raise InputError(f"{path} is not a WebVTT file: its first line must be WEBVTT.")
    cues = [block for block in blocks if not block[0][1].startswith(NOT_CUES)]
    yield Annotation(utterance_name(path.stem), [_segment(block, _text_of_cue) for block in cues])


def _blocks(path: Path) -> Iterator[list[tuple[str, str]]]:
    """Lines, with their places, that no blank line parts."""
    block: list[tuple[str, str]] = []
    for number, line in enumerate([*read_text(path).split("\n"), ""], start=1):
        if line.strip():
            block.append((f"{path}, line {number}", line.strip()))
        elif block:
            yield block
            block = []


def _segment(block: list[tuple[str, str]], unescape: Callable[[str], str]) -> Segment:
    numbered = block if TIMES.fullmatch(block[0][1]) else block[1:]  # without its number or name
    where = block[0][0]
    times = TIMES.fullmatch(numbered[0][1]) if len(numbered) == 2 else None
    if times is None:
        raise InputError(
            f"{where}: a subtitle is a number, START --> END and a line with a label; got {block[0][1]!r}."
        )
    start, end = (_seconds(*times.groups()[side : side + 4]) for side in (0, 4))
    label, score, speaker = _parts(unescape(numbered[1][1]))
    return segment(start, end, label, where, score, speaker)


def _text_of_cue(cue: str) -> str:
    return html.unescape(TAG.sub("", VOICE.sub(lambda voice: f"[{voice[1].strip()}] ", cue)))


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return (1000 * whole + int(milliseconds)) / 1000


def _parts(text: str) -> tuple[str, float | None, str | None]:
    """Label, score and speaker of a text."""
    match = TEXT.fullmatch(text)
    if match is None:
        return text, None, None
    return match["label"], match["score"] and float(match["score"]), match["speaker"]


def write_srt(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes times to a millisecond and scores to a hundredth; the duration has no place in it.

    Raises:
        InputError: for several recordings, a label that cannot be told from a speaker or a score, or a file that cannot
            be written.
    """
    found = at_most_one(annotations, "SRT")
    with opened(target) as file:
        for number, item in enumerate((item for one in found for item in one.segments), start=1):
            times = " --> ".join(_time(item[key]).replace(".", ",") for key in ("start", "end"))
            print(number, times, f"{_text(item)}\n", sep="\n", file=file)


def write_vtt(annotations: Iterable[Annotation], target: Target) -> None:
    """The same as `write_srt` in WebVTT.

    Raises:
        InputError: as `write_srt`.
    """
    found = at_most_one(annotations, "WebVTT")
    with opened(target) as file:
        print("WEBVTT\n", file=file)
        for item in (item for one in found for item in one.segments):
            times = " --> ".join(_time(item[key]) for key in ("start", "end"))
            print(times, f"{html.escape(_text(item), quote=False)}\n", sep="\n", file=file)


def _time(seconds: float) -> str:
    whole, milliseconds = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milliseconds:03d}"


def _text(item: Segment) -> str:
    speaker, score = item.get("speaker"), item.get("score")
    before = "" if speaker is None else f"[{speaker}] "
    after = "" if score is None else f" {score:.2f}"
    text = f"{before}{item['label']}{after}"
    read = _parts(text)
    if (read[0], read[2]) != (item["label"], speaker) or (read[1] is None) != (score is None) or "\n" in text:
        raise InputError(f"The label {item['label']!r} of {speaker!r} cannot be told from speaker and score.")
    return text
