"""Times in pictures: how they are written, and where rows are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.evaluation.time_axis import STEPS, format_time, round_step, row_seconds, time_ticks


@pytest.mark.parametrize(
    ("seconds", "options", "text"),
    [
        (0, {}, "0:00"),
        (59.6, {}, "1:00"),
        (3599, {}, "59:59"),
        (3600, {}, "1:00:00"),
        (65, {"longest": 7200}, "0:01:05"),
        (4.25, {"step": 0.5}, "0:04.2"),  # half to even
        (59.96, {"step": 0.1}, "1:00.0"),
        (0.02, {"step": 0.02}, "0:00.02"),
        (90_000, {}, "25:00:00"),
    ],
)
def test_times_are_written_as_people_write_them(seconds: float, options: dict, text: str):
    assert format_time(seconds, **options) == text


def test_long_recordings_have_rows_of_round_length():
    assert [row_seconds(duration, 6) for duration in (5, 120, 121, 600, 3600, 21_600, 86_400)] == [
        *(5, 120, 60),
        *(120, 600, 3600, 14_400),
    ]
    assert row_seconds(21_600, 1) == 21_600


@given(st.floats(0.01, 1e7), st.integers(1, 8))
def test_there_are_no_more_rows_than_allowed(duration: float, rows: int):
    seconds = row_seconds(duration, rows)
    assert duration / seconds <= max(rows, 2) + 1e-9  # a recording of two minutes and a bit has rows of one minute
    assert round_step(seconds) >= seconds


def test_steps_ascend():
    assert sorted(set(STEPS)) == list(STEPS)


def test_ticks_are_multiples_of_their_step():
    assert time_ticks(59.5, 62.0, 1, 62.0) == {60: "1:00", 61: "1:01", 62: "1:02"}
    assert list(time_ticks(0, 0.3, 0.1, 0.3).values()) == ["0:00.0", "0:00.1", "0:00.2", "0:00.3"]
    for seconds in STEPS[STEPS.index(60) :]:  # a row begins and ends with a tick
        assert {0, seconds} <= set(time_ticks(0, seconds, round_step(seconds / 12), seconds))
