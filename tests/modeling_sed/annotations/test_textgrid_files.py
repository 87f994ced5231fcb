"""TextGrid files as Praat and others write them; Praat itself and praatio as other readers."""

from __future__ import annotations

import io
from pathlib import Path

import parselmouth
import pytest
from hypothesis import HealthCheck, given, settings
from praatio import textgrid

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations
from modeling_sed.annotations.textgrid_files import write_textgrid
from modeling_sed.frames_sed import InputError

from .common import assert_same_times, refused, timelines, written

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 8.0
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 8.0
        points: size = 1
        points [1]:
            number = 1.5
            mark = "intervals [1]: xmin = 3"
    item [2]:
        class = "IntervalTier"
        name = "Affect"
        xmin = 0
        xmax = 8.0
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = ""
        intervals [2]:
            xmin = 2.5
            xmax = 4
            text = "say ""hi"" ! <exists> 5"
        intervals [3]:
            xmin = 4
            xmax = 8.0
            text = " "
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
8.0
<exists>
2
"TextTier"
"clicks"
0
8.0
1
1.5
"a"
"IntervalTier"
"Affect"
0
8.0
3
0
2.5
""
2.5
4
"say ""hi"" ! <exists> 5"
4
8.0
""
"""
COMMENTED = '''"ooTextFile"
"TextGrid"
0 8.0 ! time domain of TextGrid
<exists>
1 tiers
"IntervalTier" "Affect" ! type and name of tier 1
0 8.0
1 interval coming
2.5 4 "say ""hi"" ! <exists> 5"'''
VARIANTS = {
    "long": LONG,
    "short": SHORT,
    "old short": SHORT.replace('"ooTextFile"', '"ooTextFile short"', 1).replace("Object class = ", ""),
    "commented": COMMENTED,
    "without blank line": LONG.replace("\n\n", "\n"),
    "short without blank line": SHORT.replace("\n\n", "\n"),
    "Windows": LONG.replace("\n", "\r\n"),
    "scientific": LONG.replace("2.5", "2.5e0").replace("= 4\n", "= 4.0E+00\n").replace("8.0", "0.8e1"),
    "short scientific": SHORT.replace("2.5", "25e-1").replace("\n0\n", "\n-0\n"),
    "no spaces": LONG.replace(" = ", "="),
    "trailing spaces": LONG.replace("\n", " \n"),
    "no line end": LONG.rstrip("\n"),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_all_forms_are_one(name: str, tmp_path: Path):
    path = tmp_path / "call.2.TextGrid"
    path.write_bytes(VARIANTS[name].encode())
    expected = [{"start": 2.5, "end": 4.0, "label": 'say "hi" ! <exists> 5'}]
    assert read_annotations(path) == {"call.2": Annotation("call.2", expected, 8.0)}


def grid(folder: Path, **tiers: str) -> Path:
    """Tiers with a label each."""
    found = textgrid.Textgrid()
    for name, label in tiers.items():
        found.addTier(textgrid.IntervalTier(name, [(1, 2, label)], 0, 4))
    found.save(str(folder / "call.TextGrid"), format="long_textgrid", includeBlankSpaces=True)
    return folder / "call.TextGrid"


def test_the_tier_is_chosen_by_name(tmp_path: Path):
    def label(path: Path, tier: str | None = None) -> str:
        return read_annotations(path, tier)["call"].segments[0]["label"]

    path = grid(tmp_path, words="so", Emotion="sad", other="x")
    assert label(path) == "sad" and label(path, "words ") == "so"
    with pytest.raises(InputError, match="choose one of the interval tiers 'words', 'Emotion', 'other' by --tier"):
        label(path, "affect")
    assert label(grid(tmp_path, only="happy"), "emotion") == "happy"  # it chooses where there are several


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no grid", "line 1: expected a text in double quotes; got end of the file"),
        ('"ooTextFile" "Sound"', "is not a TextGrid file in text form"),
        ("ooBinaryFile\x08TextGrid", "expected a text"),
        (LONG.replace("8.0", "0"), "the duration of call must be a positive number"),
        (LONG.replace("<exists>", "<absent>"), "has no interval tier"),
        (LONG.replace("IntervalTier", "Tier"), "line 19: a tier is an IntervalTier or a TextTier; got 'Tier'"),
        (LONG.replace('class = "IntervalTier"', 'class = "TextTier"'), "expected a text in double quotes; got 2.5"),
        (LONG.replace("size = 3", "size = 4"), "expected the start; got end of the file"),
        (LONG.replace("size = 3", "size = 2.5"), "the number of entries must be a whole number"),
        (LONG.replace("xmin = 2.5", "xmin = five"), 'line 31: expected the end; got "say'),
        (LONG.replace("xmin = 2.5", "xmin = 5"), "line 30: the segment 'say \"hi\" ! <exists> 5' from 5.0 to 4.0 s"),
        (LONG.replace('5"', "5"), "line 35: expected the start; got a quote that is not closed"),
        (
            LONG.replace('text = " "', 'text = "'),
            "line 35: expected a text in double quotes; got a quote that is not closed",
        ),
        (LONG.replace("xmax = 4", "xmax = 1e999"), "end must be a finite number"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: str, message: str):
    refused(tmp_path / "call.TextGrid", content, message)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotation=timelines())
def test_praat_and_praatio_read_what_is_written(tmp_path: Path, annotation: Annotation):
    path = written("textgrid", [annotation], tmp_path)
    tier = textgrid.openTextgrid(str(path), includeEmptyIntervals=False).getTier("emotion")
    assert_same_times([tuple(entry) for entry in tier.entries], annotation.segments, 1e-9)
    opened = parselmouth.Data.read(str(path))
    assert parselmouth.praat.call(opened, "Get total duration") == annotation.duration
    count = parselmouth.praat.call(opened, "Get number of intervals", 1)
    found = [
        tuple(
            parselmouth.praat.call(opened, f"Get {what} of interval", 1, number + 1)
            for what in ("start time", "end time", "label")
        )
        for number in range(count)
    ]
    assert_same_times([item for item in found if item[2]], annotation.segments, 1e-9)


def test_unknown_durations_end_with_the_last_segment(tmp_path: Path):
    path = written("textgrid", [Annotation("call", [{"start": 1.0, "end": 2.5, "label": "sad"}])], tmp_path)
    assert read_annotations(path)["call"].duration == 2.5
    with pytest.raises(InputError, match="TextGrid files need the duration"):
        write_textgrid([Annotation("call")], io.StringIO())


def test_overlaps_and_segments_without_length_are_refused():
    for start in (1.5, 2.0):
        segments = [{"start": 1.0, "end": 2.0, "label": "sad"}, {"start": start, "end": 2.0, "label": "happy"}]
        with pytest.raises(InputError, match=r"call: the segment 'happy' .* which tiers of TextGrid files cannot hold"):
            write_textgrid([Annotation("call", segments, 3.0)], io.StringIO())
