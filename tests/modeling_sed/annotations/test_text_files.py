"""Encodings: UTF-8 with and without a mark, UTF-16 with one, and a refusal of all else."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import FORMATS, read_annotations

from .common import refused, written

SHOWN = Annotation("call", [{"start": 1.0, "end": 2.0, "label": "müde猫"}], 4.0)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_every_format_in_every_encoding(kind: str, line_end: str, mark: bytes, tmp_path: Path):
    path = written(kind, [SHOWN], tmp_path)
    text = path.read_text(encoding="utf-8").replace("\n", line_end)
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark, "utf-8")
    path.write_bytes(mark + text.encode(encoding))
    assert read_annotations(path)["call"].segments == SHOWN.segments


@pytest.mark.parametrize("suffix", [suffix for kind in FORMATS.values() for suffix in kind.suffixes])
def test_other_encodings_are_refused_by_name(suffix: str, tmp_path: Path):
    path = tmp_path / f"call{suffix}"
    refused(path, "müde".encode("latin-1"), "is neither UTF-8 nor UTF-16 text", "save it as UTF-8")
    for encoding in ("utf-16-le", "utf-32"):
        refused(path, "sad".encode(encoding), "is not text, or in UTF-16 or UTF-32 without a mark; save it as UTF-8")
    refused(path, codecs.BOM_UTF16_LE + b"a", "is neither UTF-8 nor UTF-16 text")


def test_only_line_ends_end_lines(tmp_path: Path):
    path = tmp_path / "call.csv"
    path.write_text("name,start,end,label\na\x0cb,0,1,x\u2028y\n", encoding="utf-8")
    assert read_annotations(path)["a\x0cb"].segments == [{"start": 0.0, "end": 1.0, "label": "x\u2028y"}]
