"""Time in pictures: where a long recording is broken into rows, where ticks are, how times are written."""

from __future__ import annotations

import math

DAY = 86_400
# seconds, which people count in
STEPS: tuple[float, ...] = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 1800),  # each a whole number of ticks, if it is a row
    *(3600, 7200, 10_800, 14_400, 21_600, 43_200, DAY),
)
ONE_ROW = 120.0  # seconds: shorter recordings are not broken


def round_step(seconds: float) -> float:
    """The shortest step that people count in which is not shorter than this."""
    return next((step for step in STEPS if step >= seconds), math.ceil(seconds / DAY) * DAY)


def row_seconds(duration: float, rows: int) -> float:
    """Seconds of a row, where a recording takes ``rows`` rows at most: a round number unless it takes one."""
    if rows == 1 or duration <= ONE_ROW:
        return duration
    return round_step(max(duration / rows, ONE_ROW / 2))


def format_time(seconds: float, longest: float | None = None, step: float = 1) -> str:
    """A time as m:ss, or as h:mm:ss.

    Args:
        seconds: the time.
        longest: of the times beside it: those from an hour give all of them hours.
        step: between times, in seconds, which decides on decimals.
    """
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
    scale = 10**decimals
    whole, fraction = divmod(round(seconds * scale), scale)
    minutes, second = divmod(whole, 60)
    text = f"{minutes}:{second:02d}"
    if (seconds if longest is None else longest) >= 3600:
        text = f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"
    return f"{text}.{fraction:0{decimals}d}" if decimals else text


def time_ticks(start: float, end: float, step: float, longest: float) -> dict[float, str]:
    """The multiples of ``step`` from ``start`` to ``end``, in seconds, as they are written beside ``longest``."""
    numbers = range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1)
    return {number * step: format_time(number * step, longest, step) for number in numbers}
