"""RTTM, NIST's Rich Transcription Time Marked, and UEM, which says which part of a recording is scored."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..frames_sed import InputError, InputWarning
from .annotation import Annotation, utterance_name
from .text_files import Target, numbered_lines, opened
from .values import number_of_text, positive_duration, segment

UNKNOWN = "<NA>"
# the other types of lines that NIST's evaluation plans define
SKIPPED = (
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH"),
    *("FILLER", "EDIT", "IP", "SU", "CB", "A/P", "SPKR-INFO"),
)


def read_rttm(path: Path) -> Iterator[Annotation]:
    """Lines ``SPEAKER name channel start duration <NA> <NA> label score <NA>``; the label may be a speaker.

    Lines of other types are skipped and counted in a warning.

    Raises:
        InputError: for any other line, naming it, or a file that has lines of other types only.
    """
    annotations: dict[str, Annotation] = {}
    skipped: Counter[str] = Counter()
    for where, columns in _rows(path):
        if columns[0] in SKIPPED:
            skipped[columns[0]] += 1
            continue
        if columns[0] != "SPEAKER":
            raise InputError(f"{where}: RTTM has no lines {columns[0][:60]!r}; a segment is a line SPEAKER.")
        name, found = _segment(columns, where)
        annotations.setdefault(name, Annotation(utterance_name(name))).segments.append(found)
    if skipped:
        counts = ", ".join(f"{kind} ({count})" for kind, count in skipped.items())
        if not annotations:
            raise InputError(f"{path} has no line SPEAKER; its lines are {counts}.")
        warnings.warn(f"{path}: lines that are no segments were skipped: {counts}.", InputWarning, stacklevel=2)
    yield from annotations.values()


def _segment(columns: list[str], where: str) -> tuple[str, dict]:
    if not 8 <= len(columns) <= 10 or columns[7] == UNKNOWN or _is_number(columns[5]):
        raise InputError(
            f"{where}: a line SPEAKER has 10 columns, SPEAKER name channel start duration {UNKNOWN} {UNKNOWN} label "
            f"{UNKNOWN} {UNKNOWN}, and no spaces inside of names; got {' '.join(columns)[:200]!r}."
        )
    start = number_of_text(columns[3], "start", where)
    seconds = number_of_text(columns[4], "duration", where)
    score = columns[8] if len(columns) > 8 else UNKNOWN
    found = segment(
        start,
        start + seconds,
        columns[7],
        where,
        None if score == UNKNOWN else number_of_text(score, "confidence", where),
    )
    return columns[1], found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_uem_durations(path: Path) -> Iterator[tuple[str, float]]:
    """Lines ``name channel start end``: names and ends, in seconds; the scored part must begin at 0.

    Raises:
        InputError: for any other line, naming it.
    """
    for where, columns in _rows(path):
        if len(columns) != 4:
            raise InputError(
                f"{where}: a line of UEM is name, channel, start and end; got {' '.join(columns)[:200]!r}."
            )
        name, _, start, end = columns
        if number_of_text(start, "start", where) != 0:
            raise InputError(f"{where}: the scored part of {name} begins at {start} s; it must be 0.")
        yield utterance_name(name), positive_duration(number_of_text(end, "end", where), name, where)


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    return ((where, line.split()) for where, line in numbered_lines(path) if not line.lstrip().startswith(";"))


def write_rttm(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes names without folder and suffix, times to a microsecond, and scores as the confidence.

    Durations of utterances, speakers and utterances without segments have no place in RTTM.

    Raises:
        InputError: for a name or label with spaces, a name that comes again, or a file that cannot be written.
    """
    names = set()
    with opened(target) as file:
        for annotation in annotations:
            name = utterance_name(annotation.name)
            labels = [found["label"] for found in annotation.segments]
            if spaced := [text for text in (name, *labels) if len(text.split()) != 1 or text == UNKNOWN]:
                raise InputError(f"{spaced[0]!r}: names and labels in RTTM have no spaces; JSON and CSV hold them.")
            if name in names:
                raise InputError(f"{annotation.name}: a recording {name} comes before; JSON and CSV tell them apart.")
            names.add(name)
            for found in annotation.segments:
                start, end = round(found["start"], 6), round(found["end"], 6)
                score = f"{found['score']:.6f}" if found.get("score") is not None else UNKNOWN
                columns = (
                    name,
                    1,
                    f"{start:.6f}",
                    f"{end - start:.6f}",
                    UNKNOWN,
                    UNKNOWN,
                    found["label"],
                    score,
                    UNKNOWN,
                )
                print("SPEAKER", *columns, file=file)
