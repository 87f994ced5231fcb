"""Several systems on the same utterances: their rates, and whether they differ from the first one's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..frames_sed import InputError
from ..metrics.eder.bootstrap import two_sided_p_value
from .clustered_bootstrap import LEVEL, RESAMPLES, draw_totals, interval
from .clusters import UTTERANCE
from .notes import Note, notes_of_intervals, notes_of_pairs
from .pairing import Pairs
from .rates import rates
from .utterance_counts import Counts, count_utterances, measure


def compare_pairs(
    systems: Mapping[str, Pairs],
    neutral_labels: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    collar: float = 0.0,
    level: float = LEVEL,
    clusters: Sequence[str] | None = None,
    by: str = UTTERANCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Rates of each system and their differences from the first one's: paired bootstrap.

    Args:
        systems: by name; all with the same utterances in the same order.
        neutral_labels: labels that mean no emotion.
        labels: the emotions that may occur; others are an error. Default: any emotion.
        collar: seconds on either side of each reference border that EDER and the rates of time leave out.
        level: of the intervals.
        clusters: the speaker or recording of each utterance, which the bootstrap draws; default: utterances.
        by: what the clusters are.
        resamples: number of draws; a p-value cannot be less than ``1 / (resamples + 1)``.
        seed: of the bootstrap.

    Returns:
        ``systems``: for each its rates (see rates.py), each with ``value`` and ``interval``; ``differences``: for each
        but the first, of each rate ``difference`` (less that of the first), ``interval`` and ``p_value``, two-sided;
        ``level``, ``by``, ``clusters`` and ``utterances``; ``notes`` on all systems, and on each.

    Raises:
        InputError: if the utterances of the systems differ, or for bad segments or options.
    """
    if not 0 < level < 1:
        raise InputError(f"The level of intervals is between 0 and 1, such as 0.95; got {level}.")
    _check_same_utterances(systems)
    counts: dict[str, Counts] = {}
    notes: dict[str, list[Note]] = {}
    for name, pairs in systems.items():
        measured = measure(pairs, neutral_labels, labels, collar)
        counts[name], notes[name] = count_utterances(measured), notes_of_pairs(pairs, measured)
    utterances = len(next(iter(systems.values())).names)
    number = utterances if clusters is None else len(set(clusters))
    totals = _draw_together(counts, clusters, resamples, seed)
    draws = {name: rates(one) for name, one in totals.items()}
    values = {name: rates({key: column.sum(axis=0) for key, column in one.items()}) for name, one in counts.items()}
    first, *others = systems
    result: dict[str, Any] = {"utterances": utterances, "level": level, "by": by, "clusters": number}
    result["systems"] = {
        name: {
            rate: {"value": float(value), "interval": interval(draws[name][rate], level, number)}
            for rate, value in values[name].items()
        }
        for name in systems
    }
    result["differences"] = {name: {} for name in others}
    for name in others:
        for rate, value in values[name].items():
            difference, drawn = float(value - values[first][rate]), draws[name][rate] - draws[first][rate]
            result["differences"][name][rate] = {
                "difference": difference,
                "interval": interval(drawn, level, number),
                "p_value": two_sided_p_value(drawn[~np.isnan(drawn)], difference) if number > 1 else math.nan,
            }
    result["notes"] = {"all": notes_of_intervals(number, by) + _notes_of_tests(len(others)), **notes}
    return result


def _draw_together(
    counts: Mapping[str, Counts], clusters: Sequence[str] | None, resamples: int, seed: int
) -> dict[str, Counts]:
    """Totals of every draw, of the same utterances for all systems."""
    joined = {(name, key): column for name, one in counts.items() for key, column in one.items()}
    drawn = draw_totals(joined, clusters, resamples, seed)
    return {name: {key: drawn[name, key] for key in one} for name, one in counts.items()}


def _check_same_utterances(systems: Mapping[str, Pairs]) -> None:
    (first, pairs), *others = systems.items()
    for name, other in others:
        if other.names != pairs.names:
            differing = sorted(set(other.names) ^ set(pairs.names)) or ["their order"]
            raise InputError(f"{first} and {name} are not of the same utterances: {', '.join(differing)}.")
        differing = [
            utterance
            for utterance, one, two in zip(pairs.names, pairs.durations, other.durations, strict=True)
            if one != two
        ]
        if differing:
            raise InputError(
                f"{first} and {name} have other durations of {', '.join(differing)}; give them with --durations."
            )


def _notes_of_tests(tests: int) -> list[Note]:
    if tests < 2:
        return []
    text = f"p-values are those of single comparisons, not corrected for the {tests} that are made of each rate."
    return [{"about": "several_comparisons", "count": tests, "text": text}]
