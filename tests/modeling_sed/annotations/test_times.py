"""The tolerance of times: what rounding moved past the end is cut, what is further is left for the metric to refuse."""

from __future__ import annotations

import warnings

import pytest

from modeling_sed.annotations.times import TOLERANCE, cut_ends
from modeling_sed.frames_sed import InputWarning


def sad(start: float, end: float) -> dict:
    return {"start": start, "end": end, "label": "sad"}


def test_ends_within_the_tolerance_are_cut():
    with pytest.warns(InputWarning, match=r"^2 segment\(s\) .* up to 20\.0 ms") as caught:
        found = cut_ends([[sad(0, 1), sad(1, 2 + TOLERANCE)], [], [sad(7.845, 7.85)]], [2.0, 3.0, 7.84])
    assert found == [[sad(0, 1), sad(1, 2.0)], [], [sad(7.84, 7.84)]]
    assert len(caught) == 1


def test_ends_inside_or_further_away_stay():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        segments = [[sad(0, 1.99), sad(1, 2.0), sad(1, 2.0 + 1e-9), sad(1, 2.0201)]]
        assert cut_ends(segments, [2.0]) == segments
