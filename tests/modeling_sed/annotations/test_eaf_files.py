"""ELAN's files, with pympi as the other reader."""

from __future__ import annotations

import io
from pathlib import Path

import pympi
import pytest
from hypothesis import HealthCheck, given, settings

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.eaf_files import write_eaf
from modeling_sed.annotations.files import read_annotations
from modeling_sed.frames_sed import InputError

from .common import SPOKEN, assert_same_times, refused, timelines, written


def by_pympi(folder: Path, **tiers: str) -> Path:
    """Tiers with a label each, and one without times that refers to the first."""
    document = pympi.Eaf(author="somebody")
    document.add_linguistic_type("symbolic", "Symbolic_Association", timealignable=False)
    document.remove_tier("default")
    for name, label in tiers.items():
        document.add_tier(name)
        document.add_annotation(name, 1000, 2345, label)
        document.add_annotation(name, 3000, 3500, "")
    document.add_tier("gloss", "symbolic", parent=next(iter(tiers)))
    document.to_file(str(folder / "call.eaf"))
    return folder / "call.eaf"


def test_tiers_are_chosen_by_name(tmp_path: Path):
    expected = [{"start": 1.0, "end": 2.345, "label": "sad"}]
    assert read_annotations(by_pympi(tmp_path, affect="sad")) == {"call": Annotation("call", expected)}
    path = by_pympi(tmp_path, words="so", Emotion="sad", affect="happy")
    assert read_annotations(path)["call"].segments == expected
    assert read_annotations(path, "WORDS")["call"].segments[0]["label"] == "so"
    with pytest.raises(InputError, match="choose one of the interval tiers 'words', 'affect' by --tier"):
        read_annotations(by_pympi(tmp_path, words="so", affect="sad"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotation=timelines())
def test_pympi_reads_what_is_written(tmp_path: Path, annotation: Annotation):
    found = pympi.Eaf(str(written("eaf", [annotation], tmp_path))).get_annotation_data_for_tier("emotion")
    assert_same_times([(a / 1000, b / 1000, label) for a, b, label in sorted(found)], annotation.segments, 5e-4)


def document() -> str:
    stream = io.StringIO()
    write_eaf([SPOKEN], stream)
    return stream.getvalue()


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><ANNOTATION_DOCUMENT>&c;</ANNOTATION_DOCUMENT>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not an EAF file: no element found"),
        ("<a>", "is not an EAF file"),
        ("<a/>", "is not an EAF file: it is a document 'a'"),
        (BOMB, "declares a document type, which EAF files do not"),
        ("<ANNOTATION_DOCUMENT/>", "has no interval tier"),
        (document().replace('"milliseconds"', '"PAL-frames"'), "its times are PAL-frames; only milliseconds are read"),
        (document().replace('TIME_VALUE="1500"', ""), "annotation a1: a time in milliseconds must be a finite number"),
        (document().replace('TIME_VALUE="4250"', 'TIME_VALUE="10"'), "annotation a2: the segment 'freudig"),
        (document().replace('REF1="ts1"', 'REF1="ts99"'), "annotation a1: a time in milliseconds"),
    ],
)
def test_other_documents_are_refused(tmp_path: Path, content: str, message: str):
    refused(tmp_path / "call.eaf", content, message)


def test_what_eaf_cannot_hold_is_refused():
    sad = {"start": 1.0, "end": 2.0, "label": "sad"}
    for segments, message in (
        ([sad, {**sad, "start": 1.5}], "which tiers of EAF files cannot hold"),
        ([{**sad, "end": 1.0002}], "has no length"),
        ([{**sad, "label": "a\x01"}], "characters that XML cannot hold"),
    ):
        with pytest.raises(InputError, match=message):
            write_eaf([Annotation("call", segments)], io.StringIO())
