"""How certain an EDER is: bootstrap over utterances (Efron & Tibshirani 1993, An Introduction to the Bootstrap).

Utterances are drawn with replacement, as many as there are, and scored again; the spread of the scores says how much
another test set of the same kind would have changed them. Utterances are taken as independent: several from one
speaker make the true uncertainty larger than the interval says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 1000
COUNTS_AT_ONCE = 1 << 21  # bounds the memory


def draw_sums(values: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Sums of columns over rows that are drawn with replacement, as many as there are.

    Args:
        values: ``(rows, columns)``. What is drawn is a row: an utterance, or a speaker with the sums of all of theirs.
        resamples: number of draws.
        seed: the same one gives the same draws.

    Returns:
        ``(resamples, columns)``.
    """
    generator, rows = np.random.default_rng(seed), len(values)
    values = np.ascontiguousarray(values, dtype=np.float64)
    times = np.empty((min(max(1, COUNTS_AT_ONCE // rows), resamples), rows))  # how often each row is drawn
    sums = np.empty((resamples, values.shape[1]))
    for first in range(0, resamples, len(times)):
        some = times[: resamples - first]
        for draw in some:
            draw[:] = np.bincount(generator.integers(rows, size=rows), minlength=rows)
        sums[first : first + len(some)] = some @ values
    return sums


def percentile_interval(draws: np.ndarray, level: float) -> list[float]:
    """``[low, high]``: the share ``level`` of the draws ``(resamples,)`` lies between, with equal tails outside."""
    return np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]).tolist()


def two_sided_p_value(draws: np.ndarray, observed: float) -> float:
    """How often draws of a difference ``(resamples,)``, shifted to a mean of 0, are as far from 0 as it is."""
    # differences that are equal but for the last bits of their sums count as equal
    extreme = np.abs(draws - observed) >= np.abs(observed) * (1 - 1e-9)
    return float((1 + extreme.sum()) / (1 + len(draws)))


def confidence_intervals(error_seconds: np.ndarray, seconds: np.ndarray, level: float, seed: int = 0) -> dict[str, Any]:
    """Percentile bootstrap intervals of both averages of EDER.

    Args:
        error_seconds: ``(utterances,)`` seconds of errors.
        seconds: ``(utterances,)`` seconds scored.
        level: such as 0.95.
        seed: the same one gives the same interval.

    Returns:
        ``level``, and ``[low, high]`` of ``eder`` and ``eder_by_duration``.
    """
    sums = draw_sums(np.stack([error_seconds / seconds, error_seconds, seconds], axis=1), RESAMPLES, seed)
    return {
        "level": level,
        "eder": percentile_interval(sums[:, 0] / len(seconds), level),
        "eder_by_duration": percentile_interval(sums[:, 1] / sums[:, 2], level),
    }


def compare_systems(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Whether two systems differ: paired bootstrap of the difference of their mean EDERs.

    Both must have been scored on the same utterances in the same order.

    Args:
        first: ``per_utterance`` of a result of EDER (its key ``eder`` is used).
        second: the same of the other system.
        level: of the interval.
        resamples: number of draws; the p-value cannot be less than ``1 / (resamples + 1)``.
        seed: the same one gives the same result.

    Returns:
        ``difference`` (first minus second: negative where the first is better), its ``interval`` ``[low, high]``, and
        ``p_value``, two-sided: how often draws of the difference, shifted to a mean of 0, are as far from 0 as it is.

    Raises:
        ValueError: if the systems were not scored on equally many utterances.
    """
    rates = [np.asarray(system["eder"], dtype=np.float64) for system in (first, second)]
    if rates[0].shape != rates[1].shape or not len(rates[0]):
        raise ValueError(
            f"The systems must be scored on the same utterances; got {len(rates[0])} and {len(rates[1])} of them."
        )
    differences = rates[0] - rates[1]
    observed = float(differences.mean())
    draws = draw_sums(differences[:, None], resamples, seed)[:, 0] / len(differences)
    return {
        "difference": observed,
        "interval": percentile_interval(draws, level),
        "p_value": two_sided_p_value(draws, observed),
    }
