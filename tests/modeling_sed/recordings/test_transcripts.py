"""Emotions and speakers of sentences and words: cases by hand, and invariants."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.transcripts import with_emotions, word_intervals

TIMELINE = [
    {"start": 0.0, "end": 2.0, "label": "neutral", "score": 0.9},
    {"start": 2.0, "end": 5.0, "label": "angry", "score": 0.8},
    {"start": 5.0, "end": 6.0, "label": "neutral", "score": 0.7},
]
WHISPERX = {
    "segments": [
        {
            "start": 1.0,
            "end": 4.0,
            "text": " I told you 2 times.",
            "avg_logprob": math.inf,
            "words": [
                {"word": "I", "start": 1.0, "end": 1.5, "score": 0.9, "speaker": "SPEAKER_01"},
                {"word": "told", "start": 1.5, "end": 2.0, "score": 0.8, "speaker": "SPEAKER_01"},
                {"word": "you", "start": 2.0, "end": 2.25, "score": 0.7},
                {"word": "2"},
                {"word": "times.", "start": 3.0, "end": 4.0, "score": 0.6, "speaker": "SPEAKER_01"},
            ],
            "chars": [{"char": "I", "start": 1.0, "end": 1.5, "score": 0.9}],
            "speaker": "SPEAKER_01",
        }
    ],
    "word_segments": [{"word": "I", "start": 1.0, "end": 1.5, "score": 0.9, "speaker": "SPEAKER_01"}],
    "language": "en",
}


def sentence(start: float, end: float, words: list[dict] | None = None, **fields) -> dict:
    return {"start": start, "end": end, "text": "so", **({} if words is None else {"words": words}), **fields}


def word(start: float | None = None, end: float | None = None) -> dict:
    return {"word": "so", "start": start, "end": end}


def test_sentences_and_words_have_the_emotion_that_prevails():
    found = with_emotions(WHISPERX, TIMELINE)
    (told,) = found["segments"]
    # 1 s * 0.9 against 2 s * 0.8 = 1.6, of 3 s
    assert (told["emotion"], told["emotion_score"]) == ("angry", 0.533333)
    assert [(item["word"], item["emotion"], item["emotion_score"]) for item in told["words"]] == [
        ("I", "neutral", 0.9),
        ("told", "neutral", 0.9),  # ends at the border
        ("you", "angry", 0.8),  # begins there
        ("2", "angry", 0.8),  # from 2.25 to 3
        ("times.", "angry", 0.8),
    ]


def test_all_other_fields_stay_and_the_given_transcript_too():
    before = copy.deepcopy(WHISPERX)
    found = with_emotions(WHISPERX, TIMELINE, [{"start": 0, "end": 6, "speaker": "anna"}])
    assert before == WHISPERX
    told = copy.deepcopy(found)
    for item in (*told["segments"], *told["segments"][0]["words"]):
        del item["emotion"], item["emotion_score"]
    assert told == WHISPERX
    assert with_emotions(found, TIMELINE) == found
    nothing = with_emotions(found, [])  # what another timeline said is no longer said
    assert nothing == WHISPERX


def test_a_list_stays_a_list():
    segments = [{"id": 1, "seek": 0, **sentence(2, 3, None), "words": None}]
    assert with_emotions(segments, TIMELINE) == [{**segments[0], "emotion": "angry", "emotion_score": 0.8}]
    assert with_emotions([], TIMELINE) == [] and with_emotions({"segments": []}, []) == {"segments": []}


def test_what_lies_outside_of_the_recording_has_no_emotion():
    late = [sentence(7, 8, [word(7, 8), word()])]
    assert with_emotions(late, TIMELINE) == late


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([word(1, 2), word(), word(), word(3, 4)], [(1, 2), (2, 3), (2, 3), (3, 4)]),  # between their neighbours
        ([word(), word(2, 3), word()], [(0, 2), (2, 3), (3, 9)]),  # up to the sentence's
        ([word(), word()], [(0, 9), (0, 9)]),
        ([word(1, 2), word(None, 4), word(5, None), word(6, 7)], [(1, 2), (2, 4), (5, 6), (6, 7)]),  # half known
        ([word(1, None), word(), word(None, 4)], [(1, 4), (1, 4), (1, 4)]),
        ([word(1, 2), word(), word(2, 3)], [(1, 2), (2, 2), (2, 3)]),  # nothing between them: a point
        ([word(1, 3), word(), word(2, 4)], [(1, 3), (2, 3), (2, 4)]),  # neighbours that overlap
        ([word(10, 11), word()], [(10, 11), (9, 11)]),  # after the sentence
        ([], []),
    ],
)
def test_words_without_times(words: list[dict], expected: list[tuple]):
    assert word_intervals(sentence(0, 9, words)) == expected
    left_out = [{key: value for key, value in item.items() if value is not None} for item in words]
    assert word_intervals(sentence(0, 9, left_out)) == expected


@given(st.lists(st.tuples(*[st.none() | st.integers(0, 9)] * 2)))
def test_intervals_of_words_are_intervals_and_known_times_stay(times: list[tuple]):
    known = [(min(pair), max(pair)) if None not in pair else pair for pair in times]
    found = word_intervals(sentence(0, 9, [word(*pair) for pair in known]))
    assert len(found) == len(known)
    for (start, end), pair in zip(found, known, strict=True):
        assert 0 <= start <= end <= 9
        assert {time for time in pair if time is not None} <= {start, end}


def test_turns_name_the_speakers_where_the_transcript_does_not():
    told = [sentence(0, 4, [word(0, 1), word(1, 3), word(), word(3, 4)]), sentence(8, 9)]
    turns = [
        {"start": 1.5, "end": 5.0, "speaker": "bob"},
        {"start": 0.0, "end": 2.0, "speaker": "anna"},
        {"start": 0.5, "end": 1.0, "speaker": "anna"},  # inside of another one: counts once
    ]
    found = with_emotions(told, TIMELINE, turns)
    assert found[0]["speaker"] == "bob"  # 2.5 s against 2 s
    # anna 1 s; bob from 1.5 to 3 against anna from 1 to 2; a point at 3; bob
    assert [item["speaker"] for item in found[0]["words"]] == ["anna", "bob", "bob", "bob"]
    assert "speaker" not in found[1]


def test_of_speakers_who_cover_the_same_the_first_to_speak_speaks():
    turns = [{"start": 0, "end": 2, "speaker": "zoe"}, {"start": 2, "end": 4, "speaker": "anna"}]
    assert with_emotions([sentence(1, 3)], TIMELINE, turns)[0]["speaker"] == "zoe"
    both = [{"start": 1, "end": 2, "speaker": "zoe"}, {"start": 0, "end": 4, "speaker": "anna"}]
    assert with_emotions([sentence(1, 2)], TIMELINE, both)[0]["speaker"] == "anna"


def test_a_transcript_that_names_any_speaker_keeps_its_own():
    turns = [{"start": 0, "end": 9, "speaker": "anna"}]
    found = with_emotions(WHISPERX, TIMELINE, turns)["segments"][0]
    assert found["speaker"] == "SPEAKER_01" and "speaker" not in found["words"][2]
    assert with_emotions([sentence(0, 1, speaker=None)], TIMELINE, turns)[0]["speaker"] == "anna"
    with pytest.raises(InputError, match="turn of anna from 3 to 2 s ends too early"):
        with_emotions(WHISPERX, TIMELINE, [{"start": 3, "end": 2, "speaker": "anna"}])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "The transcript is no transcript: it needs a list of segments; got None"),
        ({"text": "so"}, "needs a list of segments"),
        ({"segments": {}}, "needs a list of segments"),
        (["so"], "The transcript, segment 1: a segment of a transcript has start, end and text; got 'so'"),
        ([{"start": 0, "end": 1}], "has start, end and text"),
        ([sentence(0, 1), sentence(0, math.nan)], "segment 2: end must be a finite number; got nan"),
        ([sentence("0", 1)], "segment 1: start must be a finite number; got '0'"),
        ([sentence(2, 1)], "segment 1: the segment from 2.0 to 1.0 s needs 0 <= start <= end"),
        ([sentence(-1, 1)], "needs 0 <= start <= end"),
        ([{**sentence(0, 1), "text": 3}], "the text must be text; got 3"),
        ([sentence(0, 1, speaker=3)], "segment 1: the speaker must be a name; got 3"),
        ([sentence(0, 1, "so")], "segment 1: words are a list; got 'so'"),
        ([sentence(0, 1, [[0.0, 1.0, "so", 0.9]])], "word 1: a word is a mapping .* dataclasses.asdict"),
        ([sentence(0, 1, [word(0, 1), word(1, 0.5)])], "word 2: the word from 1.0 to 0.5 s needs 0 <= start <= end"),
        ([sentence(0, 1, [word(None, -0.5)])], "word 1: the word from -0.5 to -0.5 s needs 0 <= start <= end"),
        ([sentence(0, 1, [word(None, math.inf)])], "word 1: end must be a finite number"),
        ([sentence(0, 1, [{**word(0, 1), "speaker": []}])], r"word 1: the speaker must be a name; got \[\]"),
    ],
)
def test_other_transcripts_are_refused_by_their_place(content: object, message: str):
    with pytest.raises(InputError, match=message):
        with_emotions(content, TIMELINE)
