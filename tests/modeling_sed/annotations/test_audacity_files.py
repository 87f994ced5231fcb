"""Audacity's label files, with a reader of one line as the other one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.audacity_files import write_audacity
from modeling_sed.annotations.files import read_annotations
from modeling_sed.frames_sed import InputError

from .common import assert_same_times, refused, timelines


def test_regions_points_and_frequencies(tmp_path: Path):
    path = tmp_path / "call.2.txt"
    path.write_text("0.500000\t2.000000\thappy\n\\\t100.0\t2000.0\n2.150000\t2.150000\tvery\tsad\r\n\n")
    expected = [{"start": 0.5, "end": 2.0, "label": "happy"}, {"start": 2.15, "end": 2.15, "label": "very\tsad"}]
    assert read_annotations(path) == {"call.2": Annotation("call.2", expected)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0\t1\thappy\nwhat was said\n", "line 2: a label is start, end and text with tabs between them"),
        ("0\t1\n", "line 1: a label is start, end and text"),
        ("0\t1\t \n", "line 1: the label of a segment must be a name"),
        ("0,5\t1\thappy\n", "line 1: a time must be a finite number, with a decimal point; got '0,5'"),
        ("2\t1\thappy\n", "needs 0 <= start <= end"),
    ],
)
def test_other_lines_are_refused(tmp_path: Path, content: str, message: str):
    refused(tmp_path / "call.txt", content, message)


@settings(max_examples=100, deadline=None)
@given(annotation=timelines())
def test_what_is_written_has_three_columns(annotation: Annotation):
    stream = io.StringIO()
    write_audacity([annotation], stream)
    rows = [line.split("\t") for line in stream.getvalue().split("\n")[:-1]]
    assert_same_times([(float(a), float(b), label) for a, b, label in rows], annotation.segments, 1e-6)


def test_a_line_break_in_a_label_is_refused():
    with pytest.raises(InputError, match="line break"):
        write_audacity([Annotation("a", [{"start": 0, "end": 1, "label": "a\nb"}])], io.StringIO())
