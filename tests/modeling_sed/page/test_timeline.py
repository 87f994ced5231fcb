"""The HTML of a timeline: what it shows, and that no text of a file becomes code."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.evaluation.palette import EMOTION_COLORS
from modeling_sed.page.comparison import Comparison
from modeling_sed.page.downloads import download_links
from modeling_sed.page.timeline import COLUMNS, comparison_html, message_html, summary_html, timeline_html
from tests.modeling_sed.page.common import recording_of, segment


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def area(html: str, color: str) -> float:
    """The share of the first picture that a colour's shape covers, less what lies over it: shapes end at the bottom."""
    svg = ElementTree.fromstring(re.search(r"<svg.*?</svg>", html)[0])
    areas = {}
    for path in svg:
        covered, x = 0.0, 0
        top = None
        for command, value in re.findall(r"([VH])(-?\d+)", path.get("d").partition("H960")[0] + "H960"):
            if command == "V":
                top = int(value)
            else:
                covered += (int(value) - x) * (1000 - top)
                x = int(value)
        areas[path.get("fill")] = covered / (960 * 1000)
    shapes = list(areas)  # the highest first
    position = shapes.index(color)
    return areas[color] - (areas[shapes[position + 1]] if position + 1 < len(shapes) else 0)


def test_bars_lie_where_the_segments_are():
    html = timeline_html(recording_of([segment(0, 1, "neutral"), segment(1, 4, "sad")]))
    bars = [attributes for tag, attributes in Elements(html).found if attributes.get("class") == "bar"]
    assert [bar["style"].partition(";color")[0] for bar in bars] == [
        "left:0.000%;width:25.000%",
        "left:25.000%;width:75.000%",
    ]
    assert bars[1]["title"] == "sad 0.75, 0:01.0–0:04.0"
    assert area(html, EMOTION_COLORS["sad"]) == pytest.approx(0.75, abs=1 / COLUMNS)
    assert 'aria-valuemax="4"' in html and "0:03" in html


@pytest.mark.parametrize("count", [10, 6000])
def test_nothing_disappears_where_segments_are_narrower_than_a_column(count: int):
    # every second of them is angry, a fifth of the time
    borders = np.cumsum([(0.8, 0.2)] * (count // 2)).tolist()
    segments = [
        segment(start, end, "angry" if position % 2 else "neutral")
        for position, (start, end) in enumerate(zip([0.0, *borders], borders))  # noqa: B905 - one border more
    ]
    html = timeline_html(recording_of(segments))
    assert area(html, EMOTION_COLORS["angry"]) == pytest.approx(0.2, abs=0.01)
    assert len(html) < 400_000


def test_the_summary_says_share_and_seconds_of_each_emotion():
    html = summary_html(recording_of([segment(0, 1, "neutral"), segment(1, 4, "sad"), segment(4, 8, "neutral")]))
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in re.findall("<tr>.*?</tr>", html)]
    assert rows == [
        ["emotion", "share", "time", "segments"],
        ["neutral", "62.5", "%", "5.0", "s", "2"],
        ["happy", "0.0", "%", "0.0", "s", "0"],
        ["sad", "37.5", "%", "3.0", "s", "1"],
        ["angry", "0.0", "%", "0.0", "s", "0"],
    ]


def test_a_comparison_adds_rows_and_a_table():
    rates = {"eder": 0.25, "false_alarm": 0.125, "missed_emotion": 0.125, "confusion": 0.0, "overlap": 0.0}
    errors = [segment(0, 0.5, "false_alarm"), segment(1, 1.5, "missed_emotion")]
    comparison = Comparison(rates, [segment(0, 4, "bored")], errors, [])
    recording = recording_of([segment(0, 1, "happy"), segment(1, 4, "neutral")])
    html = timeline_html(recording, comparison)
    names = re.findall(r'class="row-name">(.*?)<', html)
    assert names == ["emotions", "annotation", "false alarm", "missed emotion", "posteriors"]
    assert "bored" in html and "bored" in summary_html(recording, comparison)  # its colour is explained
    table = Elements(comparison_html(recording, comparison)).text
    assert "EDER25.0 %1.00 s" in table and "confusion0.0 %0.00 s" in table and "overlap" not in table


@given(text=st.text(alphabet=st.sampled_from("<>&\"'`=/ ${}()\\x\n"), min_size=1) | st.text(min_size=1))
def test_no_text_of_a_file_becomes_code(text: str):
    text = f'"><img src=x onerror="alert(1)"><script>{text}</script>'
    tiles = [segment(0, 1, text), segment(1, 4, "neutral")]
    recording = recording_of(tiles, name=f"{text}.wav", labels=["neutral", text])
    comparison = Comparison({"eder": 0.5}, [segment(0, 4, f"{text}!")], [], [])
    html = "".join(
        (
            timeline_html(recording, comparison),
            summary_html(recording, comparison),
            comparison_html(recording, comparison),
            download_links(recording),
            message_html(text),
        )
    )
    elements = Elements(html)
    assert not {"img", "script"} & {tag for tag, _ in elements.found}
    assert not {name for _, attributes in elements.found for name in attributes if name.startswith("on")}
    (timeline,) = (attributes for _, attributes in elements.found if attributes.get("role") == "slider")
    assert json.loads(timeline["data-starts"]) == [[0, text], [1, "neutral"]]
