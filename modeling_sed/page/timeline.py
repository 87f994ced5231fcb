"""The picture of a timeline as HTML: rows of bars and posteriors over time, a summary, and what a comparison says.

Labels and names of files come from anywhere: all text is escaped here. A script (timeline.js) moves the cursor; what it
needs is in ``data-`` attributes. Positions are per cent of the recording's time, so that all widths show the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ..evaluation.columns import label_shares
from ..evaluation.palette import INK, label_colors, text_color
from ..evaluation.time_axis import format_time, round_step
from .comparison import Comparison
from .results import DiarizedRecording

COLUMNS = 960  # of bars: as many as the page has pixels
TICKS = 6  # at most: as many as a phone has room for
NAMED = 0.02  # share of the time of a bar that may carry its name


def timeline_html(recording: DiarizedRecording, comparison: Comparison | None = None) -> str:
    """Bars of the segments, posteriors and a time axis, with a cursor that keys and clicks move.

    Args:
        recording: what was found.
        comparison: with an annotation, whose segments and errors then are rows, too.
    """
    colors = _colors(recording, comparison)
    rows = [_row("emotions", _bars(recording, recording.segments, colors))]
    if comparison is not None:
        rows.append(_row("annotation", _bars(recording, comparison.reference, colors)))
        for kind in dict.fromkeys(segment["label"] for segment in comparison.errors):
            name = kind.replace("_", " ")
            marks = [segment for segment in comparison.errors if segment["label"] == kind]
            rows.append(_row(name, _bars(recording, marks, {kind: INK}), "error"))
    order = [label for label in colors if label in recording.labels]
    posteriors = recording.posteriors[:, [recording.labels.index(label) for label in order]]
    rows.append(_row("posteriors", _stack(posteriors, [colors[label] for label in order]), "posteriors"))
    duration = f"{recording.duration:.6g}"
    starts = [[round(segment["start"], 3), segment["label"]] for segment in recording.segments]
    return (
        f'<h2 class="file-name">{escape(recording.name)}</h2>'
        f'<div class="timeline" role="slider" tabindex="0" aria-label="Position in the recording" aria-valuemin="0" '
        f'aria-valuemax="{duration}" aria-valuenow="0" data-duration="{duration}" '
        f'data-starts="{escape(json.dumps(starts))}">{"".join(rows)}<div class="cursor"></div></div>'
        f"{_axis(recording.duration)}"
        '<p class="hint"><output class="position"></output><span>click or ← → to move, space to play</span></p>'
    )


def summary_html(recording: DiarizedRecording, comparison: Comparison | None = None) -> str:
    """A table of each emotion's share of the time, seconds and number of segments; the legend of `timeline_html`, too.

    Args:
        recording: what was found.
        comparison: whose labels are in the legend, too.
    """
    rows = []
    for label, color in _colors(recording, comparison).items():
        of_label = [segment for segment in recording.segments if segment["label"] == label]
        seconds = sum(segment["end"] - segment["start"] for segment in of_label)
        share = 100 * seconds / recording.duration
        cells = (f"{share:.1f} %", f"{seconds:.1f} s", str(len(of_label)))
        rows.append(
            f'<tr><th scope="row"><span class="swatch" style="background:{color}"></span>{escape(label)}</th>'
            f"{_cells(cells)}</tr>"
        )
    return _table("Summary", ("emotion", "share", "time", "segments"), rows)


def comparison_html(recording: DiarizedRecording, comparison: Comparison) -> str:
    """A table of EDER and its components."""
    rows = []
    for name, rate in comparison.rates.items():
        if name == "overlap" and rate == 0:  # annotations rarely have any
            continue
        title = "EDER" if name == "eder" else name.replace("_", " ")
        cells = (f"{100 * rate:.1f} %", f"{rate * recording.duration:.2f} s")
        rows.append(f'<tr class="{name}"><th scope="row">{title}</th>{_cells(cells)}</tr>')
    return _table("Emotion Diarization Error Rate", ("", "share", "time"), rows)


def message_html(message: str, kind: str = "error") -> str:
    """A sentence for the visitor, which screen readers say at once."""
    role = "alert" if kind == "error" else "status"
    return f'<p class="message {kind}" role="{role}">{escape(message)}</p>'


def _colors(recording: DiarizedRecording, comparison: Comparison | None) -> dict[str, str]:
    """Of all of the model's labels, found or not, and of what an annotation adds."""
    further = [segment["label"] for segment in comparison.reference] if comparison is not None else []
    return label_colors([*recording.labels, *further], recording.neutral_label)


def _row(name: str, content: str, kind: str = "") -> str:
    return f'<div class="row {kind}"><span class="row-name">{escape(name)}</span>{content}</div>'


def _bars(recording: DiarizedRecording, segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str]) -> str:
    """Segments as bars; where they are narrower than columns, these are divided by the shares of their time."""
    duration = recording.duration
    picture = _stack(label_shares(segments, list(colors), np.linspace(0, duration, COLUMNS + 1)), list(colors.values()))
    names = []
    step = 0.1 if duration < 600 else 1
    for segment in segments:
        share = (segment["end"] - segment["start"]) / duration
        if share < NAMED:
            continue
        label = escape(segment["label"].replace("_", " "))
        times = "–".join(format_time(segment[border], duration, step) for border in ("start", "end"))
        score = f" {segment['score']:.2f}" if segment.get("score") is not None else ""
        place = f"left:{100 * segment['start'] / duration:.3f}%;width:{100 * share:.3f}%"
        names.append(
            f'<span class="bar" style="{place};color:{text_color(colors[segment["label"]])}" '
            f'title="{label}{score}, {times}"><span>{label}</span></span>'
        )
    return picture + "".join(names)


def _stack(shares: np.ndarray, colors: Sequence[str]) -> str:
    """Columns that are divided between colours, ``(columns, colors)``, as shapes one over the other.

    Each reaches down to the bottom, over the one before: neighbours that only touch would let the page shine through.
    """
    columns = len(shares)
    tops = np.round(1000 * (1 - shares.cumsum(axis=1))).astype(int).clip(0)
    shapes = []
    for position in reversed(np.flatnonzero(shares.any(axis=0))):
        top = tops[:, position]
        corners = np.flatnonzero(np.diff(top)) + 1
        steps = f"V{top[0]}" + "".join(f"H{corner}V{top[corner]}" for corner in corners)
        shapes.append(f'<path fill="{colors[position]}" d="M0 1000{steps}H{columns}V1000Z"/>')
    return f'<svg viewBox="0 0 {columns} 1000" preserveAspectRatio="none" aria-hidden="true">{"".join(shapes)}</svg>'


def _axis(duration: float) -> str:
    """Times below the rows; each is moved by its own share of its width, so that none leaves the page."""
    step = round_step(duration / TICKS)
    ticks = []
    for time in np.arange(0, duration + 1e-9, step):
        share = 100 * time / duration
        text = format_time(time, duration, step)
        ticks.append(f'<span style="left:{share:.3f}%;transform:translateX(-{share:.1f}%)">{text}</span>')
    return f'<div class="axis" aria-hidden="true">{"".join(ticks)}</div>'


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"<td>{text}</td>" for text in texts)


def _table(caption: str, columns: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
