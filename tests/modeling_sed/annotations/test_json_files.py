"""JSON: ours, ZED.json, SpeechBrain's, pyannote's and Label Studio's."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations
from modeling_sed.annotations.json_files import write_json, write_jsonl
from modeling_sed.frames_sed import InputError

from .common import SPOKEN, refused

SAD = {"start": 1.0, "end": 2.0, "label": "sad"}


def read(folder: Path, content: object) -> dict[str, Annotation]:
    path = folder / "call.json"
    path.write_text(json.dumps(content))
    return read_annotations(path)


def test_what_diarize_prints(tmp_path: Path):
    segments = [{**SAD, "score": 0.5, "speaker": "anna"}]
    content = [{"name": "x/call.wav", "duration": 4, "segments": segments, "reference": [SAD]}]
    assert read(tmp_path, content) == {"call": Annotation("call", segments, 4.0, [SAD])}


def test_zed_and_speechbrain_with_words(tmp_path: Path):
    entry = {"wav": "a.wav", "duration": 3.0, "emotion": [{"emo": "sad", "start": 1, "end": 2}], "transcription": ""}
    calm = {"wav": "b.wav", "duration": 2.0, "emotion": []}
    expected = {"a_1": Annotation("a_1", [SAD], 3.0), "b": Annotation("b", [], 2.0)}
    assert read(tmp_path, {"a_1": entry, "b": calm}) == expected


def test_letters_of_speechbrain_become_words_if_there_are_no_others(tmp_path: Path):
    emotion = [{"emo": letter, "start": i, "end": i + 1} for i, letter in enumerate("nhsa")]
    content = {"a": {"wav": "a.wav", "duration": 4.0, "emotion": emotion}}
    labels = [item["label"] for item in read(tmp_path, content)["a"].segments]
    assert labels == ["neutral", "happy", "sad", "angry"]
    content["b"] = {"duration": 1.0, "emotion": [{"emo": "fear", "start": 0, "end": 1}]}
    assert [item["label"] for item in read(tmp_path, content)["a"].segments] == ["n", "h", "s", "a"]


def test_what_speechbrain_infers(tmp_path: Path):
    segments = [{"start": 0.0, "end": 1.94, "emotion": "n"}, {"start": 1.94, "end": 4.48, "emotion": "h"}]
    expected = [
        {"start": 0.0, "end": 1.94, "label": "neutral"},
        {"start": 1.94, "end": 4.48, "label": "happy"},
    ]
    assert read(tmp_path, {"x/example.wav": segments}) == {"example": Annotation("example", expected)}
    assert read(tmp_path, segments) == {"call": Annotation("call", expected)}


def test_what_the_pipeline_returns(tmp_path: Path):
    assert read(tmp_path, [{**SAD, "score": 0.5}]) == {"call": Annotation("call", [{**SAD, "score": 0.5}])}


def test_pyannote(tmp_path: Path):
    track = {"segment": {"start": 1, "end": 2.0}, "track": "A", "label": "sad"}
    content = {"pyannote": "Annotation", "content": [track], "uri": "other.wav"}
    assert read(tmp_path, content) == {"other": Annotation("other", [SAD])}
    del content["uri"]
    assert read(tmp_path, content) == {"call": Annotation("call", [SAD])}
    refused(tmp_path / "p.json", json.dumps({"content": [{**track, "segment": [1, 2]}]}), "track 1: it needs a segment")
    refused(tmp_path / "p.json", json.dumps({"content": [], "uri": 3}), "uri must be a name; got 3")


def task(audio: object = "/data/upload/3/0a1b2c3d-my%20call.wav", **changes: object) -> dict:
    labelled = {
        "type": "labels",
        "original_length": 6.1,
        "value": {"start": 1, "end": 2, "channel": 0, "labels": ["sad"]},
    }
    said = {"type": "textarea", "value": {"start": 1, "end": 2, "text": ["so"]}}
    annotations = [{"id": 1, "was_cancelled": False, "result": [labelled, said]}, {"was_cancelled": True, "result": []}]
    return {"id": 7, "data": {"audio": audio, "speaker": "anna"}, "annotations": annotations, **changes}


@pytest.mark.parametrize(
    ("audio", "name"),
    [
        ("/data/upload/3/0a1b2c3d-my%20call.wav", "my call"),
        ("/data/local-files/?d=folder/0a1b2c3d-call.wav", "0a1b2c3d-call"),
        ("s3://bucket/folder/call.flac", "call"),
        ("https://example.org/call.mp3?signature=1", "call"),
    ],
)
def test_label_studio(tmp_path: Path, audio: str, name: str):
    assert read(tmp_path, [task(audio)]) == {name: Annotation(name, [SAD], 6.1)}
    renamed = task(data={"recording": audio, "text": "so"})
    assert list(read(tmp_path, [renamed])) == [name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": []}, "task 7: a task needs one annotation that is not cancelled; it has 0"),
        ({"annotations": [{"result": []}, {"result": []}]}, "it has 2"),
        ({"annotations": [{"result": {}}]}, "is a list of regions; got {}"),
        ({"annotations": [{"result": [{"type": "choices", "value": {}}]}]}, "none of its 1 results has labels"),
        (
            {"annotations": [{"result": [{"value": {"start": "1", "end": 2, "labels": ["x"]}}]}]},
            "start must be a finite",
        ),
        ({"annotations": [{"result": [{"value": {"start": 1, "end": 2, "labels": "x"}}]}]}, "labels are a list"),
        ({"data": {"audio": "a.wav", "other": "b.wav"}}, None),
        ({"data": {"x": "a.wav", "y": "b.wav"}}, "its data must name one audio file"),
        ({"data": "a.wav"}, "its data must name one audio file"),
    ],
)
def test_label_studio_tasks_that_cannot_be_used(tmp_path: Path, changes: dict, message: str | None):
    content = json.dumps([task(**changes)])
    if message is None:
        assert list(read(tmp_path, json.loads(content))) == ["a"]
    else:
        refused(tmp_path / "export.json", content, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no annotations in a form that is known; it begins []"),
        ("{}", "holds no annotations"),
        ("3", "it begins 3"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ('{"a": [], "a": []}', "'a' comes twice"),
        ('{"a": {"duration": 1}}', "utterance 'a': it needs duration and emotion"),
        ('[{"name": 5, "segments": []}]', "entry 1: it needs name, duration and segments"),
        ('[{"name": "a", "segments": {}}]', "utterance 'a': segments are a list"),
        ('[{"name": "a", "segments": [], "duration": "3"}]', "duration must be a finite number; got '3'"),
        ('[{"name": "a", "segments": [], "duration": 0}]', "the duration of a must be a positive number"),
        ('[{"name": "a", "segments": [], "duration": true}]', "duration must be a finite number; got True"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, content: str, message: str):
    refused(tmp_path / "a.json", content, message)


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ('{"start": NaN, "end": 1.1, "label": "x"}', "start must be a finite number; got nan"),
        ('{"start": 0, "end": Infinity, "label": "x"}', "end must be a finite number; got inf"),
        ('{"start": 0, "end": 1e999, "label": "x"}', "end must be a finite number; got inf"),
        (f'{{"start": 0, "end": 1{"0" * 400}, "label": "x"}}', "end must be a finite number; got 1000"),
        (f'{{"start": 0, "end": 1{"0" * 9000}, "label": "x"}}', "is not JSON"),
        ('{"start": "0", "end": 1, "label": "x"}', "start must be a finite number; got '0'"),
        ('{"start": null, "end": 1, "label": "x"}', "start must be a finite number; got None"),
        ('{"start": 1.5, "end": 0.5, "label": "x"}', "needs 0 <= start <= end"),
        ('{"start": -3, "end": 0.5, "label": "x"}', "needs 0 <= start <= end"),
        ('{"start": 0, "end": 1, "label": null}', "label of a segment must be a name; got None"),
        ('{"start": 0, "end": 1, "label": " "}', "label of a segment must be a name; got ' '"),
        ('{"start": 0, "end": 1, "label": "x", "score": "y"}', "score must be a finite number"),
        ('{"start": 0, "end": 1, "label": "x", "speaker": 1}', "speaker of a segment must be a name; got 1"),
        ('{"start": 0, "label": "x"}', "it needs start, end and label"),
        ("3", "it needs start, end and label; got 3"),
    ],
)
def test_bad_values_are_refused_by_their_place(tmp_path: Path, segment: str, message: str):
    place = "" if "is not JSON" in message else "utterance 's_1', segment 2"
    good = '{"start": 0, "end": 1, "label": "x"}'
    refused(tmp_path / "a.json", f'{{"s_1": {{"duration": 2.0, "emotion": [{good}, {segment}]}}}}', message, place)
    refused(tmp_path / "a.json", f'[{{"name": "s_1", "segments": [{good}, {segment}]}}]', message, place)


def test_lines(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    lines = [{"name": "a\u2028b", "duration": 2.0, "segments": [SAD]}, {"name": "c", "segments": []}]
    path.write_text("\r\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    assert read_annotations(path) == {"a\u2028b": Annotation("a\u2028b", [SAD], 2.0), "c": Annotation("c")}
    refused(path, '{"name": "a", "segments": []}\n\n{"name": "b"}', "line 3: it needs name, duration and segments")
    refused(path, '{"name": "a", "segments": []}\n{', "line 2 is not JSON")
    refused(path, "\n", "it is empty")


def test_written_files_are_json():
    stream = io.StringIO()
    write_json([SPOKEN, Annotation("b", [], None)], stream)
    expected = [{"name": "call", "segments": SPOKEN.segments, "duration": 8.0}, {"name": "b", "segments": []}]
    assert json.loads(stream.getvalue()) == expected
    stream = io.StringIO()
    write_jsonl([SPOKEN, SPOKEN], stream)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [expected[0]] * 2
    for write in (write_json, write_jsonl):
        with pytest.raises(InputError, match="finite numbers only"):
            write([Annotation("a", [{**SAD, "score": math.nan}])], io.StringIO())


KEYS = (
    *("name", "duration", "segments", "emotion", "label", "emo", "start", "end", "score", "reference", "content"),
    *("segment", "uri", "id", "annotations", "result", "value", "labels", "data", "audio", "original_length"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON)
def test_no_json_ends_in_a_traceback(tmp_path: Path, content: object):
    for text in (json.dumps(content), json.dumps([content])):
        (tmp_path / "a.json").write_text(text)
        try:
            read_annotations(tmp_path / "a.json")
        except InputError as error:
            assert "a.json" in str(error)
