"""Values that somebody else wrote, into files or options: checked before they are used, shortened in messages."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from typing import Any

from .frames_sed import InputError

SHORT = reprlib.Repr()
SHORT.maxlevel = 3
TEMPERATURES = (0.01, 100.0)  # the least and the greatest


def shown(value: Any) -> str:
    """A value for a message: short, however long or deep it is."""
    try:
        return f"{SHORT.repr(value):.200}"
    except ValueError:  # an integer of thousands of digits
        return f"a {type(value).__name__} too large to show"


def is_number(value: Any) -> bool:
    """Whether it is a finite number; text, true and false are none."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def are_numbers(values: Any, count: int) -> bool:
    """Whether these are so many finite numbers in a list."""
    return isinstance(values, list | tuple) and len(values) == count and all(map(is_number, values))


def check_number(value: Any, name: str, least: float, greatest: float, is_whole: bool = False) -> None:
    """Lets a number pass that lies between two others.

    Args:
        value: of anything.
        name: what it is, for messages.
        least: it may be.
        greatest: it may be.
        is_whole: whether it must be an integer.

    Raises:
        InputError: for any other value.
    """
    if not is_number(value) or not least <= value <= greatest or (is_whole and not isinstance(value, int)):
        kind = "a whole number" if is_whole else "a number"
        raise InputError(f"{name} must be {kind} from {least:g} to {greatest:g}; got {shown(value)}.")


def check_temperature(temperature: Any) -> None:
    """Raises an InputError if posteriors cannot be tempered with it (`temper`, decoding_sed.py)."""
    check_number(temperature, "The temperature of posteriors", *TEMPERATURES)


def made_by_transformers(what: str, make: Callable[..., Any], *arguments: Any, **values: Any) -> Any:
    """What transformers makes of files that somebody wrote; whatever it raises then is said of these files.

    Args:
        what: it makes, and of what, for messages.
        make: of transformers.
        arguments: of that.
        values: of that, by name.

    Raises:
        InputError: if it raises anything but an OSError, which says itself what cannot be read.
    """
    try:
        return make(*arguments, **values)
    except (InputError, OSError):
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"transformers cannot make {what} ({reason:.600}).") from error
