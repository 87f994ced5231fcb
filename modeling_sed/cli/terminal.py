"""Timelines in a terminal: pure functions from segments to text with colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from ..frames_sed import Segment

BLOCK = "█"
RESET = "\x1b[0m"
NEUTRAL = 250  # of the 256 colours of terminals: light grey
COLORS = {"neutral": NEUTRAL, "happy": 214, "sad": 33, "angry": 160}
FURTHER_COLORS = (37, 135, 70, 205, 94, 28)


def timeline(segments: Sequence[Segment], duration: float, columns: int) -> str:
    """A coloured bar as wide as the terminal, with the time below it and what the colours mean.

    Each column has the colour of the label that fills most of its time.

    Args:
        segments: with ``start`` and ``end`` in seconds; those of several speakers get a bar each.
        duration: of the recording in seconds.
        columns: width of the terminal.

    Returns:
        Lines of text.
    """
    colors = label_colors(segment["label"] for segment in segments)
    speakers = list(dict.fromkeys(segment.get("speaker", "") for segment in segments)) or [""]
    margin = max(map(len, speakers)) + 1 if speakers != [""] else 0
    width = max(columns - margin - 1, 10)
    lines = []
    for speaker in speakers:
        own = [segment for segment in segments if segment.get("speaker", "") == speaker]
        lines.append(f"{speaker:<{margin}}{_bar(own, duration, width, colors)}")
    end = clock(duration)
    lines.append(f"{'':<{margin}}{clock(0):<{width - len(end)}}{end}")
    lines.append("  ".join(f"{_colored(BLOCK * 2, color)} {label}" for label, color in colors.items()))
    return "\n".join(lines)


def label_colors(labels: Sequence[str]) -> dict[str, int]:
    """A colour of the 256 of terminals for each label, the four emotions of the paper first."""
    found = set(labels)
    further = cycle(FURTHER_COLORS)
    ordered = [*(label for label in COLORS if label in found), *sorted(found - COLORS.keys())]
    return {label: COLORS[label] if label in COLORS else next(further) for label in ordered}


def prevailing(segments: Sequence[Segment], duration: float, columns: int) -> list[str | None]:
    """The label that fills most of each of so many equal parts of a recording; None where there is no segment."""
    shares: list[dict[str, float]] = [{} for _ in range(columns)]
    width = duration / columns
    for segment in segments:
        first, last = segment["start"] / width, segment["end"] / width
        for column in range(int(first), min(int(last) + 1, columns)):
            share = min(last, column + 1) - max(first, column)
            if share > 0:
                shares[column][segment["label"]] = shares[column].get(segment["label"], 0.0) + share
    return [max(share, key=share.__getitem__) if share else None for share in shares]


def clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bar(segments: Sequence[Segment], duration: float, width: int, colors: dict[str, int]) -> str:
    labels = prevailing(segments, duration, width) if duration > 0 else []
    return "".join(" " if label is None else _colored(BLOCK, colors[label]) for label in labels)


def _colored(text: str, color: int) -> str:
    return f"\x1b[38;5;{color}m{text}{RESET}"
