"""Emotion transition accuracy: sequences by hand, Table 3's counts from the real annotation."""

from __future__ import annotations

import json

import evaluate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.metrics.emotion_transition_accuracy.emotion_transition_accuracy import (
    EmotionTransitionAccuracy,
    emotion_sequence,
    transition_accuracy,
)
from tests.conftest import REAL_DATA, REPOSITORY
from tests.metrics.test_eder import segment


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([], "null"),
        ([(0, 4, "happy")], "happy"),
        ([(1, 4, "happy")], "null-happy"),
        ([(0, 1, "happy")], "happy-null"),
        ([(1, 2, "happy")], "null-happy-null"),
        ([(2, 3, "happy"), (1, 2, "happy")], "null-happy-null"),  # touching and unsorted: one run
        ([(1, 2, "happy"), (2.5, 3, "happy")], "null-happy-null-happy-null"),
        ([(0, 2, "sad"), (2, 9, "angry")], "sad-angry"),  # past the end: cut
        ([(0, 3, "sad"), (2, 4, "angry")], "sad-angry+sad-angry"),
        ([(0, 4, "neutral"), (2, 2, "sad")], "null"),
        ([(1e-9, 4 - 1e-9, "sad")], "sad"),  # rounding makes no neutral stretch
    ],
)
def test_sequences_by_hand(segments, expected):
    assert "-".join(emotion_sequence([segment(*s) for s in segments], 4.0, {"neutral"})) == expected


runs = st.lists(st.sampled_from(["null", "happy", "sad", "angry"]), min_size=1, max_size=30)


@given(runs)
def test_runs_of_any_length_are_found_again(labels):
    fused = [label for index, label in enumerate(labels) if index == 0 or label != labels[index - 1]]
    segments = [segment(index, index + 1, label) for index, label in enumerate(labels)]
    assert emotion_sequence(segments, len(labels), {"null"}) == tuple(fused)


def test_table_is_printed_as_in_the_paper():
    references = [[segment(1, 2, "happy")], [segment(1, 2, "happy")], [segment(0, 2, "angry")], []]
    predictions = [[segment(0.5, 2, "happy")], [segment(0, 2, "happy")], [segment(0, 2, "angry")], []]
    metric = evaluate.load(str(REPOSITORY / "metrics" / "emotion_transition_accuracy"))
    result = metric.compute(predictions=predictions, references=references, durations=[2.0] * 4)
    assert (result["accuracy"], result["correct"], result["utterances"]) == (0.75, 3, 4)
    assert EmotionTransitionAccuracy.format_table(result).splitlines() == [
        "transition     TN     CN       ACC",
        "null            1      1   100.0 %",
        "angry           1      1   100.0 %",
        "null-happy      2      1    50.0 %",
        "total           4      3    75.0 %",
    ]


@pytest.mark.parametrize(
    ("prediction", "duration", "message"),
    [
        ([segment(float("nan"), 1, "sad")], 1, "utterance 0: the segment 'sad' from nan to 1"),
        ([segment(1, 0.5, "sad")], 1, "utterance 0: the segment 'sad' from 1 to 0.5 s needs 0 <= start <= end"),
        ([], 0, "utterance 0: its duration must be a positive number of seconds; got 0"),
    ],
)
def test_bad_input_is_named(prediction, duration, message):
    with pytest.raises(ValueError, match=message):
        transition_accuracy([prediction], [[]], [duration])
    with pytest.raises(ValueError, match="got 0, 0 and 0 of them"):
        transition_accuracy([], [], [])


def test_table_3_counts_follow_from_the_real_annotation():
    path = REAL_DATA / "ZED" / "ZED.json"
    if not path.is_file():
        pytest.skip(f"the annotation of ZED is not at {path}")
    entries = json.loads(path.read_text(encoding="utf-8")).values()
    references = [[event | {"label": event["emo"]} for event in entry["emotion"]] for entry in entries]
    result = transition_accuracy(references, references, [entry["duration"] for entry in entries])
    paper = {  # column TN of Table 3
        "happy": 5, "null-happy": 31, "happy-null": 14, "null-happy-null": 12,
        "sad": 17, "null-sad": 33, "sad-null": 10, "null-sad-null": 6,
        "angry": 8, "null-angry": 30, "angry-null": 11, "null-angry-null": 3,
    }  # fmt: skip
    assert {name: row["total"] for name, row in result["transitions"].items()} == paper
    assert result["accuracy"] == 1.0
