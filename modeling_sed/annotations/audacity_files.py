"""Audacity's label files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..frames_sed import InputError
from .annotation import Annotation, at_most_one, utterance_name
from .text_files import Target, numbered_lines, opened
from .values import number_of_text, segment


def read_audacity(path: Path) -> Iterator[Annotation]:
    r"""Lines ``start TAB end TAB label``; the frequency ranges after them, lines that begin with ``\``, are skipped.

    The utterance has the file's name.

    Raises:
        InputError: for any other line, naming it.
    """
    segments = []
    for where, line in numbered_lines(path):
        if line.startswith("\\"):
            continue
        columns = line.split("\t", maxsplit=2)
        if len(columns) != 3:
            raise InputError(f"{where}: a label is start, end and text with tabs between them; got {line[:60]!r}.")
        start, end = (number_of_text(text.strip(), "a time", where) for text in columns[:2])
        segments.append(segment(start, end, columns[2], where))
    yield Annotation(utterance_name(path.stem), segments)


def write_audacity(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes times to a microsecond, as Audacity does; duration, scores and speakers have no place in its files.

    Raises:
        InputError: for several recordings, a label with a line break, or a file that cannot be written.
    """
    found = at_most_one(annotations, "Audacity's label")
    with opened(target) as file:
        for item in (item for annotation in found for item in annotation.segments):
            if "\n" in item["label"] or "\r" in item["label"]:
                raise InputError(f"The label {item['label']!r} has a line break, which Audacity's labels cannot hold.")
            print(f"{item['start']:.6f}\t{item['end']:.6f}\t{item['label']}", file=file)
