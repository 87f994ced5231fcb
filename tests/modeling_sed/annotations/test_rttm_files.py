"""RTTM: lines of other types, columns that have shifted, and pyannote as another reader."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyannote.database.util import load_rttm

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations
from modeling_sed.annotations.rttm_files import write_rttm
from modeling_sed.frames_sed import InputError, InputWarning

from .common import assert_same_times, refused, timelines, written

HAPPY = "SPEAKER u1 1 2.000 2.500 <NA> <NA> happy <NA> <NA>\n"


def test_lines_of_other_types_are_skipped_and_counted_once(tmp_path: Path):
    path = tmp_path / "a.rttm"
    path.write_text(
        ";; a comment\nSPKR-INFO u1 1 <NA> <NA> <NA> unknown spk1 <NA>\n"
        + HAPPY
        + "LEXEME u1 1 4.60 0.20 hello lex spk1 0.5 <NA>\nLEXEME u1 1 4.90 0.20 you lex spk1 0.5 <NA>\n"
        "NON-SPEECH u1 1 5 0.5 <NA> noise <NA> <NA> <NA>\nNON-LEX u1 1 6 0.5 laugh laugh A <NA>\nNOSCORE u1 1 5.5 0.3\n"
    )
    with pytest.warns(InputWarning) as caught:
        assert read_annotations(path)["u1"].segments == [{"start": 2.0, "end": 4.5, "label": "happy"}]
    (warning,) = caught
    assert "SPKR-INFO (1), LEXEME (2), NON-SPEECH (1), NON-LEX (1), NOSCORE (1)" in str(warning.message)
    assert str(path) in str(warning.message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER u1 1 0", "line 2: a line SPEAKER has 10 columns"),
        ("SPEAKER my call 1 0.5 2.0 <NA> <NA> happy <NA>", "line 2: a line SPEAKER has 10 columns"),
        ("SPEAKER my call 1 0.5 2.0 <NA> <NA> happy <NA> <NA>", "no spaces inside of names"),
        ("SPEAKER call 1 2 1 0.5 2.0 <NA> <NA> happy", "no spaces inside of names"),
        ("SPEAKER a very long call 1 0.5 2.0 <NA> <NA> happy", "no spaces inside of names"),
        ("SPEAKER u1 1 0.5 2.0 <NA> <NA> very happy <NA> <NA>", "no spaces inside of names"),
        ("SPEAKER u1 1 0.5 2.0 <NA> <NA> <NA> <NA> <NA>", "a line SPEAKER has 10 columns"),
        ("SPEAKER u1 1 0.5 -2.0 <NA> <NA> sad <NA> <NA>", "needs 0 <= start <= end"),
        ("SPEAKER u1 1 nan 2.0 <NA> <NA> sad <NA> <NA>", "start must be a finite number"),
        ("SPEAKER u1 1 0 2.0 <NA> <NA> sad high <NA>", "confidence must be a finite number"),
        ("EMOTION u1 1 0 2.0 <NA> <NA> sad <NA> <NA>", "line 2: RTTM has no lines 'EMOTION'"),
        ("name,start,end,label", "line 2: RTTM has no lines"),
    ],
)
def test_other_lines_are_refused_by_number(tmp_path: Path, line: str, message: str):
    refused(tmp_path / "a.rttm", HAPPY + line + "\n", message)


def test_a_file_without_segments_is_refused_unless_it_is_empty(tmp_path: Path):
    refused(
        tmp_path / "a.rttm",
        "LEXEME u1 1 4.60 0.20 hello lex spk1 0.5 <NA>\n",
        "has no line SPEAKER; its lines are LEXEME (1)",
    )
    (tmp_path / "b.rttm").write_text(";; nothing found\n")
    assert read_annotations(tmp_path / "b.rttm") == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotation=timelines(labels=st.text(st.characters(categories=["L"]), max_size=8).map("é{}".format)))
def test_pyannote_reads_what_is_written(tmp_path: Path, annotation: Annotation):
    """To its reader, pandas, labels such as NaN and NA are no text; these have an é."""
    path = written("rttm", [annotation], tmp_path)
    if not annotation.segments:
        assert path.read_text() == ""
        return
    tracks = load_rttm(path)["call"].itertracks(yield_label=True)
    assert_same_times([(item.start, item.end, label) for item, _, label in tracks], annotation.segments, 2e-6)


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([Annotation("my call", [])], "'my call': names and labels in RTTM have no spaces"),
        ([Annotation("a", [{"start": 0, "end": 1, "label": "very sad"}])], "'very sad'"),
        ([Annotation("x/a.wav", []), Annotation("y/a.wav", [])], "y/a.wav: a recording a comes before"),
    ],
)
def test_what_rttm_cannot_hold_is_refused(annotations: list[Annotation], message: str):
    with pytest.raises(InputError, match=message):
        write_rttm(annotations, io.StringIO())
