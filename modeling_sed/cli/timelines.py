"""What a terminal shows of recordings: a coloured line for each, and then a summary of all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from ..annotations.annotation import Annotation
from ..annotations.text_files import Target, opened
from ..recordings.summary import Summary
from .terminal import clock, timeline


def write_timelines(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes the name and duration of each recording above its timeline, as soon as it is known; a summary at the end.

    Raises:
        InputError: if the file cannot be written.
    """
    summary = Summary()
    with opened(target) as file:
        for annotation in annotations:
            duration = annotation.duration or max((s["end"] for s in annotation.segments), default=0.0)
            print(f"{annotation.name} ({clock(duration)})", file=file)
            columns = shutil.get_terminal_size().columns
            print(timeline(annotation.segments, duration, columns) + "\n", file=file, flush=True)
            summary.add(annotation)
        if summary.recordings:
            print(format_summary(summary), file=file)


def format_summary(summary: Summary) -> str:
    """The summary as lines of text."""
    total = sum(summary.seconds.values())
    events = sum(summary.events.values())
    lines = [f"{_counted(summary.recordings, 'recording')}, {clock(total)}, {_counted(events, 'emotional segment')}"]
    for label, seconds in summary.seconds.most_common():
        share = seconds / total if total else 0.0
        count = f"   {_counted(summary.events[label], 'segment')}" if label in summary.events else ""
        lines.append(f"  {label:<12} {100 * share:5.1f} % {clock(seconds):>9}{count}")
    if summary.moments:
        lines.append("strongest:")
        lines += [
            f"  {moment.label:<12} {moment.score:.2f}   {clock(moment.start)} to {clock(moment.end)}   {moment.name}"
            for moment in summary.moments
        ]
    return "\n".join(lines)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
