"""Pictures show the time of each label as pixels of its colour, whatever the recording's length."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from modeling_sed.evaluation.lanes import LANE
from modeling_sed.evaluation.palette import EMOTION_COLORS, INK, label_colors
from modeling_sed.evaluation.plotting import ERROR_LANE, PANEL, plot_errors, plot_timeline
from modeling_sed.evaluation.training_plots import plot_confusion, plot_learning_curves

FOUR = tuple(EMOTION_COLORS)
TWELVE = (*FOUR, *(f"emotion {letter}" for letter in "abcdefgh"))
LENGTHS = [5.0, 600.0, 3600.0, 21_600.0]


def random_segments(duration: float, labels: tuple[str, ...], count: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    borders = np.concatenate([[0], np.sort(rng.uniform(0, duration, count - 1)), [duration]])
    chosen = rng.choice(labels, count, p=rng.dirichlet(np.full(len(labels), 2.0)))
    return [
        {"start": start, "end": end, "label": str(label), "score": 0.5}
        for start, end, label in zip(borders, borders[1:], chosen, strict=False)
    ]


def rows(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if len(axes.get_yticks()) and axes.axison]


def lane_pixels(figure: Figure, name: str, height: int) -> np.ndarray:
    """The pixels of a lane in all rows, one beside the other: ``(height, columns, 3)``. Names on bars are left out."""
    for axes in figure.axes:
        for text in axes.texts:
            text.set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    found = []
    for axes in rows(figure):
        names = [label.get_text() for label in axes.get_yticklabels()]
        middle = axes.get_yticks()[names.index(name)]
        box = axes.get_window_extent()
        top = round(len(picture) - box.y0 - middle - height / 2)
        left = round(box.x0)
        found.append(picture[top : top + height, left : left + PANEL])
    return np.concatenate(found, axis=1)


def count(pixels: np.ndarray, color: str) -> int:
    return int((pixels == [int(color[first : first + 2], 16) for first in (1, 3, 5)]).all(axis=-1).sum())


@pytest.mark.parametrize("labels", [("neutral", "angry"), TWELVE], ids=["2 labels", "12 labels"])
@pytest.mark.parametrize("duration", LENGTHS)
def test_pixels_of_a_colour_are_the_time_of_its_label(duration: float, labels: tuple[str, ...]):
    segments = random_segments(duration, labels, max(8, round(duration / 1.1)))
    figure = plot_timeline({"name": "a.wav", "duration": duration, "segments": segments}, labels)
    pixels = lane_pixels(figure, "predicted", LANE)
    colors, total = label_colors(labels), 0
    row_seconds = rows(figure)[0].get_xlim()[1]
    for label in {segment["label"] for segment in segments}:
        seconds = sum(s["end"] - s["start"] for s in segments if s["label"] == label)
        found = count(pixels, colors[label])
        expected = seconds / row_seconds * PANEL * LANE
        assert found == pytest.approx(expected, rel=0.04, abs=2 * LANE), label
        total += found
    assert total == duration / row_seconds * PANEL * LANE  # every pixel has the colour of a label


@pytest.mark.parametrize("duration", LENGTHS)
def test_the_shortest_segment_has_a_pixel(duration: float):
    first, last = 0.4321 * duration, 0.4321 * duration + 0.02
    parts = zip((0, first, last), (first, last, duration), ("neutral", "angry", "neutral"), strict=True)
    segments = [{"start": start, "end": end, "label": label} for start, end, label in parts]
    figure = plot_timeline({"name": "a.wav", "duration": duration, "segments": segments})
    assert count(lane_pixels(figure, "predicted", LANE), EMOTION_COLORS["angry"]) > 0


@pytest.mark.parametrize("duration", LENGTHS)
def test_errors_are_drawn_by_their_time(duration: float):
    kinds = ("right", "false_alarm", "missed_emotion", "confusion", "overlap")
    of_all = random_segments(duration, kinds, max(8, round(duration / 3)), seed=3)
    errors = [segment for segment in of_all if segment["label"] != "right"]
    item = {"name": "a", "duration": duration, "eder": 0.5, "errors": errors, "prediction": []}
    figure = plot_errors([{**item, "reference": [{"start": 0, "end": duration / 4, "label": "sad"}]}])
    for kind in kinds[1:]:
        seconds = sum(s["end"] - s["start"] for s in errors if s["label"] == kind)
        found = count(lane_pixels(figure, kind.replace("_", " "), ERROR_LANE), INK)
        assert found == pytest.approx(seconds / duration * PANEL * ERROR_LANE, rel=0.06, abs=2 * ERROR_LANE)
    reference = lane_pixels(figure, "reference", LANE)
    assert count(reference, EMOTION_COLORS["sad"]) == PANEL // 4 * LANE
    assert count(reference, EMOTION_COLORS["neutral"]) == PANEL * LANE - PANEL // 4 * LANE  # what no segment covers


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in rows(figure) for text in axes.texts]


def test_wide_bars_carry_names_and_narrow_ones_do_not():
    parts = [(0, 5, "neutral", 0.91), (5, 5.05, "angry", 0.8), (5.05, 5.6, "happy", 0.7), (5.6, 10, "sad", None)]
    segments = [{"start": start, "end": end, "label": label, "score": score} for start, end, label, score in parts]
    figure = plot_timeline({"name": "a.wav", "duration": 10.0, "segments": segments})
    assert texts(figure) == ["neutral 0.91", "happy", "sad"]
    overlapping = [{"start": 0, "end": 8, "label": "sad"}, {"start": 6, "end": 10, "label": "angry"}]
    assert texts(plot_timeline({"name": "a.wav", "duration": 10.0, "segments": overlapping})) == []


def test_the_legend_is_complete_and_says_shares():
    segments = [{"start": 0, "end": 45, "label": "sad"}, {"start": 45, "end": 60, "label": "angry"}]
    figure = plot_timeline(
        {"name": "a.wav", "duration": 60.0, "segments": segments}, ("angry", "calm", "neutral", "sad")
    )
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["neutral 0.0 %, 0:00.0", "sad 75.0 %, 0:45.0", "angry 25.0 %, 0:15.0", "calm 0.0 %, 0:00.0"]


def test_long_recordings_have_rows_with_their_times():
    segments = [{"start": 0.0, "end": 4800.0, "label": "sad"}]
    figure = plot_timeline({"name": "a.wav", "duration": 4800.0, "segments": segments})
    ticks = [[label.get_text() for label in axes.get_xticklabels()] for axes in rows(figure)]
    assert [row[0] for row in ticks] == ["0:00:00", "0:30:00", "1:00:00"]
    assert [row[-1] for row in ticks] == ["0:30:00", "1:00:00", "1:20:00"]


def test_speakers_waveform_and_posteriors_have_lanes(tmp_path: Path):
    rng = np.random.default_rng(0)
    spoken = [
        {"start": 0.0, "end": 2.0, "label": "sad", "speaker": "B"},
        {"start": 1.0, "end": 3.0, "label": "happy", "speaker": "A"},
    ]
    figure = plot_timeline(
        {
            "name": "$x^2$_{.wav",  # no formula
            "duration": 3.0,
            "segments": spoken,
            "waveform": rng.standard_normal(3000),
            "reference": [],
            "posteriors": rng.dirichlet(np.ones(4), 150),
            "frame_times": np.linspace(0, 3, 151),
        },
        ("angry", "happy", "neutral", "sad"),
    )
    (row,) = rows(figure)
    names = [label.get_text() for label in row.get_yticklabels()]
    assert names == ["waveform", "B", "A", "reference", "posteriors, 0–1"]
    assert len(row.collections) == 1 + 1 + 1 + 4  # few shapes: one for each label that a lane shows
    for ending in ("png", "svg", "pdf"):
        figure.savefig(tmp_path / f"a.{ending}")
    assert "$x^2$_{.wav" in "".join(text.get_text() for text in figure.texts)


def test_six_hours_are_few_shapes_and_a_small_svg(tmp_path: Path):
    segments = random_segments(21_600.0, TWELVE, 20_000)
    figure = plot_timeline({"name": "day.wav", "duration": 21_600.0, "segments": segments}, TWELVE)
    assert sum(len(axes.collections) for axes in rows(figure)) <= 6 * 12
    figure.savefig(tmp_path / "day.svg")
    assert (tmp_path / "day.svg").stat().st_size < 2_000_000


def test_nothing_found_is_a_picture_too():
    figure = plot_timeline({"name": "silence.wav", "duration": 0.025, "segments": [], "waveform": np.zeros(400)})
    assert not (lane_pixels(figure, "predicted", LANE) != 255).any()


def test_pictures_of_training_are_drawn(tmp_path: Path):
    history = [{"epoch": epoch, "train_loss": 1 / epoch, "validation_frame_error_rate": 0.5} for epoch in (1, 2, 3)]
    seconds = {reference: {predicted: 1.0 + (reference == predicted) for predicted in TWELVE} for reference in TWELVE}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_learning_curves({"seed 1": history, "seed 2": history}).savefig(tmp_path / "curves.png")
        figure = plot_confusion(seconds)
        figure.savefig(tmp_path / "confusion.png")
    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["15 %", "8 %"]
