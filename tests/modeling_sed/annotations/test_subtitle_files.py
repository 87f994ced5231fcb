"""SRT and WebVTT, with the libraries srt and webvtt as other readers."""

from __future__ import annotations

import html
import io
from datetime import timedelta
from pathlib import Path

import pytest
import srt
import webvtt
from hypothesis import HealthCheck, given, settings

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations
from modeling_sed.annotations.subtitle_files import write_srt, write_vtt
from modeling_sed.frames_sed import InputError

from .common import TEN_HOURS, assert_same_times, refused, timelines, written

TOLD = [
    {"start": 0.0, "end": 1.5, "label": "happy", "score": 0.871, "speaker": "anna"},
    {"start": TEN_HOURS - 1, "end": TEN_HOURS, "label": "very <sad>"},
]
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_text_names_speaker_label_and_score():
    stream = io.StringIO()
    write_srt([Annotation("call", TOLD)], stream)
    assert stream.getvalue() == (
        "1\n00:00:00,000 --> 00:00:01,500\n[anna] happy 0.87\n\n2\n09:59:59,000 --> 10:00:00,000\nvery <sad>\n\n"
    )
    stream = io.StringIO()
    write_vtt([Annotation("call", TOLD)], stream)
    assert stream.getvalue() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n[anna] happy 0.87\n\n"
        "09:59:59.000 --> 10:00:00.000\nvery &lt;sad&gt;\n\n"
    )


def without_score(text: str, item: dict) -> str:
    return text.removesuffix(f" {item['score']:.2f}") if "score" in item else text


@EXAMPLES
@given(annotation=timelines())
def test_srt_reads_what_is_written(tmp_path: Path, annotation: Annotation):
    text = written("srt", [annotation], tmp_path).read_text(encoding="utf-8")
    found = [
        (item.start / timedelta(seconds=1), item.end / timedelta(seconds=1), item.content) for item in srt.parse(text)
    ]
    labels = [without_score(item[2], expected) for item, expected in zip(found, annotation.segments, strict=True)]
    assert_same_times(
        [(a, b, label) for (a, b, _), label in zip(found, labels, strict=True)], annotation.segments, 5e-4
    )


@EXAMPLES
@given(annotation=timelines())
def test_webvtt_reads_what_is_written(tmp_path: Path, annotation: Annotation):
    captions = webvtt.read(str(written("vtt", [annotation], tmp_path))).captions
    found = [
        (item.start_in_seconds, item.end_in_seconds, without_score(html.unescape(item.raw_text), expected))
        for item, expected in zip(captions, annotation.segments, strict=True)
    ]
    assert_same_times(found, annotation.segments, 1.0)  # it has whole seconds
    starts = [f"{float(item.start.split(':')[-1]):.3f}" for item in captions]
    assert starts == [f"{segment['start'] % 60:.3f}" for segment in annotation.segments]


def test_webvtt_of_others(tmp_path: Path):
    path = tmp_path / "call.vtt"
    path.write_text(
        "WEBVTT - a title\nKind: captions\n\nNOTE\na comment\n\nSTYLE\n::cue {}\n\n"
        "first\n00:01.000 --> 00:02.500 align:start\nsad\n\n100:00:00.000 --> 100:00:01.000\nhappy 0.50\n\n"
        "200:00:00.000 --> 200:00:01.000\n<v.loud Ann Lee><b>a &lt;b&gt;</b> 0.25</v>\n"
    )
    assert read_annotations(path)["call"].segments == [
        {"start": 1.0, "end": 2.5, "label": "sad"},
        {"start": 360_000.0, "end": 360_001.0, "label": "happy", "score": 0.5},
        {"start": 720_000.0, "end": 720_001.0, "label": "a <b>", "score": 0.25, "speaker": "Ann Lee"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.vtt", "", "its first line must be WEBVTT"),
        ("a.vtt", "00:01.000 --> 00:02.500\nsad\n", "its first line must be WEBVTT"),
        ("a.srt", "hello\n", "line 1: a subtitle is a number, START --> END and its text"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n\n", "line 1: a subtitle is"),
        ("a.srt", "\n1\n00:00:01,000 --> 00:00:02,000\nso\nit is\n", "line 2: a subtitle is"),
        ("a.srt", "1\n00:00:01,0 --> 00:00:02,000\nsad\n", "a subtitle is"),
        ("a.srt", "1\n00:00:03,000 --> 00:00:02,000\nsad\n", "needs 0 <= start <= end"),
    ],
)
def test_other_subtitles_are_refused(tmp_path: Path, name: str, content: str, message: str):
    refused(tmp_path / name, content, message)


@pytest.mark.parametrize("label", ["happy 0.87", "[a] b", "a\nb"])
def test_labels_that_look_like_speakers_or_scores_are_refused(label: str):
    for write in (write_srt, write_vtt):
        with pytest.raises(InputError, match="cannot be told from speaker and score"):
            write([Annotation("call", [{"start": 0, "end": 1, "label": label}])], io.StringIO())
