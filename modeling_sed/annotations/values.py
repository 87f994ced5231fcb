"""Values as files have them: checked at the door, or refused by their place in the file."""

from __future__ import annotations

import math
from typing import Any

from ..frames_sed import InputError, Segment


def number(value: Any, what: str, where: str) -> float:
    """A finite number.

    Args:
        value: a number; text is none, see `number_of_text`.
        what: it is, for messages.
        where: the file, and the place in it.

    Raises:
        InputError: if it is not one.
    """
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InputError(f"{where}: {what} must be a finite number; got {shown(value)}.")
    return found


def number_of_text(text: str, what: str, where: str) -> float:
    """The finite number that is written, with a decimal point.

    Raises:
        InputError: if it is none.
    """
    try:
        found = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{where}: {what} must be a finite number, with a decimal point; got {shown(text)}.")
    return found


def positive_duration(seconds: float, name: str, where: str) -> float:
    """The duration of an utterance.

    Raises:
        InputError: if it is not positive.
    """
    if seconds <= 0:
        raise InputError(f"{where}: the duration of {name} must be a positive number of seconds; got {seconds}.")
    return seconds


def check_times(start: float, end: float, what: str, where: str) -> None:
    """Lets times pass that may be those of something.

    Args:
        start: in seconds.
        end: in seconds.
        what: begins and ends then, for messages.
        where: the file, and the place in it.

    Raises:
        InputError: unless ``0 <= start <= end``.
    """
    if not 0 <= start <= end:
        raise InputError(f"{where}: {what} from {start} to {end} s needs 0 <= start <= end.")


def segment(
    start: float, end: float, label: Any, where: str, score: float | None = None, speaker: Any = None
) -> Segment:
    """A segment, its label without spaces around it.

    Raises:
        InputError: unless ``0 <= start <= end`` and label and speaker are names.
    """
    for what, name in (("label", label), ("speaker", "?" if speaker is None else speaker)):
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{where}: the {what} of a segment must be a name; got {shown(name)}.")
    check_times(start, end, f"the segment {shown(label)}", where)
    found: Segment = {"start": start, "end": end, "label": label.strip()}
    if score is not None:
        found["score"] = score
    if speaker is not None:
        found["speaker"] = speaker.strip()
    return found


def shown(value: Any) -> str:
    """A value for a message, shortened."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= 60 else f"{text[:57]}..."
