"""What a terminal shows of recordings: a coloured line for each, and then a summary of all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator

from ..annotations.annotation import Annotation
from ..annotations.text_files import Target, opened
from ..evaluation.time_axis import format_time
from ..recordings.summary import Summary
from .terminal import is_terminal, timeline, wants_colors


def write_timelines(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes the name and duration of each recording above its timeline, as soon as it is known; a summary at the end.

    Raises:
        InputError: if the file cannot be written.
    """
    summary = Summary()
    with opened(target) as file:
        for annotation in annotations:
            columns = shutil.get_terminal_size().columns
            colored = is_terminal(file) and wants_colors()
            print(*_lines(annotation, columns, colored), "", sep="\n", file=file, flush=True)
            summary.add(annotation)
        if summary.recordings:
            print(format_summary(summary), file=file)


def _lines(annotation: Annotation, columns: int, colored: bool) -> Iterator[str]:
    """Name and duration, a bar for each speaker, and the time below."""
    duration = annotation.duration or max((segment["end"] for segment in annotation.segments), default=0.0)
    end = format_time(duration)
    yield f"{annotation.name} ({end})"
    speakers = list(dict.fromkeys(segment.get("speaker", "") for segment in annotation.segments))
    margin = max([len(speaker) + 1 for speaker in speakers if speaker], default=0)
    width = max(columns - margin - 1, len(end) + 5)
    for speaker in speakers if duration else ():
        own = [segment for segment in annotation.segments if segment.get("speaker", "") == speaker]
        yield f"{speaker:<{margin}}{timeline(own, duration, width, colored)}"
    yield f"{'':<{margin}}{format_time(0):<{width - len(end)}}{end}"


def format_summary(summary: Summary) -> str:
    """The summary as lines of text."""
    total = sum(summary.seconds.values())
    events = sum(summary.events.values())
    lines = [
        f"{_counted(summary.recordings, 'recording')}, {format_time(total)}, {_counted(events, 'emotional segment')}"
    ]
    for label, seconds in summary.seconds.most_common():
        share = seconds / total if total else 0.0
        count = f"   {_counted(summary.events[label], 'segment')}" if label in summary.events else ""
        lines.append(f"  {label:<12} {100 * share:5.1f} % {format_time(seconds):>9}{count}")
    if summary.moments:
        lines.append("strongest:")
        lines += [
            f"  {moment.label:<12} {moment.score:.2f}   {format_time(moment.start)} to {format_time(moment.end)}   "
            f"{moment.name}"
            for moment in summary.moments
        ]
    return "\n".join(lines)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
