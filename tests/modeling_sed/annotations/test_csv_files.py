"""CSV and TSV: how tables vary, and what in them is refused by line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.csv_files import write_csv
from modeling_sed.annotations.files import read_annotations
from modeling_sed.frames_sed import InputError

from .common import refused, timelines

EXPECTED = {
    "u1": Annotation("u1", [{"start": 2.0, "end": 4.5, "label": "happy"}], 6.0),
    "u2": Annotation("u2", [], 3.0),
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("commas.csv", "name,start,end,label,duration\nu1,2.0,4.5,happy,6.0\nu2,,,,3\n"),
        ("spaces.csv", "name, start, end, label, duration\nu1, 2.0, 4.5, happy, 6.0\nu2, , , , 3\n"),
        ("upper.csv", "Name,START,End,Label ,Duration\nu1,2,4.5, happy ,6\nu2,,,,3\n"),
        ("semicolons.csv", "name;start;end;label;duration\nu1;2;4.5;happy;6\nu2;;;;3\n"),
        ("tabs.csv", "name\tstart\tend\tlabel\tduration\nu1\t2\t4.5\thappy\t6\nu2\t\t\t\t3\n"),
        ("tabs.tsv", "label\tend\tstart\tname\tduration\nhappy\t4.5\t2\tu1\t6\n\t\t\tu2\t3\n"),
        ("windows.csv", "name,start,end,label,duration\r\nu1,2,4.5,happy,6\r\n\r\nu2,,,,3\r\n"),
        ("mark.csv", "\ufeffname,start,end,label,duration\nu1,2,4.5,happy,6\nu2,,,,3\n"),
        ("quotes.csv", '"name", "start","end","label","duration"\n"u1", "2","4.5", "happy",6\n"u2",,,,3\n'),
        ("others.csv", "id,name,start,end,label,duration,note\n1,x/u1.wav,2,4.5,happy,6,\n2,u2,,,,3,quiet\n"),
        ("short.csv", "name,duration,start,end,label\nu1,6,2,4.5,happy\nu2,3\n"),
    ],
)
def test_tables_vary(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    assert read_annotations(tmp_path / name) == EXPECTED


HEADER = "name,start,end,label,duration\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the table needs one column name, start, end, label; its columns are none"),
        ("name,start,end,emotion\na,0,1,sad\n", "one column label; its columns are name, start, end, emotion"),
        ("name,start,end,label,label\na,0,1,sad,sad\n", "line 1: the table needs one column label"),
        (HEADER, "names no utterance"),
        (HEADER + '"a,0,1,happy,3\n' + "u,0,1,sad,3\n" * 20_000, "line 2: a stray or unclosed quote"),
        (HEADER + 'u0,0,1,sad,3\n"a"b,0,1,happy,3\n', "line 3: a stray or unclosed quote"),
        (HEADER + "\na,0,one,sad,2\n", "line 3: end must be a finite number, with a decimal point; got 'one'"),
        (HEADER + "a,0,nan,sad,2\n", "end must be a finite number"),
        (HEADER + "a,0,1_0,sad,2\n", "end must be a finite number"),
        (HEADER + "a,-1,1,sad,2\n", "line 2: the segment 'sad' from -1.0 to 1.0 s needs 0 <= start <= end"),
        (HEADER + "a,2,1,sad,2\n", "needs 0 <= start <= end"),
        (HEADER + "a,0,1,,2\n", "line 2: the label of a segment must be a name; got ''"),
        (HEADER + "a,,,sad,2\n", "line 2: start must be a finite number"),
        (HEADER + ",0,1,sad,2\n", "line 2: the name of the utterance is missing"),
        (HEADER + "a,0,1,sad,2,3\n", "line 2: 6 values for the 5 columns"),
        (HEADER + "a,0,1,sad,-2\n", "line 2: the duration of a must be a positive number"),
        (HEADER + "a,0,1,sad,2\na,1,2,sad,3\n", "line 3: the duration of a was 2.0 s before; got 3.0"),
        ("name;start;end;label\na;0;1,5;sad\n", "line 2: end must be a finite number, with a decimal point; got '1,5'"),
    ],
)
def test_bad_tables_are_refused_by_line(tmp_path: Path, content: str, message: str):
    refused(tmp_path / "a.csv", content, message)


@settings(max_examples=100, deadline=None)
@given(annotation=timelines())
def test_pythons_reader_reads_what_is_written(annotation: Annotation):
    stream = io.StringIO()
    write_csv([annotation], stream)
    stream.seek(0)
    rows = [row for row in csv.DictReader(stream) if row["label"]]
    assert [(float(row["start"]), float(row["end"]), row["label"]) for row in rows] == [
        (item["start"], item["end"], item["label"]) for item in annotation.segments
    ]
    assert [row["score"] for row in rows] == [str(item.get("score", "")) for item in annotation.segments]


def test_a_line_break_in_a_name_is_refused():
    with pytest.raises(InputError, match="line break"):
        write_csv([Annotation("a\nb", [], 1.0)], io.StringIO())
