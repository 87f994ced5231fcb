"""Whether probabilities of frames are what they say: expected calibration error and reliability curve.

Frames are put into bins of equal width by the probability of their most probable label; within each, that probability
is compared with the share of frames whose most probable label is right (arXiv 1706.04599, Eq. 3 and Fig. 1).
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

BINS = 15


class ReliabilityBin(TypedDict):
    """One bin of the reliability curve; ``confidence`` and ``accuracy`` are NaN where it has no frames."""

    low: float
    high: float
    frames: int
    confidence: float
    accuracy: float


def count_by_confidence(posteriors: np.ndarray, labels: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Frames, the sum of their confidences, and how many are right, in each bin.

    Args:
        posteriors: ``(frames, labels)``.
        labels: ``(frames,)``, the true ones.
        bins: number of bins.

    Returns:
        ``(3, bins)``. Those of several utterances may be added.
    """
    right = posteriors.argmax(axis=1) == labels
    confidence = posteriors.max(axis=1).astype(np.float64)
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return np.stack([np.bincount(which, weights, bins) for weights in (np.ones(len(which)), confidence, right)])


def calibration_error(counts: np.ndarray) -> np.ndarray:
    """The mean distance of confidence and accuracy, weighted by frames: ``(...)`` of counts ``(..., 3, bins)``."""
    frames, confidence, right = np.moveaxis(counts, -2, 0)
    return np.abs(confidence - right).sum(axis=-1) / frames.sum(axis=-1)


def reliability_curve(counts: np.ndarray) -> list[ReliabilityBin]:
    """The bins of counts ``(3, bins)``."""
    edges = np.linspace(0, 1, counts.shape[1] + 1)
    return [
        {
            "low": float(low),
            "high": float(high),
            "frames": int(frames),
            "confidence": float(confidence / frames) if frames else np.nan,
            "accuracy": float(right / frames) if frames else np.nan,
        }
        for low, high, (frames, confidence, right) in zip(edges[:-1], edges[1:], counts.T, strict=True)
    ]
