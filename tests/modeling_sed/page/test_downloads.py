"""What the links save is what the writers write."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path

import pytest

from modeling_sed.annotations.files import FORMATS, read_annotations
from modeling_sed.page.downloads import download_links, text_in_format
from tests.modeling_sed.page.common import recording_of, segment

TILES = [segment(0, 1.25, "neutral"), segment(1.25, 4, "sad")]


def links(html: str) -> dict[str, str]:
    """The contents of what is saved, by the files' names."""
    found = re.findall(r'<a download="(.*?)" href="data:text/plain;charset=utf-8;base64,(.*?)">', html)
    return {unescape(name): base64.b64decode(data).decode("utf-8") for name, data in found}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_again(kind: str, tmp_path: Path):
    path = tmp_path / f"a call{FORMATS[kind].suffixes[0]}"
    path.write_text(links(download_links(recording_of(TILES, "a call.wav")))[path.name], encoding="utf-8")
    (found,) = read_annotations(path).values()
    assert [(s["start"], s["end"], s["label"]) for s in found.segments] == [(0, 1.25, "neutral"), (1.25, 4, "sad")]
    assert found.name == ("a_call" if kind == "rttm" else "a call")


def test_a_format_that_cannot_hold_a_label_says_so():
    recording = recording_of([segment(0, 1, "very sad")])
    html = download_links(recording)
    assert len(links(html)) == len(FORMATS) - 1
    assert "RTTM: cannot hold it" in html and "labels in RTTM have no spaces" in html


def test_names_are_not_changed_where_the_format_holds_them():
    assert '"a call.wav"' in text_in_format(recording_of(TILES, "a call.wav"), "json")
