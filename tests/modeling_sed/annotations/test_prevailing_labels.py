"""Which label prevails in an interval: arithmetic by hand, and a reference that goes from second to second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.annotations.prevailing_labels import prevailing_labels
from modeling_sed.annotations.segments import in_order

TIMELINE = [
    {"start": 0.0, "end": 2.0, "label": "neutral", "score": 0.9},
    {"start": 2.0, "end": 5.0, "label": "angry", "score": 0.8},
    {"start": 5.0, "end": 6.0, "label": "neutral", "score": 0.7},
]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.5, 1.5, ("neutral", 0.9)),  # inside of one segment: its score
        (1.0, 2.0, ("neutral", 0.9)),  # up to a border
        (2.0, 3.0, ("angry", 0.8)),  # from a border on
        (1.5, 3.5, ("angry", 0.6)),  # 0.5 s * 0.9 = 0.45 against 1.5 s * 0.8 = 1.2, of 2 s
        (1.0, 2.125, ("neutral", 0.8)),  # 1 s * 0.9 of 1.125 s
        (1.0, 6.0, ("angry", 0.48)),  # 1 * 0.9 + 1 * 0.7 = 1.6 against 3 * 0.8 = 2.4, of 5 s
        (1.0, 2.1, ("neutral", 0.818182)),  # 0.9 / 1.1, to six decimals
        (5.5, 9.0, ("neutral", 0.7)),  # of which half a second is in the recording
        (2.0, 2.0, ("angry", 0.8)),  # a point at a border belongs to the later segment
        (1.9999, 2.0001, ("neutral", 0.9)),  # a point, too, where it begins
        (6.0, 6.0, ("neutral", 0.7)),  # and at the end of the recording to the last
        (0.0, 0.0, ("neutral", 0.9)),
        (6.0, 7.0, None),
        (7.0, 7.0, None),
    ],
)
def test_cases_by_hand(start: float, end: float, expected: tuple[str, float] | None):
    assert prevailing_labels(TIMELINE, [(start, end)]) == [expected]
    assert prevailing_labels(TIMELINE[::-1], [(9, 9), (start, end)]) == [None, expected]


def test_the_score_weighs_the_time():
    segments = [
        {"start": 0.0, "end": 1.0, "label": "sad", "score": 0.9},
        {"start": 1.0, "end": 2.5, "label": "happy", "score": 0.5},
    ]
    assert prevailing_labels(segments, [(0.0, 2.5)]) == [("sad", 0.36)]  # 0.9 against 0.75, of 2.5 s


def test_of_equals_the_label_that_begins_first_prevails():
    segments = [{"start": 0.0, "end": 0.15, "label": "b"}, {"start": 0.15, "end": 1.0, "label": "a"}]
    # 0.15 - 0.1 and 0.2 - 0.15 differ by the arithmetic only
    assert prevailing_labels(segments, [(0.1, 0.2)]) == [("b", 0.5)]
    assert prevailing_labels([{**s, "start": 0.0} for s in segments], [(0.0, 0.1)]) == [("b", 1.0)]


def test_where_nothing_is_there_is_none():
    assert prevailing_labels([], [(0, 1)]) == [None]
    assert prevailing_labels(TIMELINE, []) == []
    assert prevailing_labels([{"start": 1.0, "end": 1.0, "label": "a"}], [(0, 2), (1, 1)]) == [None, None]
    apart = [{"start": 1.0, "end": 2.0, "label": "a"}, {"start": 4.0, "end": 5.0, "label": "b"}]
    assert prevailing_labels(apart, [(2, 4), (3, 3), (0, 1), (0, 3)]) == [None, None, None, ("a", 0.5)]  # of 1 to 3


def test_late_in_a_long_recording_it_is_as_exact():
    segments = [
        {"start": second, "end": second + 1.0, "label": "ab"[second % 2], "score": 0.3 + 0.4 * (second % 2)}
        for second in range(36_000)
    ]
    found = prevailing_labels(segments, [(35_998.25, 35_998.26), (35_999.0, 35_999.01), (35_998.5, 35_999.5)])
    assert found == [("a", 0.3), ("b", 0.7), ("b", 0.35)]


SEGMENTS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 8), st.sampled_from("abc"), st.sampled_from([None, 0.25, 0.5, 1.0])),
    max_size=8,
)


@given(rows=SEGMENTS, intervals=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=6))
def test_second_by_second(rows: list[tuple], intervals: list[tuple[int, int]]):
    segments = [
        {"start": start, "end": start + length, "label": label} | ({} if score is None else {"score": score})
        for start, length, label, score in rows
    ]
    real = [segment for segment in in_order(segments) if segment["start"] < segment["end"]]
    labels = list(dict.fromkeys(segment["label"] for segment in real))

    def score(label: str, second: int) -> float:
        covering = [s for s in real if s["label"] == label and s["start"] <= second < s["end"]]
        return covering[-1].get("score", 1.0) if covering else 0.0

    def slow(start: int, end: int) -> tuple[str, float] | None:
        inside = range(
            max(start, min((s["start"] for s in real), default=0)), min(end, max((s["end"] for s in real), default=0))
        )
        means = {label: sum(score(label, second) for second in inside) / len(inside) for label in labels if inside}
        best = max(means, key=lambda label: round(means[label], 6), default=None)
        return (best, pytest.approx(means[best], abs=1e-6)) if best is not None and means[best] > 0 else None

    spans = [(start, start + length) for start, length in intervals]
    assert prevailing_labels(segments, spans) == [slow(*span) for span in spans]
