"""Emotions by speaker: the timeline cut to turns, from RTTM files and from pyannote's objects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.annotations.text_table import format_table
from modeling_sed.recordings.speaker_turns import emotions_by_speaker, read_turns, turns_of

TIMELINE = [
    {"start": 0.0, "end": 2.0, "label": "neutral", "score": 0.9},
    {"start": 2.0, "end": 5.0, "label": "angry", "score": 0.8},
    {"start": 5.0, "end": 6.0, "label": "neutral", "score": 0.7},
]
RTTM = """\
;; two recordings
SPEAKER call 1 4.000 1.500 <NA> <NA> bob <NA> <NA>
SPEAKER call 1 0.500 2.500 <NA> <NA> anna <NA> <NA>
SPEAKER other 1 0.0 1.0 <NA> <NA> carl <NA> <NA>
"""
TURNS = [{"start": 0.5, "end": 3.0, "speaker": "anna"}, {"start": 4.0, "end": 5.5, "speaker": "bob"}]


def turn(start: float, end: float, speaker: str = "anna") -> dict:
    return {"start": start, "end": end, "speaker": speaker}


def spans(segments: list[dict]) -> list[tuple]:
    return [(segment["start"], segment["end"], segment["label"]) for segment in segments]


def test_each_speaker_gets_the_timeline_of_their_turns():
    assert emotions_by_speaker(TIMELINE, TURNS) == {
        "anna": [
            {"start": 0.5, "end": 2.0, "label": "neutral", "score": 0.9},
            {"start": 2.0, "end": 3.0, "label": "angry", "score": 0.8},
        ],
        "bob": [
            {"start": 4.0, "end": 5.0, "label": "angry", "score": 0.8},
            {"start": 5.0, "end": 5.5, "label": "neutral", "score": 0.7},
        ],
    }


def test_speakers_who_talk_at_once_get_the_same():
    found = emotions_by_speaker(TIMELINE, [turn(1, 3), turn(2.5, 4, "bob")])
    assert spans(found["anna"]) == [(1, 2, "neutral"), (2, 3, "angry")]
    assert spans(found["bob"]) == [(2.5, 4, "angry")]


def test_turns_of_one_speaker_are_joined_where_they_touch():
    found = emotions_by_speaker(TIMELINE, [turn(3, 4), turn(2.5, 3), turn(3.2, 3.4), turn(4.5, 9), turn(1, 1)])
    assert spans(found["anna"]) == [(2.5, 4, "angry"), (4.5, 5, "angry"), (5, 6, "neutral")]


def test_a_turn_outside_of_the_recording_holds_nothing():
    assert emotions_by_speaker(TIMELINE, [turn(7, 8)]) == {"anna": []}
    assert emotions_by_speaker(TIMELINE, []) == {}


def test_a_turn_that_ends_before_it_starts_is_refused():
    for bad in (turn(3, 2), turn(float("nan"), 2)):
        with pytest.raises(ValueError, match=r"turn of anna from .* s ends too early"):
            emotions_by_speaker(TIMELINE, [bad])


@given(
    borders=st.sets(st.integers(1, 99), max_size=20),
    turns=st.lists(st.tuples(st.integers(0, 110), st.integers(0, 30), st.sampled_from("ab")), max_size=12),
)
def test_every_instant_of_a_turn_has_the_label_of_the_timeline(borders, turns):
    """Reference: instant by instant. Times are whole numbers; instants lie between them."""
    edges = [0, *sorted(borders), 100]
    timeline = [
        {"start": a, "end": b, "label": "happy" if number % 2 else "neutral"}
        for number, (a, b) in enumerate(pairwise(edges))
    ]
    given_turns = [turn(start, start + length, speaker) for start, length, speaker in turns]
    found = emotions_by_speaker(timeline, given_turns)
    assert set(found) == {speaker for _, _, speaker in turns}
    for speaker, segments in found.items():
        for instant in (second + 0.5 for second in range(150)):
            spoken = any(t["start"] < instant < t["end"] for t in given_turns if t["speaker"] == speaker)
            expected = [s["label"] for s in timeline if s["start"] < instant < s["end"]] if spoken else []
            assert [s["label"] for s in segments if s["start"] < instant < s["end"]] == expected


def test_turns_are_read_from_rttm(tmp_path: Path):
    path = tmp_path / "turns.rttm"
    path.write_text(RTTM, encoding="utf-8")
    assert read_turns(path, "folder/call.wav") == TURNS
    with pytest.raises(ValueError, match=r"turns\.rttm has no turns of nobody; it has those of call, other"):
        read_turns(path, "nobody.wav")
    (tmp_path / "turns.csv").touch()
    with pytest.raises(ValueError, match=r"turns\.csv: speaker turns are read from files that end in \.rttm"):
        read_turns(tmp_path / "turns.csv", "call")
    with pytest.raises(FileNotFoundError, match=r"missing\.rttm"):
        read_turns(tmp_path / "missing.rttm", "call")


def test_turns_are_taken_from_what_pyannote_returns(tmp_path: Path):
    core = pytest.importorskip("pyannote.core")
    annotation = core.Annotation(uri="call")
    annotation[core.Segment(4, 5.5)] = "bob"
    annotation[core.Segment(0.5, 3)] = "anna"

    @dataclass
    class DiarizeOutput:  # as pyannote.audio 4 has it
        speaker_diarization: core.Annotation

    assert turns_of(annotation) == turns_of(DiarizeOutput(annotation)) == TURNS
    with (tmp_path / "call.rttm").open("w", encoding="utf-8") as file:
        annotation.write_rttm(file)
    assert read_turns(tmp_path / "call.rttm", "call.wav") == TURNS
    with pytest.raises(TypeError, match="Speaker turns are a pyannote Annotation"):
        turns_of([0.5, 3.0])


def test_tables_name_the_speaker():
    line = format_table([{**TIMELINE[1], "speaker": "anna"}]).splitlines()[1]
    assert line.split() == ["2.00", "5.00", "angry", "0.800", "anna"]
