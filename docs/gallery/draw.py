"""Draws the gallery: `python docs/gallery/draw.py`. The recordings are made up; the same each time."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from modeling_sed.annotations.segments import join_equal
from modeling_sed.evaluation.plotting import plot_errors, plot_timeline
from modeling_sed.frames_sed import Segment
from modeling_sed.metrics.eder.scoring import find_error_segments, score_segments

FOLDER = Path(__file__).parent
LENGTHS = {"5_seconds": 5.0, "10_minutes": 600.0, "1_hour": 3600.0, "6_hours": 21_600.0}
MEAN_SECONDS = {"5_seconds": 1.0, "10_minutes": 5.0, "1_hour": 2.5, "6_hours": 1.1}  # of a segment
FOUR = ("neutral", "happy", "sad", "angry")
TWO = ("neutral", "angry")
TWELVE = (*FOUR, "amused", "bored", "calm", "contemptuous", "disgusted", "fearful", "frustrated", "surprised")
FRAME = 0.02  # seconds


def invent_segments(
    rng: np.random.Generator, duration: float, labels: tuple[str, ...], mean_seconds: float
) -> list[Segment]:
    """Segments that tile a recording; which labels are frequent changes from one tenth of it to the next."""
    frequencies = rng.dirichlet(np.full(len(labels), 0.3), size=10)
    segments: list[Segment] = []
    start = 0.0
    while start < duration:
        end = min(start + 0.06 + rng.gamma(1.2, mean_seconds / 1.2), duration)
        label = str(rng.choice(labels, p=frequencies[int(10 * start / duration)]))
        segments.append({"start": start, "end": end, "label": label, "score": float(rng.uniform(0.45, 0.99))})
        start = end
    return join_equal(segments)


def invent_posteriors(
    rng: np.random.Generator, segments: list[Segment], labels: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors ``(frames, labels)`` that waver around the segments, and the frames' borders in seconds."""
    duration = segments[-1]["end"]
    borders = np.append(np.arange(0, duration - FRAME / 2, FRAME), duration)
    starts = [segment["start"] for segment in segments]
    which = np.searchsorted(starts, borders[:-1], side="right") - 1
    logits = 0.4 * rng.standard_normal((len(which), len(labels)))
    logits[np.arange(len(which)), np.array([labels.index(s["label"]) for s in segments])[which]] += 6
    width = 15  # frames: around a border, the labels on both sides are likely
    summed = np.cumsum(np.pad(logits, ((width, 0), (0, 0)), mode="edge"), axis=0)
    exponentials = np.exp((summed[width:] - summed[:-width]) / width)
    return exponentials / exponentials.sum(axis=1, keepdims=True), borders


def invent_waveform(rng: np.random.Generator, duration: float) -> np.ndarray:
    """Noise in the rhythm of syllables and pauses, ``(samples,)``, at 1 kHz."""
    time = np.arange(0, duration, 0.001)
    pauses = np.repeat(rng.random(int(duration / 0.7) + 1) < 0.8, 700)[: len(time)]
    loudness = np.ones(len(time))
    for seconds in (4, 90):  # of a phrase, and of what somebody tells
        knots = np.arange(0, duration + 2 * seconds, seconds)
        loudness *= np.interp(time, knots, rng.uniform(0.2, 1, len(knots)))
    return loudness * pauses * np.sin(2 * np.pi * 2.3 * time) ** 2 * rng.standard_normal(len(time))


def invent(name: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """A recording, as `plot_timeline` takes it."""
    rng, duration = np.random.default_rng(len(labels)), LENGTHS[name]
    segments = invent_segments(rng, duration, labels, MEAN_SECONDS[name])
    posteriors, frame_times = invent_posteriors(rng, segments, labels)
    return {
        "name": f"{name.replace('_', ' ')}, {len(labels)} labels",
        "duration": duration,
        "segments": segments,
        "waveform": invent_waveform(rng, duration),
        "posteriors": posteriors,
        "frame_times": frame_times,
    }


def without_scores(segments: list[Segment]) -> list[Segment]:
    """As people annotate."""
    return [{"start": s["start"], "end": s["end"], "label": s["label"]} for s in segments]


def invent_call() -> dict[str, Any]:
    """Two people who talk in turn, and at once now and then; somebody has annotated the emotions."""
    rng, duration = np.random.default_rng(7), 600.0
    spoken: list[Segment] = []
    for speaker, offset in (("SPEAKER_00", 0.0), ("SPEAKER_01", 9.0)):
        segments = invent_segments(rng, duration, FOUR, 6.0)
        spoken += [{**s, "speaker": speaker} for s in segments if (s["start"] + offset) % 18 < 10]
    return {
        "name": "call.wav",
        "duration": duration,
        "segments": spoken,
        "reference": without_scores(invent_segments(rng, duration, FOUR, 12.0)),
        "waveform": invent_waveform(rng, duration),
    }


def invent_errors(duration: float, mean_seconds: float) -> dict[str, Any]:
    """An utterance as `plot_errors` takes it: the prediction is the reference, a bit late and sometimes wrong."""
    rng = np.random.default_rng(round(duration))
    reference = without_scores(invent_segments(rng, duration, FOUR, mean_seconds))
    late: list[Segment] = [
        {
            "start": min(s["start"] + 0.1 * mean_seconds * rng.random(), s["end"]),
            "end": s["end"],
            "label": s["label"] if rng.random() < 0.8 else str(rng.choice(FOUR)),
        }
        for s in reference
    ]
    late += [{**s, "label": "sad"} for s in late[::9] if s["label"] == "angry"]  # two emotions at once
    rates = score_segments([late], [reference], [duration])
    return {
        "name": f"{duration:g} seconds",
        "duration": duration,
        "eder": rates["eder"],
        "reference": reference,
        "prediction": late,
        "errors": find_error_segments(late, reference, duration, ["neutral"]),
    }


def save(figure: Figure, name: str) -> None:
    """Writes a small PNG: 128 colours suffice."""
    content = BytesIO()
    figure.savefig(content, format="png")
    Image.open(content).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
    print(f"{name}: {(FOLDER / name).stat().st_size / 1024:.0f} KiB", file=sys.stderr)


def main() -> None:
    for labels in (TWO, TWELVE):
        for name in LENGTHS:
            save(plot_timeline(invent(name, labels), labels), f"{name}_{len(labels)}_labels.png")
    save(plot_timeline(invent_call(), FOUR), "speakers_and_reference.png")
    save(plot_errors([invent_errors(8, 2), invent_errors(90, 4), invent_errors(3600, 5)]), "errors.png")


if __name__ == "__main__":
    main()
