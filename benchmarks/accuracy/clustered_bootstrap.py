"""How certain a mean over utterances is when speakers, not utterances, are what is independent.

Speakers are drawn with replacement, as many as there are, each with all of their utterances (the cluster bootstrap;
Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8). Columns are drawn together, so that
differences and ratios of them are paired.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95


def draw_means(values: np.ndarray, clusters: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """The mean of each column over the utterances of every draw: ``(resamples, columns)``.

    Args:
        values: ``(utterances, columns)``.
        clusters: ``(utterances,)``, the speaker of each.
        resamples: number of draws.
        seed: the same one gives the same draws.
    """
    names, which = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(which, column) for column in values.T], axis=1)
    sizes = np.bincount(which)
    times = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=resamples)
    return (times @ sums) / (times @ sizes)[:, None]


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Between these two lies the share `LEVEL` of the draws ``(resamples,)``, with equal tails outside."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
