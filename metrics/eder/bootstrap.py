"""How certain an EDER is: bootstrap over utterances (Efron & Tibshirani 1993, An Introduction to the Bootstrap).

Utterances are drawn with replacement, as many as there are, and scored again; the spread of the scores says how much
another test set of the same kind would have changed them. Utterances are taken as independent: several from one
speaker make the true uncertainty larger than the interval says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 1000
DRAWS_AT_ONCE = 1 << 22  # bounds the memory


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
    rates = error_seconds / seconds
    means, ratios = [], []
    for drawn in _resample(len(seconds), RESAMPLES, seed):
        means.append(rates[drawn].mean(axis=1))
        ratios.append(error_seconds[drawn].sum(axis=1) / seconds[drawn].sum(axis=1))
    tails = [(1 - level) / 2, (1 + level) / 2]
    return {
        "level": level,
        "eder": np.quantile(np.concatenate(means), tails).tolist(),
        "eder_by_duration": np.quantile(np.concatenate(ratios), tails).tolist(),
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
    observed = differences.mean()
    draws = np.concatenate([differences[drawn].mean(axis=1) for drawn in _resample(len(differences), resamples, seed)])
    # differences that are equal but for the last bits of their sums count as equal
    extreme = np.abs(draws - observed) >= np.abs(observed) * (1 - 1e-9)
    return {
        "difference": float(observed),
        "interval": np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]).tolist(),
        "p_value": float((1 + extreme.sum()) / (1 + resamples)),
    }


def _resample(utterances: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yields drawn indices ``(some, utterances)``, ``resamples`` rows in all."""
    generator = np.random.default_rng(seed)
    rows = max(1, DRAWS_AT_ONCE // utterances)
    for first in range(0, resamples, rows):
        yield generator.integers(utterances, size=(min(rows, resamples - first), utterances))
