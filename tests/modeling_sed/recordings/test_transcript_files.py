"""Transcripts in files: forms of other tools, what survives, what is refused; srt and webvtt as other readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import srt
import webvtt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.transcript_files import read_transcript, transcript_path, write_transcript
from modeling_sed.recordings.transcripts import with_emotions

from .test_transcripts import TIMELINE, WHISPERX

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TOLD = {
    "segments": [
        {"start": 0.5, "end": 2.0, "text": "So?", "speaker": "SPEAKER_00", "emotion": "happy", "emotion_score": 0.87},
        {"start": 1.5, "end": 3.0, "text": "1 < 2 & 3\n<i>now</i>", "emotion": "very sad", "emotion_score": 1.0},
        {"start": 4.0, "end": 4.0, "text": ""},
    ]
}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path) -> list[tuple]:
    return [
        (item["start"], item["end"], item.get("speaker"), item["text"]) for item in read_transcript(path)["segments"]
    ]


def test_json_of_whisperx_keeps_every_field(tmp_path: Path):
    path = written(tmp_path / "call.json", json.dumps(WHISPERX))  # with Infinity, as Python writes it
    assert read_transcript(path) == WHISPERX
    write_transcript(with_emotions(read_transcript(path), TIMELINE), tmp_path / "out.json")
    assert read_transcript(tmp_path / "out.json") == with_emotions(WHISPERX, TIMELINE)


FIELDS = st.dictionaries(
    st.text(min_size=1).filter(lambda key: key not in {"words", "emotion", "emotion_score", "speaker"}),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@EXAMPLES
@given(top=FIELDS, fields=FIELDS, of_word=FIELDS)
def test_fields_that_we_do_not_know_survive(tmp_path: Path, top: dict, fields: dict, of_word: dict):
    word = {**of_word, "word": "so", "start": 0.5, "end": 1}
    content = {**top, "segments": [{**fields, "start": 0, "end": 2.0, "text": "so", "words": [word]}]}
    path = written(tmp_path / "call.json", json.dumps(content))
    write_transcript(with_emotions(read_transcript(path), TIMELINE), path)
    emotion = {"emotion": "neutral", "emotion_score": 0.9}
    expected = {**content["segments"][0], "words": [{**word, **emotion}], **emotion}
    assert json.loads(path.read_text(encoding="utf-8")) == {**content, "segments": [expected]}


def test_json_of_faster_whisper_is_a_list(tmp_path: Path):
    segment = {"id": 1, "seek": 0, "start": 2.0, "end": 3.0, "text": " So.", "tokens": [50364], "temperature": 0.0}
    segment["words"] = [{"start": 2.0, "end": 3.0, "word": " So.", "probability": 0.7}]
    path = written(tmp_path / "call.json", json.dumps([segment]))
    assert read_transcript(path) == [segment]
    write_transcript(with_emotions([segment], TIMELINE), path)
    assert [item["emotion"] for item in (read_transcript(path)[0], *read_transcript(path)[0]["words"])] == ["angry"] * 2


def test_subtitles_as_they_are_written(tmp_path: Path):
    for suffix in (".srt", ".vtt"):
        write_transcript(TOLD, tmp_path / f"call{suffix}")
    assert (tmp_path / "call.srt").read_text(encoding="utf-8") == (
        "1\n00:00:00,500 --> 00:00:02,000\n[SPEAKER_00]: (happy 0.87) So?\n\n"
        "2\n00:00:01,500 --> 00:00:03,000\n(very sad 1.00) 1 < 2 & 3\n<i>now</i>\n\n"
        "3\n00:00:04,000 --> 00:00:04,000\n\n\n"
    )
    assert (tmp_path / "call.vtt").read_text(encoding="utf-8") == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<v SPEAKER_00>(happy 0.87) So?\n\n"
        "00:00:01.500 --> 00:00:03.000\n(very sad 1.00) 1 &lt; 2 &amp; 3\n&lt;i&gt;now&lt;/i&gt;\n\n"
        "00:00:04.000 --> 00:00:04.000\n\n\n"
    )
    for suffix in (".srt", ".vtt"):
        assert read_transcript(tmp_path / f"call{suffix}") == TOLD
    assert [cue.content for cue in srt.parse((tmp_path / "call.srt").read_text())][:1] == [
        "[SPEAKER_00]: (happy 0.87) So?"
    ]
    captions = webvtt.read(str(tmp_path / "call.vtt")).captions
    assert (captions[0].voice, captions[0].text) == ("SPEAKER_00", "(happy 0.87) So?")


TEXTS = st.text(st.sampled_from("aZß猫🙂é'\"<>&;,=!#%-_.| \n"), max_size=12).map(
    lambda text: "\n".join(line.strip() for line in text.split("\n") if line.strip())
)
NAMES = st.text(st.sampled_from("aZß猫🙂<>&_0"), min_size=1, max_size=6)


@st.composite
def sentences(draw: st.DrawFn) -> dict:
    start, length = draw(st.integers(0, 36_000_000)), draw(st.integers(0, 60_000))
    found = {"start": start / 1000, "end": (start + length) / 1000, "text": draw(TEXTS)}
    if draw(st.booleans()):
        found["speaker"] = draw(NAMES)
    if draw(st.booleans()):
        found |= {"emotion": draw(NAMES), "emotion_score": draw(st.integers(0, 100)) / 100}
    return found


@EXAMPLES
@given(transcript=st.lists(sentences(), max_size=5), suffix=st.sampled_from([".srt", ".vtt", ".json"]))
def test_what_is_written_is_read(tmp_path: Path, transcript: list[dict], suffix: str):
    path = tmp_path / f"call{suffix}"
    write_transcript({"segments": transcript}, path)
    assert read_transcript(path) == {"segments": transcript}
    write_transcript(transcript, path)
    assert read_transcript(path) == (transcript if suffix == ".json" else {"segments": transcript})


def test_texts_that_subtitles_cannot_hold_as_they_are(tmp_path: Path):
    text = " a\r\n\r\nb \ud800"  # a blank line would end the subtitle; half of a character has no UTF-8
    for suffix in (".srt", ".vtt"):
        write_transcript([{"start": 0, "end": 1, "text": text, "speaker": "a\nb"}], tmp_path / f"call{suffix}")
        assert told(tmp_path / f"call{suffix}") == [(0, 1, "a b", "a\nb ?")]
        write_transcript([{"start": 0, "end": 1e9, "text": "so"}], tmp_path / f"call{suffix}")  # a hallucinated time
        assert told(tmp_path / f"call{suffix}") == [(0, 1e9, None, "so")]


def test_speakers_of_srt(tmp_path: Path):
    cues = ["[SPEAKER_00]: So?", "ANNA LEE: no", "Note: no name", "at 10:30: no", "- two\n- of them", "", "MÜLLER：ja"]
    text = "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},500\n{cue}\n\n" for i, cue in enumerate(cues))
    assert [item[2:] for item in told(written(tmp_path / "call.srt", text))] == [
        ("SPEAKER_00", "So?"),
        ("ANNA LEE", "no"),
        (None, "Note: no name"),
        (None, "at 10:30: no"),
        (None, "- two\n- of them"),
        (None, ""),
        ("MÜLLER", "ja"),
    ]


def test_names_before_all_cues_are_speakers(tmp_path: Path):
    text = "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nAnna O'Neil: So?\n\n2\n00:02.000 --> 00:03.000\n张三：no\n"
    assert [item[2:] for item in told(written(tmp_path / "a.vtt", text))] == [("Anna O'Neil", "So?"), ("张三", "no")]


def test_webvtt_of_others(tmp_path: Path):
    path = written(
        tmp_path / "call.vtt",
        "WEBVTT Kind: captions\n\nNOTE\na comment\n\nSTYLE\n::cue {}\n\n"
        "first\n00:01.000 --> 00:02.500 align:start position:0%\n"
        "<v.loud Ann Lee><b>a &lt;b&gt;</b> <c.x>and</c></v>\n<v Bob>yes\n\n"
        "100:00:00.000 --> 100:00:01.000\nmusic <v Bob>no</v>\n\n"
        "200:00:00.000 --> 200:00:01.000\nso <00:00:00.500><c>it</c>\n\n"
        "200:00:00.000 --> 200:00:01.000\n[SPEAKER_1]: is\n",
    )
    assert told(path) == [
        (1.0, 2.5, "Ann Lee", "a <b> and"),
        (1.0, 2.5, "Bob", "yes"),
        (360_000.0, 360_001.0, None, "music"),
        (360_000.0, 360_001.0, "Bob", "no"),
        (720_000.0, 720_001.0, None, "so it"),
        (720_000.0, 720_001.0, "SPEAKER_1", "is"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "a.json is not JSON"),
        ("a.json", "", "a.json is not JSON"),
        ("a.json", '{"segments": [], "segments": []}', "'segments' comes twice"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"segments": [], "x": ' + "[" * 101 + "]" * 101 + "}", "nested too deeply"),
        ("a.json", '[{"name": "call", "segments": []}]', "a.json, segment 1: a segment of a transcript has start"),
        ("a.json", '[{"start": NaN, "end": 1, "text": ""}]', "a.json, segment 1: start must be a finite number"),
        ("a.json", '[{"start": 1e999, "end": 1, "text": ""}]', "start must be a finite number"),
        ("a.srt", "so\n", "a.srt, line 1: a subtitle is a number, START --> END and its text"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:01,000\nso\n", "a.srt, line 1: a subtitle from 2.0 to 1.0 s needs 0 <="),
        ("a.srt", "1\n-00:00:02,000 --> 00:00:03,000\nso\n", "a.srt, line 1: a subtitle is"),
        ("a.vtt", "1\n00:00:01.000 --> 00:00:02.000\nso\n", "its first line must be WEBVTT"),
        ("a.txt", "so", "a.txt: transcripts are files that end in .json, .vtt, .srt"),
        ("a.json", "müde".encode("latin-1"), "neither UTF-8 nor UTF-16"),
        ("a.srt", "müde".encode("latin-1"), "neither UTF-8 nor UTF-16"),
    ],
)
def test_other_files_are_refused_by_their_place(tmp_path: Path, name: str, content: str | bytes, message: str):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_transcript(tmp_path / name)
    assert message in str(caught.value)


def test_files_that_are_missing_or_cannot_be_written(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"none\.json: there is no such file"):
        read_transcript(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be written"):
        write_transcript(TOLD, tmp_path / "none" / "call.srt")
    with pytest.raises(InputError, match=r"transcripts are files that end in"):
        write_transcript(TOLD, tmp_path / "call.docx")


def test_the_transcript_of_a_recording_in_a_folder(tmp_path: Path):
    file = tmp_path / "any.srt"
    assert transcript_path(file, "call.wav") == file
    for name in ("call.srt", "call.vtt", "other.mkv.srt", "other.json", "a.b.json"):
        (tmp_path / name).touch()
    assert transcript_path(tmp_path, "calls/call.wav") == tmp_path / "call.vtt"
    (tmp_path / "call.json").touch()
    assert transcript_path(tmp_path, "https://a.b/calls/call.mp3?x=1") == tmp_path / "call.json"
    assert transcript_path(tmp_path, "D:\\other.mkv") == tmp_path / "other.mkv.srt"  # the whole name first
    assert transcript_path(tmp_path, "a.b") == tmp_path / "a.b.json"  # an utterance of a dataset
    with pytest.raises(FileNotFoundError, match=r"has no transcript of x/none\.wav: none\.json, \.vtt or \.srt"):
        transcript_path(tmp_path, "x/none.wav")
