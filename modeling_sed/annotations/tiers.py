"""Which tier of a file holds the emotions: TextGrid and EAF files may have several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..frames_sed import InputError
from .labels import folded

EMOTION_TIER = "emotion"


def choose_tier(names: Sequence[str], wanted: str | None, path: Path) -> int:
    """The position of the tier to read.

    Args:
        names: of the tiers that hold intervals.
        wanted: the tier to read where there are several; by default the one called ``emotion``.
        path: of the file, for messages.

    Returns:
        That of the only tier, or of the one with this name; spaces around it and case do not matter.

    Raises:
        InputError: if there is none, or more than one.
    """
    if len(names) == 1:
        return 0
    positions = [position for position, name in enumerate(names) if folded(name) == folded(wanted or EMOTION_TIER)]
    if len(positions) != 1:
        raise InputError(
            f"{path}: choose one of the interval tiers {', '.join(map(repr, names)):.500} by --tier."
            if names
            else f"{path} has no interval tier."
        )
    return positions[0]
