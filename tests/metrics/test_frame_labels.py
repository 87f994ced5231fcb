"""Frame labels -> segments; and through them, agreement with SpeechBrain's EDER on its domain."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.metrics.eder.frame_labels import segments_from_frames
from modeling_sed.metrics.eder.scoring import score_segments
from tests.metrics.freeze_speechbrain_eder import CASES, FROZEN, random_case


def test_by_hand():
    # borders after frames 2 and 3: 0.4 s and 0.6 s, each later by half of the overlap of 0.1 s
    segments = segments_from_frames(["a", "a", "b", "c", "c"], duration=1.15, stride=0.2, window=0.3)
    assert [(s["start"], s["end"], s["label"]) for s in segments] == [
        (0.0, pytest.approx(0.45), "a"),
        (pytest.approx(0.45), pytest.approx(0.65), "b"),
        (pytest.approx(0.65), 1.15, "c"),
    ]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=50), st.floats(0, 0.019))
def test_segments_tile_the_utterance(labels, rest):
    duration = 0.02 * len(labels) + rest
    segments = segments_from_frames(labels, duration)
    assert segments[0]["start"] == 0 and segments[-1]["end"] == duration
    for one, following in pairwise(segments):
        assert one["end"] == following["start"] and one["label"] != following["label"]
    middles = (np.arange(len(labels)) + 0.5) * 0.02
    found = [next(s["label"] for s in segments if s["start"] <= middle < s["end"]) for middle in middles]
    assert found == labels


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([], {}, "An utterance without frames"),
        (["a"] * 100, {}, "100 frames with a stride of 0.02 s and a window of 0.02 s cover 2 s, but .* lasts 4.0 s"),
        (["a"] * 300, {}, "cover 6 s, but the utterance lasts 4.0 s"),
        (["a"] * 200, {"stride": 0.0}, "A stride must be positive"),
        (["a"] * 200, {"window": 0.01}, "A stride must be positive and at most the window; got 0.02 and 0.01 s"),
    ],
)
def test_what_does_not_fit_is_refused(labels, options, message):
    with pytest.raises(ValueError, match=message):
        segments_from_frames(labels, 4.0, **options)


def test_agrees_with_speechbrain():
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    cases = [random_case(number) for number in range(CASES)]
    predictions = [segments_from_frames(case.frames, case.duration, case.stride, case.window) for case in cases]
    result = score_segments(
        predictions, [[case.event] for case in cases], [case.duration for case in cases], per_utterance=True
    )
    np.testing.assert_allclose(result["per_utterance"]["eder"], frozen["eder"], rtol=0, atol=1e-9)
    assert 0.3 < np.mean(frozen["eder"]) < 0.9 and min(frozen["eder"]) < 0.05  # the cases are not trivial
