"""Comparisons on the page are those of `emotion-diarization score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modeling_sed.annotations.files import FORMATS
from modeling_sed.frames_sed import InputError
from modeling_sed.page.comparison import compare
from modeling_sed.page.downloads import text_in_format
from tests.modeling_sed.page.common import recording_of, segment

FOUND = recording_of([segment(0, 1.5, "happy"), segment(1.5, 4, "neutral")])


def annotation(folder: Path, *segments: dict, name: str = "call", duration: float = 4.0) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps([{"name": name, "duration": duration, "segments": segments}]))
    return path


def test_the_rates_are_those_of_the_definition(tmp_path: Path):
    # from 0 to 0.5 s a false alarm, to 1.5 s right, to 2 s missed: 1 s of 4
    found = compare(FOUND, annotation(tmp_path, {"start": 0.5, "end": 2.0, "label": " Happy"}))
    assert found.rates == {
        "eder": 0.25,
        "false_alarm": 0.125,
        "missed_emotion": 0.125,
        "confusion": 0.0,
        "overlap": 0.0,
    }
    assert [(s["start"], s["end"], s["label"]) for s in found.errors] == [
        (0, 0.5, "false_alarm"),
        (1.5, 2, "missed_emotion"),
    ]
    assert [(s["start"], s["end"], s["label"]) for s in found.reference] == [
        (0, 0.5, "neutral"),
        (0.5, 2, "happy"),
        (2, 4, "neutral"),
    ]
    assert found.notes == []


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_downloaded_is_right(kind: str, tmp_path: Path):
    path = tmp_path / f"other name{FORMATS[kind].suffixes[0]}"
    path.write_text(text_in_format(FOUND, kind), encoding="utf-8")
    assert compare(FOUND, path).rates["eder"] == 0


def test_of_several_recordings_the_one_of_this_name_counts(tmp_path: Path):
    truth = {name: {"duration": 4.0, "segments": []} for name in ("other", "call")}
    truth["other"]["segments"] = [{"start": 0, "end": 4, "label": "sad"}]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps([{"name": name, **row} for name, row in truth.items()]))
    assert compare(FOUND, path).rates["false_alarm"] == 1.5 / 4
    with pytest.raises(InputError, match=r"^truth.json: of its 2 recordings, none is called speech"):
        compare(recording_of(FOUND.segments, "speech.wav"), path)


def test_labels_of_one_side_are_named(tmp_path: Path):
    (note,) = compare(FOUND, annotation(tmp_path, {"start": 0, "end": 1, "label": "hapy"})).notes
    assert "only in the references: hapy (1)" in note


@pytest.mark.parametrize(
    ("segments", "duration", "message"),
    [
        ([], 5.0, r"^truth.json is of a recording of 5 s, but call.wav has 4 s"),
        ([{"start": 1, "end": 9, "label": "sad"}], 4.0, "call.wav"),
        ([{"start": 2, "end": 1, "label": "sad"}], 4.0, r"^truth.json"),
    ],
    ids=["another recording", "after the end", "backwards"],
)
def test_what_is_wrong_with_an_annotation_is_said_without_its_folder(
    segments: list, duration: float, message: str, tmp_path: Path
):
    with pytest.raises(InputError, match=message) as caught:
        compare(FOUND, annotation(tmp_path, *segments, duration=duration))
    assert str(tmp_path) not in str(caught.value)
