"""Segments as a table for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..frames_sed import Segment
from .annotation import Annotation
from .text_files import Target, opened

HEADER = "   start      end   label        score"


def format_table(segments: Sequence[Segment], reference: Sequence[Segment] | None = None) -> str:
    """A table with a line for each segment; if the reference is given, it stands in a second column.

    Args:
        segments: scores and speakers are shown where they are known.
        reference: the true segments, if they are known.
    """
    predicted = [format_segment(segment) for segment in segments]
    if reference is None:
        return "\n".join([HEADER, *predicted])
    true = [format_segment(segment) for segment in reference]
    height = max(len(predicted), len(true))
    left = predicted + [""] * (height - len(predicted))
    right = true + [""] * (height - len(true))
    rows = [("predicted", "reference"), (HEADER, HEADER), *zip(left, right, strict=True)]
    return "\n".join(f"{a:<{len(HEADER)}}    {b}".rstrip() for a, b in rows)


def write_table(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes the table of each recording below its name and duration, as soon as it is known.

    Raises:
        InputError: if the file cannot be written.
    """
    with opened(target) as file:
        for annotation in annotations:
            print(f"{annotation.name} ({annotation.duration:.2f} s)", file=file)
            print(format_table(annotation.segments, annotation.reference) + "\n", file=file, flush=True)


def format_segment(segment: Segment) -> str:
    """A line of the table."""
    score = f"{segment['score']:.3f}" if segment.get("score") is not None else ""
    line = f"{segment['start']:8.2f} {segment['end']:8.2f}   {segment['label']:<12} {score:>5}"
    return f"{line}   {segment['speaker']}" if "speaker" in segment else line
