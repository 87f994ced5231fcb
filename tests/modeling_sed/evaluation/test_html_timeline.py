"""The timeline of notebooks: right, harmless, and played where it can be."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.evaluation.html_timeline import LANE, PLAYED, WIDTH, timeline_html
from modeling_sed.evaluation.palette import EMOTION_COLORS
from tests.modeling_sed.evaluation.test_plotting import TWELVE, random_segments

SEGMENTS = [
    {"start": 0.0, "end": 1.0, "label": "neutral", "score": 0.9},
    {"start": 1.0, "end": 4.0, "label": "angry", "score": 0.8},
]


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str):
        assert self.open.pop() == tag

    def handle_data(self, data: str):
        self.text += data


def areas(html: str) -> dict[str, float]:
    """By colour, the share of the bar that a browser shows of it, from the shapes and their order."""
    shown = np.full((LANE, WIDTH), "", dtype=object)
    for color, steps in re.findall(r'<path fill="(#\w+)" shape-rendering="crispEdges" d="M0 \d+([^"]+)Z"', html):
        height, position = 0, 0
        for kind, value in re.findall(r"([HV])(\d+)", steps.rpartition("V")[0]):
            if kind == "V":
                height = int(value)
            else:
                shown[height:, position : int(value)] = color
                position = int(value)
    return {color: float((shown == color).mean()) for color in set(shown.ravel())}


@pytest.mark.parametrize("duration", [5.0, 600.0, 21_600.0])
def test_areas_are_the_time_of_the_labels(duration: float):
    segments = random_segments(duration, ("neutral", "happy", "sad", "angry"), max(6, round(duration)))
    found = areas(timeline_html(segments))
    for label in {segment["label"] for segment in segments}:
        seconds = sum(s["end"] - s["start"] for s in segments if s["label"] == label)
        assert found[EMOTION_COLORS[label]] == pytest.approx(seconds / duration, rel=0.04, abs=0.002)
    assert sum(found.values()) == pytest.approx(1) and "" not in found


def test_names_times_and_shares_can_be_read():
    page = Page(timeline_html(SEGMENTS))
    assert "0:01.0 – 0:04.0 angry 0.80" in page.text
    assert "angry 75.0 %, 0:03.0" in page.text and "neutral 25.0 %, 0:01.0" in page.text
    assert page.text.count("angry") == 3  # on the bar, below it, and where one points


def test_speakers_have_lanes():
    spoken = [{**segment, "speaker": speaker} for segment, speaker in zip(SEGMENTS, ("A", "B <b>"), strict=True)]
    page = Page(timeline_html(spoken))
    assert "A" in page.text and "B <b>" in page.text and not any(tag == "b" for tag, _ in page.tags)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b'", "</svg>"])
def test_names_are_only_text(name: str):
    page = Page(timeline_html([{**SEGMENTS[1], "label": name, "speaker": name}]))
    plain = Page(timeline_html([{**SEGMENTS[1], "label": "plain", "speaker": "plain"}]))
    assert [tag for tag, _ in page.tags if tag != "text"] == [tag for tag, _ in plain.tags if tag != "text"]
    assert name in page.text


def test_it_asks_nobody_for_anything(tmp_path: Path):
    html = timeline_html(SEGMENTS, {"array": np.zeros(64_000), "sampling_rate": 16_000})
    assert "http" not in html and "url(" not in html and "@import" not in html
    sources = [attributes["src"] for _, attributes in Page(html).tags if "src" in attributes]
    assert len(sources) == 1 and sources[0].startswith("data:audio/flac;base64,")


def played(html: str) -> np.ndarray | None:
    found = re.search(r"base64,([^\"]+)", html)
    return None if found is None else soundfile.read(io.BytesIO(base64.b64decode(found[1])))[0]


def test_the_player_has_what_the_timeline_shows(tmp_path: Path):
    waveform = 0.5 * np.sin(np.arange(64_000) / 20)
    soundfile.write(tmp_path / "a.wav", waveform, 16_000)
    for audio in (str(tmp_path / "a.wav"), tmp_path / "a.wav", {"array": waveform, "sampling_rate": 16_000}):
        np.testing.assert_allclose(played(timeline_html(SEGMENTS, audio)), waveform, atol=1e-4)
        np.testing.assert_allclose(played(timeline_html(SEGMENTS[1:], audio)), waveform[16_000:], atol=1e-4)


def test_what_cannot_be_played_is_shown_without_a_player(tmp_path: Path):
    (tmp_path / "text.wav").write_text("text")
    used = io.BytesIO(b"")
    long = [{"start": 0.0, "end": PLAYED + 1, "label": "sad"}]
    sound = {"array": np.zeros(16_000 * 200), "sampling_rate": 16_000}
    for segments, audio in (
        (SEGMENTS, None),
        (SEGMENTS, tmp_path / "gone.wav"),
        (SEGMENTS, tmp_path / "text.wav"),
        (SEGMENTS, used),
        (SEGMENTS, "https://127.0.0.1:9/a.wav"),
        (long, sound),
    ):
        html = timeline_html(segments, audio)
        assert "<audio" not in html and "<svg" in html
    assert "<audio" in timeline_html([{"start": 100.0, "end": 101.0, "label": "sad"}], sound)


def test_an_hour_is_small():
    assert len(timeline_html(random_segments(3600.0, TWELVE, 5_000))) < 200_000
