"""Subtitles, SRT and WebVTT: the emotion as a text to read while the recording plays."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..frames_sed import InputError, Segment
from .annotation import Annotation, at_most_one, utterance_name
from .subtitle_cues import Cue, escaped, srt_cues, vtt_cues, write_srt_cues, write_vtt_cues
from .text_files import Target, opened
from .values import segment

TEXT = re.compile(r"(?:\[(?P<speaker>[^\]]+)\] )?(?P<label>.+?)(?: (?P<score>[01]\.\d\d))?", re.ASCII)
VOICE, TAG = re.compile(r"<v(?:\.[^\s<>]+)?\s([^<>\]]+)>"), re.compile(r"<(?:/?[a-z]|\d)[^<>]*>")  # of WebVTT


def read_srt(path: Path) -> Iterator[Annotation]:
    """Subtitles ``[speaker] label score``, of which only the label must be there, each on one line.

    The utterance has the file's name.

    Raises:
        InputError: for anything else, naming the line.
    """
    yield Annotation(utterance_name(path.stem), [_segment(cue) for cue in srt_cues(path)])


def read_vtt(path: Path) -> Iterator[Annotation]:
    """The same as `read_srt` in WebVTT, whose voices (``<v NAME>``) are speakers; other tags are left out.

    Raises:
        InputError: for anything else, naming the line.
    """
    cues = (cue._replace(text=_text_of_cue(cue.text)) for cue in vtt_cues(path))
    yield Annotation(utterance_name(path.stem), [_segment(cue) for cue in cues])


def _segment(cue: Cue) -> Segment:
    if not cue.text or "\n" in cue.text:
        raise InputError(f"{cue.where}: a subtitle is one line with a label; got {cue.text!r}.")
    label, score, speaker = _parts(cue.text)
    return segment(cue.start, cue.end, label, cue.where, score, speaker)


def _text_of_cue(text: str) -> str:
    return html.unescape(TAG.sub("", VOICE.sub(lambda voice: f"[{voice[1].strip()}] ", text)))


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
        write_srt_cues(((item["start"], item["end"], _text(item)) for one in found for item in one.segments), file)


def write_vtt(annotations: Iterable[Annotation], target: Target) -> None:
    """The same as `write_srt` in WebVTT.

    Raises:
        InputError: as `write_srt`.
    """
    found = at_most_one(annotations, "WebVTT")
    segments = [item for one in found for item in one.segments]
    with opened(target) as file:
        write_vtt_cues(((item["start"], item["end"], escaped(_text(item))) for item in segments), file)


def _text(item: Segment) -> str:
    speaker, score = item.get("speaker"), item.get("score")
    before = "" if speaker is None else f"[{speaker}] "
    after = "" if score is None else f" {score:.2f}"
    text = f"{before}{item['label']}{after}"
    read = _parts(text)
    if (read[0], read[2]) != (item["label"], speaker) or (read[1] is None) != (score is None) or "\n" in text:
        raise InputError(f"The label {item['label']!r} of {speaker!r} cannot be told from speaker and score.")
    return text
