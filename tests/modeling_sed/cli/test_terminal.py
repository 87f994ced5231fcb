"""Timelines as lines of a terminal: exactly as wide as asked for, each column the label that lasts longest in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed import Segment
from modeling_sed.cli.terminal import COLORS, FURTHER_COLORS, legend, timeline, wants_colors

CALL: list[Segment] = [
    {"start": 0.0, "end": 4.0, "label": "neutral"},
    {"start": 4.0, "end": 5.2, "label": "angry"},
    {"start": 5.2, "end": 6.0, "label": "sad"},
    {"start": 6.0, "end": 9.0, "label": "neutral"},
]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_timeline_names_what_is_wide_enough():
    # two columns a second: angry has 2.4 of them, of the third of which sad has more; 6 are too few for "neutral"
    assert timeline(CALL, 10.0, 20, colored=False) == "neutral·a·s·n·····  "
    assert timeline(CALL, 10.0, 40, colored=False) == "neutral·········angrysad" + "neutral·····    "


def test_a_column_has_the_label_that_lasts_longest():
    segments: list[Segment] = [
        {"start": 0.0, "end": 0.5, "label": "sad"},  # 0.5 and 0.1 are more than 0.4
        {"start": 0.5, "end": 0.9, "label": "happy"},
        {"start": 0.9, "end": 1.1, "label": "sad"},
        {"start": 1.1, "end": 1.4, "label": "happy"},  # 0.3, but for 0.5 there is nothing
    ]
    assert timeline(segments, 3.0, 3, colored=False) == "s  "


def test_colors_change_no_character():
    colored = timeline(CALL, 10.0, 40)
    assert plain(colored) == timeline(CALL, 10.0, 40, colored=False).replace("·", " ")
    assert colored.count("\x1b[0m") == 4 and colored.endswith("\x1b[0m    ")
    for label in ("neutral", "angry", "sad"):
        assert f"\x1b[48;5;{COLORS[label][0]};" in colored


label = st.sampled_from(["neutral", "angry", "Begeisterung", "x"])


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20), label), max_size=8), st.integers(1, 120))
def test_a_timeline_is_as_wide_as_asked_for(intervals: list, columns: int):
    segments: list[Segment] = [{"start": min(a, b), "end": max(a, b), "label": name} for a, b, name in intervals]
    for colored in (False, True):
        assert len(plain(timeline(segments, 15.0, columns, colored))) == columns


def test_a_legend_shows_each_label_in_its_color():
    shown = legend(["happy", "Angry", "enthusiastic"])
    assert plain(shown) == " happy   Angry   enthusiastic "
    backgrounds = [int(color) for color in re.findall(r"48;5;(\d+)", shown)]
    assert backgrounds[:2] == [COLORS["happy"][0], COLORS["angry"][0]]
    assert backgrounds[2] in {background for background, _ in FURTHER_COLORS}
    main = [COLORS[name][0] for name in ("neutral", "happy", "sad", "angry")]
    assert len({*main, *(background for background, _ in FURTHER_COLORS)}) == 4 + len(FURTHER_COLORS)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_colors()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colors()
