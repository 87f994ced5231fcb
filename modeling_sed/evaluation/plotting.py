"""Pictures of timelines and of errors (needs the extra `plot`: matplotlib).

They are filled from the top. Lengths are whole pixels, of which `DPI` make an inch: a power of two, so that they are
whole in matplotlib's floating-point inches, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..annotations.segments import fill_neutral
from ..metrics.eder.error_durations import COMPONENTS
from .lanes import LANE, Lane, bars_lane, posteriors_lane, text_width, waveform_lane
from .palette import INK, label_colors
from .time_axis import format_time, round_step, row_seconds, time_ticks

DPI = 128
MARGIN, NAMES, PANEL = 16, 144, 1300  # around everything; for the names of lanes; of time
WIDTH = NAMES + PANEL + 56
TITLE, GAP, ERROR_LANE, TICKS, TIME_LABEL, LEGEND_LINE = 40, 8, 14, 32, 22, 24
ROWS, TICKS_IN_ROW = 6, 12  # at most
LONGEST_NAME, LONGEST_TITLE = 16, 120  # characters
# names of files and labels are no formulas: a_b$c$.wav
STYLE: dict[Any, Any] = {"text.parse_math": False, "text.usetex": False, "font.size": 8}


@matplotlib.rc_context(STYLE)
def plot_timeline(recording: Mapping[str, Any], labels: Sequence[str] = (), neutral_label: str = "neutral") -> Figure:
    """A recording: shares of the emotions, then waveform, segments and posteriors over time, in rows if it is long.

    Args:
        recording: its ``name``, ``duration`` (seconds) and ``segments``; those with a ``speaker`` get a lane for each.
            Where they are known, its ``waveform (samples,)``, the true segments as ``reference``, and ``posteriors
            (frames, labels)`` with ``frame_times (frames + 1,)``, frame borders in seconds.
        labels: of the model, in the order of the posteriors. They keep their colours from picture to picture.
        neutral_label: the label that means no emotion.

    Returns:
        A figure; save it with ``figure.savefig("timeline.png")``.
    """
    segments, reference, duration = recording["segments"], recording.get("reference"), recording["duration"]
    colors = label_colors(
        [neutral_label, *labels, *(segment["label"] for segment in [*segments, *(reference or [])])], neutral_label
    )
    lanes = []
    if recording.get("waveform") is not None:
        lanes.append(waveform_lane(recording["waveform"], duration))
    lanes += [bars_lane(name, of_speaker, colors) for name, of_speaker in _by_speaker(segments).items()]
    if reference is not None:
        lanes.append(bars_lane("reference", reference, colors))
    if recording.get("posteriors") is not None:
        lanes.append(posteriors_lane(recording["posteriors"], recording["frame_times"], labels, colors))

    seconds = dict.fromkeys(colors, 0.0)
    for segment in segments:
        seconds[segment["label"]] += segment["end"] - segment["start"]
    shares = {label: value / max(sum(seconds.values()), 1e-9) for label, value in seconds.items()}
    legend = {label: f"{label} {100 * share:.1f} %, {_length(seconds[label])}" for label, share in shares.items()}
    rows = len(_row_starts(duration, ROWS))
    page = _Page(TITLE + LANE + GAP + _legend_height(legend) + rows * _row_height(lanes) + TIME_LABEL)
    page.text(TITLE, f"{_shortened(recording['name'], LONGEST_TITLE)}   {_length(duration)}", fontsize=10)
    _draw_shares(page, shares, colors)
    _draw_legend(page, legend, colors)
    _draw_rows(page, lanes, duration, ROWS)
    page.text(TIME_LABEL, "time (h:mm:ss)" if duration >= 3600 else "time (m:ss)")
    return page.figure


@matplotlib.rc_context(STYLE)
def plot_errors(utterances: Sequence[Mapping[str, Any]], neutral_label: str = "neutral") -> Figure:
    """A panel for each utterance: the reference, the prediction, and a lane for each kind of error.

    Args:
        utterances: each with ``name``, ``duration`` (seconds), ``eder``, and segments as ``reference``,
            ``prediction`` and ``errors`` (labelled false_alarm, missed_emotion, confusion or overlap). Time without a
            segment is neutral.
        neutral_label: the label that means no emotion.

    Returns:
        A figure; save it with ``figure.savefig("errors.png")``.
    """
    sides = ("reference", "prediction")
    timelines = [
        {side: fill_neutral(item[side], item["duration"], neutral_label) for side in sides} for item in utterances
    ]
    found = (segment["label"] for timeline in timelines for side in sides for segment in timeline[side])
    colors = label_colors(found, neutral_label)
    legend = {label: label for label in colors}
    panels = []
    for item, timeline in zip(utterances, timelines, strict=True):
        of_kind = {kind: [error for error in item["errors"] if error["label"] == kind] for kind in COMPONENTS}
        panels.append(
            [bars_lane(side, timeline[side], colors) for side in sides]
            + [bars_lane(kind.replace("_", " "), of_kind[kind], {kind: INK}, ERROR_LANE) for kind in COMPONENTS]
        )
    page = _Page(_legend_height(legend) + sum(TITLE + _row_height(panel) for panel in panels) + TIME_LABEL)
    _draw_legend(page, legend, colors)
    for item, panel in zip(utterances, panels, strict=True):
        name, length = _shortened(item["name"], LONGEST_TITLE), _length(item["duration"])
        page.text(TITLE, f"{name}   {length}   EDER {100 * item['eder']:.1f} %", fontsize=10)
        _draw_rows(page, panel, item["duration"], most_rows=1)
    page.text(TIME_LABEL, "time (m:ss, h:mm:ss)")
    return page.figure


class _Page:
    """A figure for ``height`` pixels of content."""

    def __init__(self, height: int):
        self.height = height + 2 * MARGIN
        self.figure = Figure(figsize=(WIDTH / DPI, self.height / DPI), dpi=DPI)
        self.top = 1 - MARGIN / self.height  # of what is left, as a share of the figure's height

    def take(self, height: int) -> float:
        """Takes a strip off; returns its lower border, as a share of the figure's height."""
        self.top -= height / self.height
        return self.top

    def axes(self, height: int) -> Axes:
        """A strip whose vertical coordinate is in pixels."""
        place = (NAMES / WIDTH, self.take(height), PANEL / WIDTH, height / self.height)
        axes = self.figure.add_axes(place)
        axes.set_ylim(0, height)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        return axes

    def text(self, height: int, text: str, **options: Any) -> None:
        bottom = self.take(height)
        self.figure.text(NAMES / WIDTH, bottom + 0.4 * height / self.height, text, va="center", **options)


