"""What each column of a picture's pixels shows of a recording, exactly, however much time it stands for.

A picture's columns lie between ``edges``, ``(columns + 1,)`` ascending times in seconds. Where labels change faster
than columns do, a column is divided between them by their shares of its time, so that nothing disappears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..annotations.segments import union

THIN = 32  # samples: 2 ms at 16 kHz, less than a pixel of a few seconds
NOTHING = 1e-6  # of a column: what rounding leaves


def label_shares(segments: Iterable[Mapping[str, Any]], labels: Sequence[str], edges: np.ndarray) -> np.ndarray:
    """The share of each column's time that each label has: ``(columns, labels)``.

    Time that several labels have at once is divided between them; a column's shares add up to 1 where segments cover
    it all.

    Args:
        segments: in any order, overlapping or not.
        labels: of the result; segments with others are not counted.
        edges: of the columns.
    """
    by_label: dict[str, list[Mapping[str, Any]]] = {label: [] for label in labels}
    for segment in segments:
        if segment["label"] in by_label:
            by_label[segment["label"]].append(segment)
    shares = np.stack([_covered(of_label, edges) for of_label in by_label.values()], axis=1)
    covered = _covered([segment for of_label in by_label.values() for segment in of_label], edges)
    return shares * (covered / np.maximum(shares.sum(axis=1), NOTHING))[:, None]


def _covered(segments: Sequence[Mapping[str, Any]], edges: np.ndarray) -> np.ndarray:
    """The share of each column that segments cover: ``(columns,)``."""
    knots = np.array(union(segments), dtype=float).ravel()  # between them lie, in turn, segments and gaps
    if len(knots) == 0:
        return np.zeros(len(edges) - 1)
    seconds = np.diff(knots)
    seconds[1::2] = 0
    return np.diff(np.interp(edges, knots, np.concatenate([[0], np.cumsum(seconds)]))) / np.diff(edges)


def with_crisp_borders(shares: np.ndarray) -> np.ndarray:
    """The same, but borders between what fills the columns on both sides fall between columns: ``(columns, labels)``.

    Only columns that are divided between labels which no column beside them shows stay divided.

    Args:
        shares: ``(columns, labels)``, as `label_shares` returns them.
    """
    every = np.concatenate([shares, 1 - shares.sum(axis=1, keepdims=True)], axis=1)  # the last: no label
    is_full = every > 1 - NOTHING
    is_beside = np.zeros_like(is_full)
    is_beside[1:] |= is_full[:-1]
    is_beside[:-1] |= is_full[1:]
    is_border = ~((every > NOTHING) & ~is_beside).any(axis=1)
    every[is_border] = np.eye(every.shape[1])[every[is_border].argmax(axis=1)]
    return every[:, :-1]


def mean_posteriors(posteriors: np.ndarray, frame_times: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The mean posterior of each label over each column: ``(columns, labels)``; time without frames counts as 0.

    Args:
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        edges: of the columns.
    """
    integral = np.cumsum(posteriors * np.diff(frame_times)[:, None], axis=0, dtype=np.float64)
    integral = np.concatenate([np.zeros((1, integral.shape[1])), integral])
    at_edges = np.stack([np.interp(edges, frame_times, of_label) for of_label in integral.T], axis=1)
    return np.diff(at_edges, axis=0) / np.diff(edges)[:, None]


def whole_pixels(shares: np.ndarray, height: int) -> np.ndarray:
    """Pixels of each label in columns that are ``height`` pixels high: integers ``(columns, labels)``.

    Args:
        shares: ``(columns, labels)``, which add up to 1 at most. What is there gets a pixel at least, where there are
            no more labels than pixels.
        height: pixels.
    """
    tops = np.round(np.cumsum(shares, axis=1) * height).astype(int)
    pixels = np.diff(tops, axis=1, prepend=0)
    missing = (shares > NOTHING) & (pixels == 0)
    pixels[missing] = 1
    given = missing.sum(axis=1)
    while len(rows := np.flatnonzero((given > 0) & (pixels.max(axis=1) > 1))):  # the largest give
        pixels[rows, pixels[rows].argmax(axis=1)] -= 1
        given[rows] -= 1
    return pixels


def envelope(waveform: np.ndarray, duration: float, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest sample of each column, ``(columns,)`` each; 0 where there are none.

    Args:
        waveform: ``(samples,)``.
        duration: that it stands for, in seconds.
        edges: of the columns.
    """
    first = np.floor(edges[:-1] / duration * len(waveform)).astype(int)
    inside = first < len(waveform)
    last = min(int(np.ceil(edges[-1] / duration * len(waveform))), len(waveform))
    low, high = np.zeros(len(first)), np.zeros(len(first))
    if inside.any():
        low[inside] = np.minimum.reduceat(waveform[:last], first[inside])
        high[inside] = np.maximum.reduceat(waveform[:last], first[inside])
    return low, high


def thin_waveform(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """The lowest and the highest of every `THIN` samples, in turn: looks as the waveform does, in little memory.

    Args:
        blocks: consecutive stretches of a waveform, ``(samples,)`` each.
    """
    thin, rest = [np.zeros((0, 2), np.float32)], np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block])
        whole = len(samples) // THIN * THIN
        stretches = samples[:whole].reshape(-1, THIN)
        thin.append(np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1))
        rest = samples[whole:]
    if len(rest):
        thin.append(np.array([[rest.min(), rest.max()]], np.float32))
    return np.concatenate(thin).ravel()
