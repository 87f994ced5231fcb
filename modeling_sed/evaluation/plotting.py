"""Pictures of timelines, errors, learning curves and confusions (needs the extra `plot`: matplotlib)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

# the tableau palette, so that an emotion has the same colour in every picture; further labels take its other colours
EMOTION_COLORS = {"neutral": "#d9d9d9", "happy": "#f2b134", "sad": "#4e79a7", "angry": "#e15759"}
FURTHER_COLORS = ("#76b7b2", "#edc948", "#4c9f9f", "#bab0ac", "#86bcb6")
ERROR_COLORS = {"false_alarm": "#b07aa1", "missed_emotion": "#59a14f", "confusion": "#9c755f", "overlap": "#ff9da7"}
WAVEFORM_POINTS = 2_000


def plot_errors(utterances: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for each utterance: the reference, the prediction, and the errors between them.

    Args:
        utterances: each with ``name``, ``duration`` (seconds), ``eder``, and segments as ``reference``,
            ``prediction`` and ``errors`` (labelled false_alarm, missed_emotion, confusion or overlap).

    Returns:
        A figure; save it with ``figure.savefig("errors.png")``.
    """
    figure = Figure(figsize=(10, 0.6 + 1.3 * len(utterances)), layout="constrained")
    panels = figure.subplots(len(utterances), squeeze=False)[:, 0]
    shown = ("reference", "errors", "prediction")
    emotions = _emotion_colors(
        segment["label"] for item in utterances for row in ("reference", "prediction") for segment in item[row]
    )
    for axes, item in zip(panels, utterances, strict=True):
        for height, row in enumerate(shown):
            axes.barh(
                -height, item["duration"], height=0.8, color=EMOTION_COLORS["neutral"] if row != "errors" else "none"
            )
            _draw_segments(axes, -height, item[row], ERROR_COLORS if row == "errors" else emotions)
        _finish_panel(axes, f"{item['name']}   EDER {100 * item['eder']:.1f} %", item["duration"])
        axes.set_yticks([-height for height in range(len(shown))], shown)
    panels[-1].set_xlabel("time (s)")
    errors = {name.replace("_", " "): color for name, color in ERROR_COLORS.items()}
    _add_legend(figure, {**emotions, **errors})
    return figure


def plot_timelines(recordings: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for each recording: its waveform, the predicted segments and, if known, the reference.

    Args:
        recordings: each with ``name``, ``waveform (samples,)``, ``duration`` (seconds), ``segments`` and, if the truth
            is known, ``reference`` (segments that tile the recording). Segments with a ``speaker`` get a row for each.

    Returns:
        A figure; save it with ``figure.savefig("timeline.png")``.
    """
    figure = Figure(figsize=(10, 0.4 + 2.2 * len(recordings)), layout="constrained")
    panels = figure.subplots(len(recordings), squeeze=False)[:, 0]
    colors = _emotion_colors(
        segment["label"] for item in recordings for segment in [*item["segments"], *(item.get("reference") or [])]
    )
    for axes, recording in zip(panels, recordings, strict=True):
        rows: dict[str, list[Mapping[str, Any]]] = {}
        for segment in recording["segments"]:
            rows.setdefault(segment.get("speaker", "predicted"), []).append(segment)
        if recording.get("reference") is not None:
            rows["reference"] = recording["reference"]
        _draw_waveform(axes, recording["waveform"], recording["duration"])
        for height, segments in enumerate(rows.values(), start=1):
            _draw_segments(axes, -height, segments, colors, shortest_with_score=0.05 * recording["duration"])
        axes.set_yticks([0, *(-height for height in range(1, len(rows) + 1))], ["waveform", *rows])
        _finish_panel(axes, recording["name"], recording["duration"])
    panels[-1].set_xlabel("time (s)")
    _add_legend(figure, colors)
    return figure


def plot_learning_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Train loss and validation frame error rate of each run, by epoch.

    Args:
        histories: by the runs' names, what train_sed.py reports of each epoch: ``epoch``, ``train_loss`` and
            ``validation_frame_error_rate``.

    Returns:
        A figure; save it with ``figure.savefig("curves.png")``.
    """
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    for axes, (key, title) in zip(
        figure.subplots(1, 2),
        (("train_loss", "train loss"), ("validation_frame_error_rate", "validation frame error rate")),
        strict=True,
    ):
        for name, history in histories.items():
            axes.plot([item["epoch"] for item in history], [item[key] for item in history], marker=".", label=name)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(histories) > 1:
        axes.legend(frameon=False)
    return figure


def plot_confusion(seconds: Mapping[str, Mapping[str, float]]) -> Figure:
    """The confusion matrix: for each reference label, the share of its time that each label is predicted.

    Args:
        seconds: for each reference label, by predicted label, how long both apply.

    Returns:
        A figure; save it with ``figure.savefig("confusion.png")``.
    """
    labels = list(seconds)
    matrix = np.array([[seconds[reference][predicted] for predicted in labels] for reference in labels])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
    figure = Figure(figsize=(1.6 + len(labels), 1 + len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{100 * share:.0f} %", ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("reference")
    return figure


def _emotion_colors(labels: Iterable[str]) -> dict[str, str]:
    """A colour for each label that occurs: the known ones first, in their fixed colours."""
    found = set(labels)
    further = sorted(found - EMOTION_COLORS.keys())
    known = {label: color for label, color in EMOTION_COLORS.items() if label in found}
    return {**known, **dict(zip(further, cycle(FURTHER_COLORS)))}


def _draw_segments(
    axes: Axes,
    height: float,
    segments: Sequence[Mapping[str, Any]],
    colors: Mapping[str, str],
    shortest_with_score: float = math.inf,
) -> None:
    """One row of bars; segments that last long enough carry their score."""
    for segment in segments:
        start, seconds = segment["start"], segment["end"] - segment["start"]
        color = colors[segment["label"]]
        axes.barh(height, seconds, left=start, height=0.8, color=color, edgecolor="white", linewidth=1)
        if segment.get("score") is not None and seconds > shortest_with_score:
            axes.text(start + seconds / 2, height, f"{segment['score']:.2f}", ha="center", va="center", fontsize=8)


def _finish_panel(axes: Axes, title: str, duration: float) -> None:
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, duration)
    axes.set_title(title, loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _add_legend(figure: Figure, colors: Mapping[str, str]) -> None:
    handles = [Patch(color=color, label=label) for label, color in colors.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(colors), frameon=False)


def _draw_waveform(axes: Axes, waveform: np.ndarray, duration: float) -> None:
    """The envelope: the lowest and the highest sample of each of at most `WAVEFORM_POINTS` stretches."""
    stretches = np.array_split(waveform, min(WAVEFORM_POINTS, len(waveform)))
    low, high = (np.array([extreme(stretch) for stretch in stretches]) for extreme in (np.min, np.max))
    scale = 0.4 / max(np.abs(waveform).max(), 1e-9)
    time = (np.arange(len(stretches)) + 0.5) * duration / len(stretches)
    axes.fill_between(time, low * scale, high * scale, color="#555555", linewidth=0.3)
