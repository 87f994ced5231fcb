"""Lists of recordings, as people and programs write them."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from modeling_sed import InputError
from modeling_sed.recordings.sources import Recordings


def test_lists_of_all_kinds(tmp_path: Path):
    composed, decomposed = (unicodedata.normalize(form, "café.wav") for form in ("NFC", "NFD"))
    (tmp_path / decomposed).touch()
    address = f"http://example.org/e.wav?signature={300 * 'x'}"
    lines = ["a.wav", "", "  b b.wav  ", "c\fd.wav", address, str(tmp_path / composed), "a.wav"]
    texts = ("\n".join(lines), "\r\n".join(lines), "\r".join(lines), "\ufeff" + "\n".join(lines) + "\n")
    for content in (*(text.encode() for text in texts), texts[1].encode("utf-16"), texts[3].encode("utf-16-be")):
        (tmp_path / "list.txt").write_bytes(content)
        names = Recordings.of_list(tmp_path / "list.txt").names
        assert names == ["a.wav", "b b.wav", "c\fd.wav", address, str(tmp_path / decomposed)]
    assert Recordings.of_files([tmp_path / composed]).names == [str(tmp_path / decomposed)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_a_name_that_is_not_unicode(tmp_path: Path):
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.wav\n")
    (name,) = Recordings.of_list(tmp_path / "list.txt").names
    assert os.fsencode(name) == b"caf\xe9.wav"


def test_a_list_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(InputError, match=r"missing\.txt: there is no such list"):
        Recordings.of_list(tmp_path / "missing.txt")
    with pytest.raises(InputError, match="cannot be read as a list"):
        Recordings.of_list(tmp_path)
    for content in (b"RIFF\0\0\0\0WAVE", "a.wav\n".encode("utf-16-le")):
        (tmp_path / "list.txt").write_bytes(content)
        with pytest.raises(InputError, match=r"list\.txt is not a list of recordings"):
            Recordings.of_list(tmp_path / "list.txt")
