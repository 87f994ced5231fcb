"""Colours that everybody tells apart, and that an emotion keeps."""

from __future__ import annotations

from itertools import combinations

import pytest

from modeling_sed.evaluation.palette import EMOTION_COLORS, FURTHER_COLORS, INK, label_colors, text_color
from tests.modeling_sed.evaluation.color_vision import VISION, ciede2000, lab, rgb

PAPER = "#ffffff"


def least_difference(colors: list[str], vision: str) -> float:
    return min(ciede2000(lab(a, vision), lab(b, vision)) for a, b in combinations(colors, 2))


def test_the_difference_is_that_of_the_published_examples():
    # Sharma, Wu and Dalal (2005), table 1: pairs 1, 7, 9, 17, 25
    for first, second, difference in (
        ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
        ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
        ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0009), 7.1792),
        ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert ciede2000(first, second) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
def test_every_two_colours_that_meet_in_a_picture_differ(vision: str):
    everything = [*EMOTION_COLORS.values(), *FURTHER_COLORS, INK, PAPER]
    assert len(set(everything)) == 14
    assert least_difference(everything, vision) > 12
    assert least_difference([*EMOTION_COLORS.values(), INK], vision) > 19


def test_the_colours_that_were_there_before_did_not():
    """Angry against missed emotion: what a deuteranope could not see."""
    assert least_difference(["#e15759", "#9c755f", "#59a14f"], "deuteranopia") < 12


def test_an_emotion_keeps_its_colour():
    assert label_colors(["sad", "neutral", "sad"]) == {
        "neutral": EMOTION_COLORS["neutral"],
        "sad": EMOTION_COLORS["sad"],
    }
    twelve = [*EMOTION_COLORS, *"abcdefgh"]
    colors = label_colors(reversed(twelve))
    assert list(colors) == twelve and len(set(colors.values())) == 12
    assert list(colors.values())[4:] == list(FURTHER_COLORS)
    assert label_colors(["n", "neutral"], "n")["n"] == EMOTION_COLORS["neutral"]
    assert len(label_colors([f"label {number}" for number in range(40)])) == 40


def test_names_can_be_read_on_every_colour():
    def luminance(color: str) -> float:
        value = rgb(color)
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in value]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    for color in (*EMOTION_COLORS.values(), *FURTHER_COLORS):
        dark, light = sorted((luminance(color), luminance(text_color(color))))
        assert light / dark >= 4.5, color  # of WCAG 2, AA
