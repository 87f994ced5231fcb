"""Files that are damaged or written to do harm: every reader gives a result or one of our errors, and soon."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import BY_SUFFIX, read_annotations
from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.transcript_files import FORMATS as TRANSCRIPTS
from modeling_sed.recordings.transcript_files import read_transcript

from .common import SPOKEN, refused

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TOKENS = [
    *("\n", "\t", " ", '"', "'", ",", ";", ":", "-", "-->", "[", "]", "{", "}", "<", ">", "</", "&", "!", "\\", "\0"),
    *("nan", "inf", "-1", "1e400", "9" * 400, "null", "true", "<NA>", "WEBVTT", "SPEAKER", "\ud800", "é", "\u2028"),
]
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(["", *TOKENS])), min_size=1, max_size=4)


def damaged(text: str, changes: list[tuple[float, int, str]]) -> bytes:
    """At each place, a share of the text's length, some characters are replaced by a token."""
    for place, length, token in changes:
        start = int(place * len(text))
        text = text[:start] + token + text[start + length :]
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("suffix", BY_SUFFIX)
@EXAMPLES
@given(changes=edits)
def test_damaged_annotations_are_segments_or_an_error(suffix: str, tmp_path: Path, changes: list):
    stream = io.StringIO()
    BY_SUFFIX[suffix].write([Annotation("call", SPOKEN.segments[2:], 8.0)], stream)
    path = tmp_path / f"call{suffix}"
    path.write_bytes(damaged(stream.getvalue(), changes))
    try:
        found = read_annotations(path)
    except InputError as error:
        assert str(path) in str(error) and len(str(error)) < 1_000
        return
    for annotation in found.values():
        assert annotation.duration is None or 0 < annotation.duration < math.inf
        for segment in annotation.segments:
            assert 0 <= segment["start"] <= segment["end"] < math.inf and segment["label"].strip()


TRANSCRIPT = {
    ".json": json.dumps({"segments": [{"start": 0.0, "end": 1.0, "text": "Hm.", "words": [{"word": "Hm."}]}]}),
    ".srt": "1\n00:00:00,000 --> 00:00:01,000\n[anna]: (sad 0.75) Hm.\n",
    ".vtt": "WEBVTT\n\nNOTE x\n\n00:00.000 --> 00:01.000 line:0\n<v anna>(sad 0.75) <b>Hm</b> &amp;\n",
}


@pytest.mark.parametrize("suffix", TRANSCRIPTS)
@EXAMPLES
@given(changes=edits)
def test_damaged_transcripts_are_transcripts_or_an_error(suffix: str, tmp_path: Path, changes: list):
    path = tmp_path / f"call{suffix}"
    path.write_bytes(damaged(TRANSCRIPT[suffix], changes))
    try:
        found = read_transcript(path)
    except InputError as error:
        assert str(path) in str(error) and len(str(error)) < 1_000
        return
    for kind in TRANSCRIPTS.values():
        kind.write(found, io.StringIO())


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("a.json", "[" * 100_000, ["nested too deeply"]),
        ("a.json", '{"a":' * 100_000, ["nested too deeply"]),
        ("a.jsonl", "{}\n" + "[" * 100_000, ["line 1"]),
        ("a.json", '[{"start": 0, "end": ' + "9" * 400 + ', "label": "sad"}]', ["segment 1", "finite number"]),
        ("a.json", '[{"start": 0, "end": ' + "9" * 5_000 + ', "label": "sad"}]', ["is not JSON"]),
        ("a.json", "{" + ",".join(f'"{n}":0' for n in range(200_000)) + ',"7":0}', ["'7' comes twice"]),
        ("a.json", '[{"start": NaN, "end": 1, "label": "sad"}]', ["start must be a finite number"]),
        ("a.csv", 'name,start,end,label\na,0,1,"sad\nb,0,1,sad\n', ["line 2", "quote"]),
        ("a.csv", "name,start,end,label\na,0," + "9" * 400 + ",sad\n", ["line 2", "end must be a finite number"]),
        ("a.rttm", "SPEAKER a 1 0 " + "9" * 400 + " <NA> <NA> sad <NA> <NA>\n", ["line 1", "duration"]),
        ("a.rttm", "x " * 200_000, ["line 1"]),
        ("a.textgrid", '"ooTextFile" "TextGrid" 0 4 <exists> 1e300 ', ["line 1", "text in double quotes"]),
        ("a.textgrid", '"ooTextFile" "TextGrid" 0 4 <exists> 1 ' + '"' * 99_999, ["line 1"]),
        ("a.eaf", '<!DOCTYPE a [<!ENTITY x "' + "y" * 99 + '">]><a>&x;</a>', ["declares a document type"]),
        ("a.eaf", "<a>" * 100_000, ["is not an EAF file"]),
        ("a.srt", "9" * 400 + ":00:00,000 --> " + "9" * 400 + ":00:01,000\nsad\n", ["line 1"]),
        ("a.txt", "0\t1e999\tsad\n", ["line 1", "finite number"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_what_is_written_to_do_harm_is_refused_by_place(tmp_path: Path, name: str, content: str, parts: list[str]):
    refused(tmp_path / name, content, *parts)


def test_a_name_of_an_upload_is_found_in_linear_time(tmp_path: Path):
    name = "/data" + "/upload/" * 30_000 + "0123abcd-call.wav"
    task = {"data": {"audio": name}, "annotations": [{"result": []}]}
    (tmp_path / "a.json").write_text(json.dumps([task]))
    assert list(read_annotations(tmp_path / "a.json")) == ["call"]