def _by_speaker(segments: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    timelines: dict[str, list[Mapping[str, Any]]] = {}
    for segment in segments:
        timelines.setdefault(segment.get("speaker", "predicted"), []).append(segment)
    return timelines or {"predicted": []}


def _row_starts(duration: float, most_rows: int) -> np.ndarray:
    """Seconds where rows begin: ``(rows,)``."""
    seconds = row_seconds(duration, most_rows)
    return seconds * np.arange(math.ceil(duration / seconds - 1e-9))


def _row_height(lanes: Sequence[Lane]) -> int:
    return sum(lane.height + GAP for lane in lanes) + TICKS


def _draw_rows(page: _Page, lanes: Sequence[Lane], duration: float, most_rows: int) -> None:
    seconds = row_seconds(duration, most_rows)
    step = round_step(seconds / TICKS_IN_ROW)
    height = _row_height(lanes) - TICKS
    bottoms = [height + GAP - used for used in accumulate(lane.height + GAP for lane in lanes)]
    middles = [bottom + lane.height / 2 for lane, bottom in zip(lanes, bottoms, strict=True)]
    for start in _row_starts(duration, most_rows):
        edges = np.linspace(start, start + seconds, PANEL + 1)
        axes = page.axes(height)
        axes.set_xlim(edges[0], edges[-1])
        for lane, bottom in zip(lanes, bottoms, strict=True):
            lane.draw(axes, edges, bottom)
        axes.set_yticks(middles, [_shortened(lane.name, LONGEST_NAME) for lane in lanes])
        end = min(start + seconds, duration)
        ticks = time_ticks(start, end, step, duration)
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.spines["bottom"].set_bounds(start, end)
        page.take(TICKS)


def _draw_shares(page: _Page, shares: Mapping[str, float], colors: Mapping[str, str]) -> None:
    """The labels' shares of the time, side by side."""
    parts = [
        {"start": start, "end": end, "label": label}
        for label, (start, end) in zip(shares, pairwise([0.0, *accumulate(shares.values())]), strict=True)
    ]
    axes = page.axes(LANE)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    bars_lane("shares", parts, colors).draw(axes, np.linspace(0, 1, PANEL + 1), 0)
    page.take(GAP)


def _legend_columns(entries: Mapping[str, str]) -> int:
    return max(1, min(len(entries), PANEL // (max(map(text_width, entries.values()), default=0) + LEGEND_LINE)))


def _legend_height(entries: Mapping[str, str]) -> int:
    return LEGEND_LINE * math.ceil(len(entries) / _legend_columns(entries)) + GAP


def _draw_legend(page: _Page, entries: Mapping[str, str], colors: Mapping[str, str]) -> None:
    page.figure.legend(
        handles=[Patch(color=colors[label], label=text) for label, text in entries.items()],
        loc="upper left",
        bbox_to_anchor=(NAMES / WIDTH, page.top),
        ncols=_legend_columns(entries),
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        handlelength=1.2,
        handleheight=1.2,
    )
    page.take(_legend_height(entries))


def _length(seconds: float) -> str:
    return format_time(seconds, step=0.1 if seconds < 60 else 1)


def _shortened(name: str, characters: int) -> str:
    """The end of a long name, where files have their own."""
    return name if len(name) <= characters else f"…{name[1 - characters :]}"
