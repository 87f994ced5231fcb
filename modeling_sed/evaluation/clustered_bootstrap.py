"""How certain scores are when speakers or recordings, not utterances, are what is independent.

Clusters are drawn with replacement, as many as there are, each with all of its utterances (the cluster bootstrap;
Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8). What is given together is drawn together,
so that differences and ratios are paired.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.special import ndtr, stdtrit

from ..metrics.eder.bootstrap import draw_sums, percentile_interval

RESAMPLES = 10_000
LEVEL = 0.95

Name = TypeVar("Name", bound=Hashable)


def draw_totals(
    counts: Mapping[Name, np.ndarray], clusters: Sequence[str] | None, resamples: int = RESAMPLES, seed: int = 0
) -> dict[Name, np.ndarray]:
    """Sums of counts over the utterances of every draw.

    Args:
        counts: by name, ``(utterances, ...)`` each.
        clusters: ``(utterances,)``, the speaker or recording of each; None if every utterance is one of its own.
        resamples: number of draws.
        seed: the same one gives the same draws.

    Returns:
        By the same names, ``(resamples, ...)`` each.
    """
    columns = np.concatenate([values.reshape(len(values), -1) for values in counts.values()], axis=1)
    if clusters is not None:
        columns = _sum_by_cluster(columns, clusters)
    sums = draw_sums(columns, resamples, seed)
    ends = np.cumsum([values[0].size for values in counts.values()])
    parts = np.split(sums, ends[:-1], axis=1)
    return {
        name: part.reshape(resamples, *values.shape[1:])
        for (name, values), part in zip(counts.items(), parts, strict=True)
    }


def draw_means(values: np.ndarray, clusters: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """The mean of each column ``(utterances, columns)`` over the utterances of every draw: ``(resamples, columns)``."""
    totals = draw_totals({"sums": values, "utterances": np.ones((len(values), 1))}, clusters, resamples, seed)
    return totals["sums"] / totals["utterances"]


def interval(draws: np.ndarray, level: float = LEVEL, clusters: int | None = None) -> list[float]:
    """``[low, high]``: the share ``level`` of the draws lies between, with equal tails outside.

    Draws of few clusters vary too little. If their number is known, the interval reaches further, as much as Student's
    interval of a mean does (the expanded percentile interval; Hesterberg 2015, arXiv 1411.5279).

    Args:
        draws: ``(resamples,)``. Those that are NaN, since what the rate is of was not drawn, are left out.
        level: such as 0.95.
        clusters: how many there are. Of a single one the interval is NaN.
    """
    known = draws[~np.isnan(draws)]
    if clusters == 1 or not len(known):
        return [np.nan, np.nan]
    if clusters is not None:
        student = stdtrit(clusters - 1, (1 + level) / 2)
        level = 1 - 2 * ndtr(-student * math.sqrt(clusters / (clusters - 1)))
    return percentile_interval(known, level)


def _sum_by_cluster(columns: np.ndarray, clusters: Sequence[str]) -> np.ndarray:
    """``(clusters, columns)``, in the order of the clusters' names."""
    names, which = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), columns.shape[1]))
    np.add.at(sums, which, columns)
    return sums
