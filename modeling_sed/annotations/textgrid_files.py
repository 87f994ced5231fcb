"""TextGrid, Praat's text files, read by Praat's own rule.

Numbers, texts in double quotes and flags in angle brackets count if they stand free; all else (``xmin =``, ``item
[1]:``, comments after ``!``) is decoration. So the long form, the short form and all between are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from ..frames_sed import InputError
from .annotation import Annotation, at_most_one, check_disjoint, utterance_name
from .text_files import Target, opened, read_text
from .tiers import EMOTION_TIER, choose_tier
from .values import number_of_text, positive_duration, segment

TOKENS = re.compile(
    r"""
    (?P<text> "[^"]*(?:""[^"]*)*" )
    | (?P<comment> ![^\n]* )
    | (?P<number> [-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?=[\s="]|\Z) )
    | (?P<flag> <[a-z]+> )
    | (?P<stray> " )
    | (?P<decoration> [^\s="]+ )
    """,
    re.VERBOSE | re.ASCII,
)


def read_textgrid(path: Path, tier: str | None = None) -> Iterator[Annotation]:
    """The only interval tier, or the one called ``tier`` (default: ``emotion``); intervals without text are neutral.

    The utterance has the file's name. Point tiers are skipped.

    Raises:
        InputError: for a file that is not a TextGrid file, naming the line, or that does not have the tier.
    """
    tokens = _Tokens(path)
    if tokens.text().split(" ")[0] != "ooTextFile" or tokens.text() != "TextGrid":
        raise InputError(f"{path} is not a TextGrid file in text form.")
    tokens.number("start of the file")
    duration = positive_duration(tokens.number("end of the file"), path.stem, str(path))
    exists = tokens.take("flag", "<exists> or <absent>").value == "<exists>"
    tiers = [_read_tier(tokens) for _ in range(tokens.count("number of tiers"))] if exists else []
    intervals = [(name, entries) for kind, name, entries in tiers if kind == "IntervalTier"]
    chosen = choose_tier([name for name, _ in intervals], tier, path)
    segments = [segment(start, end, text, where) for where, start, end, text in intervals[chosen][1] if text.strip()]
    yield Annotation(utterance_name(path.stem), segments, duration)


def _read_tier(tokens: _Tokens) -> tuple[str, str, list[tuple[str, float, float, str]]]:
    """The tier's class, its name, and place, start, end and text of each entry."""
    kind = tokens.text()
    if kind not in ("IntervalTier", "TextTier"):
        raise InputError(f"{tokens.where}: a tier is an IntervalTier or a TextTier; got {kind!r}.")
    name, entries = tokens.text(), []
    tokens.number("start of the tier")
    tokens.number("end of the tier")
    for _ in range(tokens.count("number of entries")):
        start = tokens.number("start")
        end = tokens.number("end") if kind == "IntervalTier" else start
        entries.append((tokens.where, start, end, tokens.text()))
    return kind, name, entries


class _Token(NamedTuple):
    kind: str
    value: str
    position: int


class _Tokens:
    """The values of a file one after the other; ``where`` is the place of the last."""

    def __init__(self, path: Path):
        self._path, self._content = path, read_text(path)
        self._tokens = self._find()
        self._line, self._position = 1, 0

    def _find(self) -> Iterator[_Token]:
        for match in TOKENS.finditer(self._content):
            if match.lastgroup not in ("comment", "decoration"):
                yield _Token(str(match.lastgroup), match.group(), match.start())

    @property
    def where(self) -> str:
        return f"{self._path}, line {self._line}"

    def take(self, kind: str, what: str) -> _Token:
        token = next(self._tokens, _Token("end of the file", "", len(self._content)))
        self._line += self._content.count("\n", self._position, token.position)
        self._position = token.position
        if token.kind != kind:
            got = "a quote that is not closed" if token.kind == "stray" else token.value[:60] or token.kind
            raise InputError(f"{self.where}: expected {what}; got {got}.")
        return token

    def text(self) -> str:
        return self.take("text", "a text in double quotes").value[1:-1].replace('""', '"')

    def number(self, what: str) -> float:
        return number_of_text(self.take("number", f"the {what}").value, what, self.where)

    def count(self, what: str) -> int:
        value = self.number(what)
        if value != int(value) or value < 0:
            raise InputError(f"{self.where}: the {what} must be a whole number; got {value}.")
        return int(value)


def write_textgrid(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes the long form with a tier ``emotion``, times exactly; scores and speakers have no place in it.

    Raises:
        InputError: for several recordings, segments that overlap or have no length, a recording of unknown duration
            without segments, or a file that cannot be written.
    """
    found = at_most_one(annotations, "TextGrid")
    with opened(target) as file:
        for annotation in found:
            intervals = _intervals(annotation)
            duration = _decimal(intervals[-1][1])
            head = f'class = "IntervalTier"\nname = "{EMOTION_TIER}"\nxmin = 0\nxmax = {duration}'
            print('File type = "ooTextFile"\nObject class = "TextGrid"\n', file=file)
            print(f"xmin = 0\nxmax = {duration}\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:", file=file)
            print(_indented(f"{head}\nintervals: size = {len(intervals)}", 8), file=file)
            for number, (start, end, text) in enumerate(intervals, start=1):
                print(f"        intervals [{number}]:", file=file)
                quoted = text.replace('"', '""')
                print(_indented(f'xmin = {_decimal(start)}\nxmax = {_decimal(end)}\ntext = "{quoted}"', 12), file=file)


def _intervals(annotation: Annotation) -> list[tuple[float, float, str]]:
    """Start, end and text of intervals that tile the recording; what no segment covers has no text."""
    covered, intervals = 0.0, []
    for found in check_disjoint(annotation, "TextGrid"):
        if found["start"] > covered:
            intervals.append((covered, found["start"], ""))
        intervals.append((found["start"], found["end"], found["label"]))
        covered = found["end"]
    if covered < (annotation.duration or 0):
        intervals.append((covered, float(annotation.duration or 0), ""))
    if not intervals:
        raise InputError(f"{annotation.name}: TextGrid files need the duration of the recording, which is unknown.")
    return intervals


def _decimal(seconds: float) -> str:
    """All digits of a time, without an exponent, which not all readers know."""
    return format(Decimal(repr(float(seconds))), "f")


def _indented(lines: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line + " " for line in lines.split("\n"))
