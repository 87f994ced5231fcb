"""Names of emotions: which spellings are one emotion, and which name the options give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .corpora.recording import Recording
from .errors import InputError
from .simulation import NEUTRAL


def fold(label: str) -> str:
    """What all spellings of an emotion have in common: blanks around it and letter case do not matter."""
    return label.strip().casefold()


def spellings(labels: Iterable[str]) -> dict[str, str]:
    """How the option ``labels`` writes each emotion, by `fold`; the neutral one is always `NEUTRAL`.

    Raises:
        InputError: if it writes one in two ways.
    """
    return _by_fold("labels", ((label, NEUTRAL if fold(label) == NEUTRAL else label.strip()) for label in labels))


def renamings(rename: Mapping[str, str]) -> dict[str, str]:
    """What the option ``rename`` makes of emotions, by `fold`.

    Raises:
        InputError: if it makes two of one.
    """
    return _by_fold("rename", rename.items())


def name_emotions(recordings: Iterable[Recording], labels: Sequence[str], rename: Mapping[str, str]) -> list[Recording]:
    """Recordings with the labels that the options give them; emotions that are not in ``labels`` are folded."""
    written, renamed = spellings(labels), renamings(rename)
    names = ((one, fold(renamed.get(fold(one.label), one.label))) for one in recordings)
    return [replace(one, label=written.get(name, name)) for one, name in names]


def _by_fold(option: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    result: dict[str, str] = {}
    for label, value in pairs:
        if result.setdefault(fold(label), value) != value:
            raise InputError(f"{option} has {fold(label)!r} twice, as {result[fold(label)]!r} and {value!r}.")
    return result
