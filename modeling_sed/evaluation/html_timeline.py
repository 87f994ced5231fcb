"""A timeline as HTML, for notebooks: a player, bars of the segments with a cursor, and the shares of the labels.

It needs no other file, no script of its own and nobody's server. Lengths are those of the SVG, one for each column.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
import soundfile

from ..audio_sed import AudioInput, load_recording
from ..frames_sed import InputError
from .columns import label_shares, whole_pixels, with_crisp_borders
from .palette import label_colors, text_color
from .time_axis import format_time, round_step, time_ticks

WIDTH, LANE, GAP, TICKS = 960, 32, 4, 20
SIDE = 32  # left and right, for half a tick's time
CHARACTER, PADDING = 7, 8  # of a name in a bar: roughly, and around it
WIDE_ENOUGH = 3  # to be pointed at
PLAYED = 180.0  # seconds, at most: a notebook keeps the audio, some 25 kB a second
SAMPLING_RATE = 16_000  # Hz, of the player


def timeline_html(
    segments: Sequence[Mapping[str, Any]], audio: AudioInput | None = None, neutral_label: str = "neutral"
) -> str:
    """Segments as an HTML fragment. Names, times and scores appear where one points.

    Args:
        segments: at least one; those with a ``speaker`` get a lane for each.
        audio: their recording, as `load_recording` takes it. Between the first start and the last end it is played, if
            that is at most `PLAYED` seconds and can be read; what lies at an address is not.
        neutral_label: the label that means no emotion.
    """
    start, end = min(segment["start"] for segment in segments), max(segment["end"] for segment in segments)
    colors = label_colors((segment["label"] for segment in segments), neutral_label)
    lanes: dict[str, list[Mapping[str, Any]]] = {}
    for segment in segments:
        lanes.setdefault(segment.get("speaker", ""), []).append(segment)
    edges = np.linspace(start, max(end, start + 1e-3), WIDTH + 1)
    drawn, height = [], 0
    for speaker, of_speaker in lanes.items():
        if speaker:
            height += TICKS
            drawn.append(f'<text y="{height - 6}" fill="currentColor">{escape(speaker)}</text>')
        drawn += [*_stack(of_speaker, colors, edges, height), *_names(of_speaker, colors, edges, height)]
        height += LANE + GAP
    drawn += _ticks(edges, height)
    player = _player(audio, start, end)
    if player:
        drawn.append(f'<path class="now" d="M0 0V{height}" stroke="currentColor" stroke-width="2"/>')
    return (
        f'<div style="max-width:{WIDTH + 2 * SIDE}px;font:12px/1.5 sans-serif">{player}'
        f'<svg viewBox="{-SIDE} -4 {WIDTH + 2 * SIDE} {height + TICKS}" style="width:100%" role="img" '
        f'aria-label="timeline of emotions">{"".join(drawn)}</svg>{_legend(segments, colors)}</div>'
    )


def _player(audio: AudioInput | None, start: float, end: float) -> str:
    """An audio element that moves the cursor; nothing where there is nothing to play."""
    if audio is None or end - start > PLAYED or (isinstance(audio, str) and "://" in audio):
        return ""
    try:
        waveform = load_recording(audio, SAMPLING_RATE, start=start, end=end).waveform
    except InputError:  # gone by now, or a stream that was read
        return ""
    content = BytesIO()
    soundfile.write(content, waveform, SAMPLING_RATE, format="FLAC")
    move = (
        "this.parentNode.querySelector('.now').setAttribute('transform',"
        f"'translate('+{WIDTH}*this.currentTime/this.duration+')')"
    )
    data = base64.b64encode(content.getvalue()).decode()
    return f'<audio controls style="width:100%" ontimeupdate="{move}" src="data:audio/flac;base64,{data}"></audio>'


def _stack(segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str], edges: np.ndarray, top: int) -> list[str]:
    """Columns that are divided between labels, a shape for each label, the highest first."""
    shares = with_crisp_borders(label_shares(segments, list(colors), edges))
    tops = top + LANE - whole_pixels(shares, LANE).cumsum(axis=1)
    shapes = []
    for heights, color in zip(tops.T, colors.values(), strict=True):
        corners = np.flatnonzero(np.diff(heights)) + 1
        steps = f"V{heights[0]}" + "".join(f"H{corner}V{heights[corner]}" for corner in corners)
        bottom = top + LANE
        shapes.append(f'<path fill="{color}" shape-rendering="crispEdges" d="M0 {bottom}{steps}H{WIDTH}V{bottom}Z"/>')
    return shapes[::-1]


def _names(segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str], edges: np.ndarray, top: int) -> list[str]:
    """What one can point at, and names where there is room."""
    found = []
    step = 0.1 if edges[-1] - edges[0] < 600 else 1
    for segment in segments:
        left, right = (np.array([segment["start"], segment["end"]]) - edges[0]) / (edges[1] - edges[0])
        if right - left < WIDE_ENOUGH:
            continue
        label = escape(segment["label"])
        times = " – ".join(format_time(segment[border], edges[-1], step) for border in ("start", "end"))
        score = f" {segment['score']:.2f}" if segment.get("score") is not None else ""
        area = f'x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{LANE}"'
        found.append(f'<g><title>{times} {label}{score}</title><rect {area} fill-opacity="0"/>')
        if right - left >= CHARACTER * len(segment["label"]) + PADDING:
            place = f'x="{(left + right) / 2:.1f}" y="{top + LANE / 2 + 4}" text-anchor="middle"'
            found.append(f'<text {place} fill="{text_color(colors[segment["label"]])}">{label}</text>')
        found.append("</g>")
    return found


def _ticks(edges: np.ndarray, top: int) -> list[str]:
    start, end = edges[0], edges[-1]
    return [
        f'<text x="{(time - start) / (edges[1] - start):.1f}" y="{top + TICKS - 8}" text-anchor="middle" '
        f'fill="currentColor">{text}</text>'
        for time, text in time_ticks(start, end, round_step((end - start) / 12), end).items()
    ]


def _legend(segments: Sequence[Mapping[str, Any]], colors: Mapping[str, str]) -> str:
    seconds = dict.fromkeys(colors, 0.0)
    for segment in segments:
        seconds[segment["label"]] += segment["end"] - segment["start"]
    total = max(sum(seconds.values()), 1e-9)
    entries = [
        f'<span style="margin-right:16px;white-space:nowrap"><span style="color:{color}">&#9632;</span> '
        f"{escape(label)} {100 * seconds[label] / total:.1f} %, "
        f"{format_time(seconds[label], step=0.1 if seconds[label] < 60 else 1)}</span>"
        for label, color in colors.items()
    ]
    return f'<div style="padding:0 3%">{" ".join(entries)}</div>'
