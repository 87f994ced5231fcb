"""Pictures of timelines (needs the extra `plot`: matplotlib)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

# the tableau palette, so that an emotion has the same colour in every picture; further labels take its other colours
EMOTION_COLORS = {"neutral": "#d9d9d9", "happy": "#f2b134", "sad": "#4e79a7", "angry": "#e15759"}
FURTHER_COLORS = ("#59a14f", "#b07aa1", "#76b7b2", "#9c755f", "#ff9da7")
WAVEFORM_POINTS = 2_000


def plot_timelines(recordings: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for each recording: its waveform, the predicted segments and, if known, the reference.

    Args:
        recordings: each with ``name``, ``waveform (samples,)``, ``duration`` (seconds), ``segments`` and, if the truth
            is known, ``reference`` (segments that tile the recording).

    Returns:
        A figure; save it with ``figure.savefig("timeline.png")``.
    """
    figure = Figure(figsize=(10, 0.4 + 2.2 * len(recordings)), layout="constrained")
    panels = figure.subplots(len(recordings), squeeze=False)[:, 0]
    labels = sorted(
        {segment["label"] for item in recordings for segment in [*item["segments"], *(item.get("reference") or [])]},
        key=lambda label: (
            list(EMOTION_COLORS).index(label) if label in EMOTION_COLORS else len(EMOTION_COLORS),
            label,
        ),
    )
    further = iter(FURTHER_COLORS * len(labels))
    colors = {label: EMOTION_COLORS.get(label) or next(further) for label in labels}
    for axes, recording in zip(panels, recordings, strict=True):
        _draw_recording(axes, recording, colors)
    panels[-1].set_xlabel("time (s)")
    figure.legend(
        handles=[Patch(color=color, label=label) for label, color in colors.items()],
        loc="outside upper right",
        ncols=len(colors),
        frameon=False,
    )
    return figure


def _draw_recording(axes: Axes, recording: Mapping[str, Any], colors: Mapping[str, str]) -> None:
    rows = {"predicted": recording["segments"]}
    if recording.get("reference") is not None:
        rows["reference"] = recording["reference"]
    _draw_waveform(axes, recording["waveform"], recording["duration"])
    for height, segments in enumerate(rows.values(), start=1):
        for segment in segments:
            start, seconds = segment["start"], segment["end"] - segment["start"]
            axes.barh(
                -height,
                seconds,
                left=start,
                height=0.8,
                color=colors[segment["label"]],
                edgecolor="white",
                linewidth=1,
            )
            if segment.get("score") is not None and seconds > 0.05 * recording["duration"]:
                axes.text(
                    start + seconds / 2,
                    -height,
                    f"{segment['score']:.2f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                )
    axes.set_yticks([0, *(-height for height in range(1, len(rows) + 1))], ["waveform", *rows])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, recording["duration"])
    axes.set_title(recording["name"], loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_waveform(axes: Axes, waveform: np.ndarray, duration: float) -> None:
    """The envelope: the lowest and the highest sample of each of at most `WAVEFORM_POINTS` stretches."""
    stretches = np.array_split(waveform, min(WAVEFORM_POINTS, len(waveform)))
    low, high = (np.array([extreme(stretch) for stretch in stretches]) for extreme in (np.min, np.max))
    scale = 0.4 / max(np.abs(waveform).max(), 1e-9)
    time = (np.arange(len(stretches)) + 0.5) * duration / len(stretches)
    axes.fill_between(time, low * scale, high * scale, color="#555555", linewidth=0.3)
