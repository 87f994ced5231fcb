"""Timelines as lines of a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TextIO
from zlib import crc32

import numpy as np

from ..frames_sed import Segment

# background and text, of the 256 colours; they differ in brightness, too, for who does not see all colours
COLORS = {
    "neutral": (252, 238),
    "happy": (220, 16),
    "sad": (26, 231),
    "angry": (160, 231),
    "fear": (54, 231),
    "fearful": (54, 231),
    "disgust": (64, 16),
    "disgusted": (64, 16),
    "surprise": (215, 16),
    "surprised": (215, 16),
    "calm": (152, 16),
}
FURTHER_COLORS = ((30, 231), (133, 231), (180, 16), (94, 231), (109, 16), (175, 16))


def timeline(segments: Sequence[Segment], duration: float, columns: int, colored: bool = True) -> str:
    """Segments as a bar of ``columns`` characters: each has the label that lasts longest in its part of the time.

    A stretch of one label bears its name where it is wide enough, its first letter where not; a column most of whose
    time has no label is blank.

    Args:
        segments: in any order.
        duration: seconds that the bar stands for.
        columns: characters of the bar, from 1.
        colored: whether stretches have colours, by escape sequences, or dots between their names.
    """
    labels = ["", *dict.fromkeys(segment["label"] for segment in segments)]
    edges = np.linspace(0, duration, columns + 1)
    lasting = np.zeros((len(labels), columns))
    for segment in segments:
        covered = np.minimum(segment["end"], edges[1:]) - np.maximum(segment["start"], edges[:-1])
        lasting[labels.index(segment["label"])] += covered.clip(min=0)
    lasting[0] = duration / columns - lasting.sum(axis=0)
    stretches = groupby(lasting.argmax(axis=0).tolist())
    return "".join(_stretch(labels[position], len(list(group)), colored) for position, group in stretches)


def legend(labels: Iterable[str]) -> str:
    """The names of labels in their colours, in one line."""
    return " ".join(_paint(f" {label} ", label) for label in labels)


def is_terminal(stream: TextIO) -> bool:
    """Whether lines can be drawn anew there."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_colors() -> bool:
    """Whether the user has not asked for none (https://no-color.org)."""
    return not os.environ.get("NO_COLOR")


def _stretch(label: str, width: int, colored: bool) -> str:
    if not label:
        return " " * width
    name = label if len(label) <= width else label[:1]
    return _paint(name.ljust(width), label) if colored else name.ljust(width, "·")


def _paint(text: str, label: str) -> str:
    background, foreground = COLORS.get(label.lower()) or FURTHER_COLORS[crc32(label.encode()) % len(FURTHER_COLORS)]
    return f"\x1b[48;5;{background};38;5;{foreground}m{text}\x1b[0m"
