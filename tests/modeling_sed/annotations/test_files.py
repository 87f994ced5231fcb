"""All formats alike: what is written is read as the same, what is no annotation is refused by name."""

from __future__ import annotations

import io
import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.annotations.annotation import Annotation, utterance_name
from modeling_sed.annotations.files import BY_SUFFIX, FORMATS, read_annotations, read_durations
from modeling_sed.frames_sed import InputError

from .common import SPOKEN, read_back, refused, timelines, without, written

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOLDS_MANY = ("json", "jsonl", "csv", "rttm")
KEEPS_DURATION = ("json", "jsonl", "csv", "textgrid")
KEEPS_SCORES = ("json", "jsonl", "csv", "rttm", "srt", "vtt")


@pytest.mark.parametrize("kind", FORMATS)
@EXAMPLES
@given(annotation=timelines())
def test_what_is_written_is_read_as_the_same(kind: str, tmp_path: Path, annotation: Annotation):
    if kind == "rttm" and not annotation.segments:
        assert read_annotations(written(kind, [annotation], tmp_path)) == {}
        return
    found = read_back(kind, annotation, tmp_path)
    assert found.name == "call"
    assert found.duration == (annotation.duration if kind in KEEPS_DURATION else None)
    lost = () if kind in KEEPS_SCORES else ("score",)
    assert [(item["label"], item.get("score")) for item in found.segments] == [
        (item["label"], item.get("score")) for item in without(annotation, *lost)
    ]
    for key in ("start", "end"):
        assert [item[key] for item in found.segments] == pytest.approx(
            [item[key] for item in annotation.segments], abs=1e-6 if kind == "rttm" else 1e-9
        )


@pytest.mark.parametrize("kind", HOLDS_MANY)
def test_files_of_many_recordings(kind: str, tmp_path: Path):
    both = [Annotation("folder/a.wav", SPOKEN.segments[2:], 8.0), Annotation("b", SPOKEN.segments[2:], 9.5)]
    found = read_annotations(written(kind, both, tmp_path))
    assert list(found) == ["a", "b"]
    assert found["b"].segments == both[1].segments


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in HOLDS_MANY])
def test_files_of_one_recording_do_not_take_two(kind: str, tmp_path: Path):
    with pytest.raises(InputError, match=r"files hold one recording; got 2"):
        written(kind, [SPOKEN, SPOKEN], tmp_path)


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "srt", "vtt"])
def test_speakers_and_scores_are_kept_where_there_is_room(kind: str, tmp_path: Path):
    segments = [
        {"start": 0.0, "end": 2.0, "label": "happy", "score": 0.87, "speaker": "Anna B."},
        {"start": 1.0, "end": 3.0, "label": "sad", "speaker": "bob"},
    ]
    assert read_back(kind, Annotation("call", segments, 4.0), tmp_path).segments == segments


@pytest.mark.parametrize("kind", FORMATS)
def test_streams_and_files_get_the_same_and_a_folder_that_is_missing_is_named(kind: str, tmp_path: Path):
    simple, stream = Annotation("call", SPOKEN.segments[2:], 8.0), io.StringIO()
    FORMATS[kind].write([simple], stream)
    in_file = written(kind, [simple], tmp_path).read_text(encoding="utf-8")
    if kind != "eaf":  # it says when it was written
        assert stream.getvalue() == in_file
    with pytest.raises(InputError, match=r"missing.*cannot be written"):
        written(kind, [simple], tmp_path / "missing")


@pytest.mark.parametrize("suffix", BY_SUFFIX)
@EXAMPLES
@given(content=st.text(max_size=60) | st.text('SPEAKER 0.1\t\n",;"<>[]{}:-NaN/', max_size=60) | st.binary(max_size=30))
def test_anything_else_is_refused_by_name_and_never_a_traceback(suffix: str, tmp_path: Path, content: str | bytes):
    path = tmp_path / f"call{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        read_annotations(path)
    except InputError as error:
        assert str(path) in str(error)


def test_macos_leftovers_in_folders_are_not_read(tmp_path: Path):
    written("textgrid", [SPOKEN], tmp_path)
    (tmp_path / "._call.TextGrid").write_bytes(os.urandom(40))
    assert list(read_annotations(tmp_path)) == ["call"]


def test_text_files_beside_annotations_are_transcriptions(tmp_path: Path):
    written("audacity", [SPOKEN], tmp_path)
    assert read_annotations(tmp_path)["call"].segments == SPOKEN.segments
    written("rttm", [Annotation("other", SPOKEN.segments[2:])], tmp_path, "all")
    (tmp_path / "call.txt").write_text("what was said")
    assert list(read_annotations(tmp_path)) == ["other"]


def test_two_files_of_one_utterance_are_both_named(tmp_path: Path):
    simple = Annotation("call", SPOKEN.segments[2:], 8.0)
    first, second = written("json", [simple], tmp_path, "a"), written("csv", [simple], tmp_path, "b")
    with pytest.raises(InputError, match="utterances that come more than once: call") as caught:
        read_annotations(tmp_path)
    assert str(first) in str(caught.value) and str(second) in str(caught.value)


def test_folders_without_annotations_and_special_files_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"holds no annotations: no file ends in \.csv, \.eaf"):
        read_annotations(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_annotations(tmp_path / "none.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match=r"pipe\.json is not a file"):
        read_annotations(tmp_path / "pipe.json")
    refused(tmp_path / "a.docx", "", ".csv, .eaf, .json, .jsonl, .rttm, .srt, .textgrid, .tsv, .txt, .vtt")


def test_names_are_the_same_in_both_forms_of_unicode(tmp_path: Path):
    decomposed, composed = (unicodedata.normalize(form, "Zoë") for form in ("NFD", "NFC"))
    assert decomposed != composed and utterance_name(f"x/{decomposed}.wav") == composed
    (tmp_path / "a.json").write_text(json.dumps([{"name": decomposed, "segments": []}]))
    (tmp_path / f"{decomposed}.srt").write_text("")
    assert list(read_annotations(tmp_path / "a.json")) == list(read_annotations(tmp_path / f"{decomposed}.srt"))
    (tmp_path / "d.csv").write_text(f"name,duration\n{decomposed},4\n", encoding="utf-8")
    assert read_durations(tmp_path / "d.csv") == {composed: 4.0}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.csv", "name,duration\na,4\na,5\n", "the duration of a is both 4.0 and 5.0 s"),
        ("d.csv", "name,seconds\na,4\n", "line 1: the table needs one column duration; its columns are name, seconds"),
        ("d.tsv", "name\tduration\na\t-4\n", "line 2: the duration of a must be a positive number of seconds; got -4"),
        ("d.uem", "a 1 0 4\nb c 1 0 4\n", "line 2: a line of UEM is name, channel, start and end"),
        ("d.uem", "a 1 0.5 4\n", "line 1: the scored part of a begins at 0.5 s"),
        ("d.uem", "a 1 0 inf\n", "line 1: end must be a finite number"),
    ],
)
def test_bad_durations_are_refused_by_line(tmp_path: Path, name: str, content: str, message: str):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        read_durations(tmp_path / name)
    assert message in str(caught.value) and name in str(caught.value)
