"""A pause that is inserted moves what follows, splits what it falls into, and changes nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.annotations.segments import insert_pause, overlap

SAD = {"start": 1.0, "end": 2.0, "label": "sad"}
TIMES = st.integers(0, 40).map(lambda number: number / 4)
SEGMENTS = st.lists(
    st.tuples(TIMES, TIMES).map(lambda pair: {"start": min(pair), "end": max(pair), "label": "sad"}), max_size=4
)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (0.5, [(4.0, 5.0)]),
        (1.0, [(4.0, 5.0)]),
        (1.25, [(1.0, 1.25), (4.25, 5.0)]),
        (2.0, [(1.0, 2.0)]),
        (3.0, [(1.0, 2.0)]),
    ],
)
def test_before_within_and_after(time: float, expected: list[tuple[float, float]]):
    found = insert_pause([SAD], time, 3.0)
    assert [(segment["start"], segment["end"]) for segment in found] == expected
    assert all(segment["label"] == "sad" for segment in found) and SAD["start"] == 1.0


@given(SEGMENTS, TIMES, TIMES)
def test_the_rest_stays_what_it_was(segments: list[dict], time: float, seconds: float):
    found = insert_pause(segments, time, seconds)
    assert not any(overlap(segment, time, time + seconds) for segment in found)
    for start, end in ((0.0, time), (time, 10.0)):
        moved = seconds if start == time else 0.0
        before = sum(overlap(segment, start, end) for segment in segments)
        assert sum(overlap(segment, start + moved, end + moved) for segment in found) == pytest.approx(before)
