"""The strips of a picture's rows: waveform, bars of segments, posteriors (needs the extra `plot`: matplotlib).

Lengths are pixels, whole ones, as `columns` reckons with them. A lane is drawn into axes whose vertical coordinate is
in pixels, and whose columns of pixels lie between ``edges``, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from ..annotations.segments import in_order
from .columns import envelope, label_shares, mean_posteriors, whole_pixels, with_crisp_borders
from .palette import text_color

LANE, LARGE_LANE = 36, 72
CHARACTER, PADDING = 9, 10  # of a name: roughly, and around it
MANY = 1_000  # steps: such a stack is an image in SVG and PDF, too
WAVEFORM_COLOR = "#555555"


class Lane(NamedTuple):
    """A strip: its name, its height, and what draws it into axes, between ``edges``, above ``bottom``."""

    name: str
    height: int
    draw: Callable[[Axes, np.ndarray, int], None]


def bars_lane(name: str, segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str], height: int = LANE) -> Lane:
    """Segments as bars; those that are wide enough carry their names and scores, if there is room.

    Args:
        name: of the lane.
        segments: in any order, overlapping or not.
        colors: of the labels, from the lowest to the highest of a column that several of them share.
        height: of the bars; flatter ones than `LANE` carry no names.
    """

    def draw(axes: Axes, edges: np.ndarray, bottom: int) -> None:
        shares = with_crisp_borders(label_shares(segments, list(colors), edges))
        _draw_stack(axes, edges, whole_pixels(shares, height), list(colors.values()), bottom)
        if height >= LANE:
            _name_bars(axes, segments, colors, edges, bottom + height / 2)

    return Lane(name, height, draw)


def waveform_lane(waveform: np.ndarray, duration: float) -> Lane:
    """The envelope of a waveform ``(samples,)``, of ``duration`` seconds, as high as its loudest sample allows."""
    scale = 0.5 * LARGE_LANE / max(np.abs(waveform).max(initial=0), 1e-9)

    def draw(axes: Axes, edges: np.ndarray, bottom: int) -> None:
        low, high = (bottom + LARGE_LANE / 2 + scale * extreme for extreme in envelope(waveform, duration, edges))
        middle = (edges[:-1] + edges[1:]) / 2
        inside = middle < duration
        axes.fill_between(middle[inside], low[inside], high[inside], color=WAVEFORM_COLOR, linewidth=0.3)

    return Lane("waveform", LARGE_LANE, draw)


def posteriors_lane(
    posteriors: np.ndarray, frame_times: np.ndarray, labels: Sequence[str], colors: Mapping[str, str]
) -> Lane:
    """Posteriors as a stacked area.

    Args:
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        labels: of the posteriors' columns.
        colors: of the labels, from the lowest to the highest.
    """
    order = [labels.index(label) for label in colors if label in labels]

    def draw(axes: Axes, edges: np.ndarray, bottom: int) -> None:
        means = mean_posteriors(posteriors, frame_times, edges)[:, order]
        pixels = np.diff(np.round(means.cumsum(axis=1) * LARGE_LANE), axis=1, prepend=0)
        _draw_stack(axes, edges, pixels, [colors[labels[position]] for position in order], bottom)

    return Lane("posteriors, 0–1", LARGE_LANE, draw)


def text_width(text: str) -> int:
    """Roughly, with some space around it."""
    return CHARACTER * len(text) + PADDING


def _draw_stack(axes: Axes, edges: np.ndarray, pixels: np.ndarray, colors: Sequence[str], bottom: int) -> None:
    """Columns that are divided between labels, a shape for each label: ``pixels`` are ``(columns, labels)``."""
    tops = bottom + pixels.cumsum(axis=1)
    is_dense = np.count_nonzero(np.diff(tops, axis=0)) > MANY
    # from the highest to the lowest, each over the one before: neighbours that only touch would let paper shine through
    for position in reversed(np.flatnonzero(pixels.any(axis=0))):
        top = tops[:, position]
        corners = np.flatnonzero(np.diff(top, prepend=np.nan, append=np.nan))
        heights = top[np.minimum(corners, len(top) - 1)]
        shape = axes.fill_between(edges[corners], bottom, heights, step="post", color=colors[position], linewidth=0)
        shape.set(snap=True, rasterized=is_dense)


def _name_bars(
    axes: Axes, segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str], edges: np.ndarray, middle: float
) -> None:
    """Names, and scores if there is room for them, on bars that are wide enough and overlap no other."""
    ordered = in_order(segments)
    starts, ends = (np.array([segment[border] for segment in ordered]) for border in ("start", "end"))
    latest = np.array([0.0, *accumulate(ends, max)])[:-1]
    is_alone = (starts >= latest) & (ends <= np.append(starts[1:], math.inf))
    left, right = np.maximum(starts, edges[0]), np.minimum(ends, edges[-1])
    widths = (right - left) / (edges[1] - edges[0])
    for position in np.flatnonzero(is_alone & (widths >= text_width("?"))):
        label, score = ordered[position]["label"], ordered[position].get("score")
        texts = [label] if score is None else [f"{label} {score:.2f}", label]
        text = next((text for text in texts if text_width(text) <= widths[position]), None)
        if text is not None:
            center, color = (left[position] + right[position]) / 2, text_color(colors[label])
            axes.text(center, middle, text, ha="center", va="center_baseline", color=color)
