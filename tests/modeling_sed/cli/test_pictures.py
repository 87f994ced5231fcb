"""Where the pictures of --plot go, and what is refused before any work."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from modeling_sed.cli.pictures import Pictures
from modeling_sed.frames_sed import InputError, MissingLibraryError


@pytest.mark.parametrize(("ending", "beginning"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_the_ending_says_the_format(tmp_path: Path, ending: str, beginning: bytes):
    with Pictures(tmp_path / f"a.{ending}") as pictures:
        pictures.add(Figure(), 1, 1)
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(beginning)


def test_several_pictures_are_numbered_files_or_pages(tmp_path: Path):
    for ending in ("png", "pdf"):
        with Pictures(tmp_path / f"a.{ending}") as pictures:
            for number in (1, 3):  # the second recording could not be read
                pictures.add(Figure(), number, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a_001.png", "a_003.png"]
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "a.pdf").read_bytes())) == 2


def test_without_pictures_there_is_no_file(tmp_path: Path):
    with Pictures(tmp_path / "a.pdf"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.docx", r"a\.docx: a picture's name ends in \.pdf, \.png, \.svg"),
        ("picture", "a picture's name ends in"),
        ("nope/a.png", "there is no folder .*nope; create it first"),
        ("folder.png", "folder.png: is there already, and is not a file"),
    ],
)
def test_what_cannot_become_a_picture_is_refused(tmp_path: Path, name: str, message: str):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=message):
        Pictures(tmp_path / name)
    assert not (tmp_path / "nope").exists()


def test_commands_refuse_it_before_they_read_anything(tmp_path: Path):
    plot = ["--plot", str(tmp_path / "nope" / "a.png")]
    for arguments in (["score", "missing.csv", "missing.csv", *plot], ["diarize", "missing.wav", *plot]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 1 and "create it first" in done.output and "missing" not in done.output


def test_a_missing_matplotlib_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingLibraryError, match=r"--plot needs matplotlib: `pip install matplotlib`"):
        Pictures(tmp_path / "a.png")
