"""The summary of timelines, against sums over all segments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.recordings.summary import MOMENTS, SHORTEST_MOMENT, Summary

SEGMENTS = st.builds(
    lambda start, length, label, score: {"start": start, "end": start + length, "label": label, "score": score},
    *(st.integers(0, 9), st.sampled_from([0.25, 0.5, 3.0]), st.sampled_from(["neutral", "happy", "sad"])),
    st.floats(0, 1),
)


@given(st.lists(st.lists(SEGMENTS, max_size=9), max_size=4))
def test_it_counts_everything(timelines: list[list[dict]]):
    summary = Summary()
    for number, segments in enumerate(timelines):
        summary.add(Annotation(str(number), segments))
    every = [segment for segments in timelines for segment in segments]
    assert summary.recordings == len(timelines)
    for label in ("neutral", "happy", "sad"):
        own = [segment for segment in every if segment["label"] == label]
        assert summary.seconds[label] == sum(segment["end"] - segment["start"] for segment in own)
        assert summary.events[label] == (0 if label == "neutral" else len(own))
    scores = [s["score"] for s in every if s["label"] != "neutral" and s["end"] - s["start"] >= SHORTEST_MOMENT]
    assert [moment.score for moment in summary.moments] == sorted(scores, reverse=True)[:MOMENTS]
