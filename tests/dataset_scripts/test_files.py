"""Files of other people: links, names that lead out of a folder, encodings, tables; every message says where."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from modeling_sed.dataset_scripts.builder import SEDBuilderConfig, fingerprint
from modeling_sed.dataset_scripts.corpora import read_corpus
from modeling_sed.dataset_scripts.corpora.recording import audio_files
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.files import files_below, read_text
from modeling_sed.dataset_scripts.sources import find_sources
from modeling_sed.dataset_scripts.waveforms import read_waveform
from tests.dataset_scripts.conftest import write_table_corpus
from tests.dataset_scripts.test_corpora import iemocap, lay_out

HEADER = "file_name,speaker,label\n"


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in audio_files(folder)]


def test_links_to_folders_are_followed(ravdess: Path, tmp_path: Path):
    (tmp_path / "corpus").mkdir()
    for actor in ravdess.iterdir():
        (tmp_path / "corpus" / actor.name).symlink_to(actor, target_is_directory=True)
    assert names(tmp_path / "corpus") == names(ravdess)
    linked, direct = (find_sources("ravdess", folder) for folder in (tmp_path / "corpus", ravdess))
    assert [(s.recording.path.name, s.recording.speaker, s.speech) for s in linked] == [
        (s.recording.path.name, s.recording.speaker, s.speech) for s in direct
    ]


def test_no_link_makes_a_loop_or_a_copy(tmp_path: Path):
    files = {"corpus/B/1.wav": None, "corpus/B/._1.wav": None, "shelf/C/2.wav": None, "secret.wav": None}
    corpus = lay_out(tmp_path, files) / "corpus"
    links = {"A": "B", "B/up": "..", "up": "../..", "top": "/", "C": "../shelf/C", "rest": "../shelf", "self": "self"}
    for name, target in links.items():
        (corpus / name).symlink_to(target, target_is_directory=True)
    (tmp_path / "shelf" / "C" / "back").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "shelf" / "C" / "round").symlink_to("../..", target_is_directory=True)
    assert names(corpus) == ["B/1.wav", "C/2.wav"]


def test_a_change_behind_a_link_is_noticed(tmp_path: Path):
    lay_out(tmp_path, {"corpus/a.wav": None, "shelf/b.wav": None})
    (tmp_path / "corpus" / "B").symlink_to("../shelf", target_is_directory=True)
    config = SEDBuilderConfig.checked("simulated", {"corpora": {"ravdess": str(tmp_path / "corpus")}})
    before = fingerprint(config)
    (tmp_path / "shelf" / "b.wav").write_bytes(b"other audio")
    assert fingerprint(config) != before


def test_the_systems_errors_name_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match=r"gone\.wav cannot be read \(No such file or directory\)"):
        read_waveform(tmp_path / "gone.wav")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read \(File name too long\)"):
        files_below(tmp_path / ("long" * 1000))
    lay_out(tmp_path, {"Actor_01/a.wav": None})

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=rf"{tmp_path} cannot be read \(Permission denied\)"):
        audio_files(tmp_path)


def turn(name: str, times: str = "6.2901 - 8.2357") -> str:
    return f"[{times}]\t{name}\tneu\t[2.5, 2.5, 2.5]\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (turn("../../../../../secret"), "line 2: .*secret leads out of .*wav; only files of that folder are read"),
        (turn("/secret_F000"), "line 2: /secret_F000 leads out of"),
        (turn("Ses01F_impro01_L000"), r"line 2: .*L000\.wav leads out"),
        (turn("Ses01F_impro01_M*"), r"line 2: .*M\*\.wav is missing, though IEMOCAP's annotation names it"),
        (turn("Ses01F_impro01_F0\0"), "line 2: .* is no name of a file"),
        (turn("Ses01F_impro01_F000", "8.5 - 6.25"), "line 2: Ses01F_impro01_F000 cannot last from 8.5 to 6.25 s"),
        (turn("Ses01F_impro01_F000", "nan - 6.25"), "line 2: .* cannot last from nan to 6.25 s"),
        (turn("Ses01F_impro01_F000", "1 - inf"), "line 2: .* cannot last"),
        (turn("Ses01F_impro01_F000", "-1 - 2"), "line 2: .* cannot last"),
        (turn("Ses01F_impro01_F000", "1.2.3 - 2"), "line 2: .* cannot last"),
    ],
)
def test_a_bad_turn_of_iemocap_is_refused_with_its_line(tmp_path: Path, line: str, message: str):
    folder = iemocap(tmp_path / "IEMOCAP")
    lay_out(tmp_path, {"secret.wav": None})
    wavs = folder / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    (wavs / "Ses01F_impro01_L000.wav").symlink_to(tmp_path / "secret.wav")
    evaluation = folder / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    evaluation.write_text("% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n" + line)
    with pytest.raises(InputError, match=rf"EmoEvaluation/Ses01F_impro01\.txt, {message}"):
        read_corpus("iemocap", folder)


def test_bytes_of_the_annotators_comments_do_not_matter(tmp_path: Path):
    folder = iemocap(tmp_path / "IEMOCAP")
    expected = read_corpus("iemocap", folder)
    for path in folder.glob("Session*/dialog/EmoEvaluation/Ses*.txt"):
        path.write_bytes(path.read_bytes().replace(b"(curious)", b"(na\xefve\x85 \x0c or so)").replace(b"\n", b"\r\n"))
    assert read_corpus("iemocap", folder) == expected


def test_a_session_may_be_a_link(tmp_path: Path):
    folder = iemocap(tmp_path / "IEMOCAP")
    (folder / "Session1").rename(tmp_path / "disc 1")
    (folder / "Session1").symlink_to(tmp_path / "disc 1", target_is_directory=True)
    assert len(read_corpus("iemocap", folder).recordings) == 6


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.replace(",", ";").replace("\n", "\r\n").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace(",", " , ").replace("file_name , speaker", " File_Name, SPEAKER").encode(),
        lambda text: text.encode() + b"\n,,,\n  , , ,\n\n",
        lambda text: text.replace("\n", "\n,,,\n").encode(),
        lambda text: text.replace("\n", ",\n").encode(),  # an empty column
        lambda text: text.replace(",hello", ', "hello"').encode(),
    ],
)
def test_tables_as_programs_write_them(table_corpus: Path, tmp_path: Path, write: Callable[[str], bytes]):
    folder = write_table_corpus(tmp_path)
    expected = read_corpus("calls", folder)
    table = folder / "metadata.csv"
    table.write_bytes(write(table.read_text(encoding="utf-8")))
    assert read_corpus("calls", folder) == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (f"{HEADER}a.wav,J\xf6rg,sad\n".encode("latin-1"), "line 2: byte 0xf6 is not UTF-8; save the file as UTF-8"),
        (HEADER.encode("utf-16-le"), "line 1: a NUL byte; save the table as UTF-8"),
        (HEADER.encode("utf-16") + b"\n", "is not UTF-16"),
        (f"{HEADER}a.wav,anna,sad\na.wav,an\0na,sad\n".encode(), "line 3: a NUL byte"),
        (f'{HEADER}a.wav,anna,sad\na.wav,"anna" b,sad\n'.encode(), "line 3: .* expected after"),
        (f'{HEADER}a.wav,"anna,sad\na.wav,anna,sad\n'.encode(), "line 2: unexpected end of data"),
        (f'{HEADER}a.wav,"anna,sad\na.wav",anna,sad\n'.encode(), "line 2: speaker has a line break"),
        (f'{HEADER}a.wav,"anna\nb",sad\n'.encode(), "line 2: speaker has a line break"),
        (f"{HEADER}a.wav,anna,sad,so, it is\n".encode(), "line 2: 5 values for 3 columns"),
        (f"{HEADER}\n\na.wav,anna\n".encode(), "line 4: the row lacks label: a.wav, anna"),
        (f"{HEADER}a.wav,anna, \n".encode(), "line 2: the row lacks label"),
        (b"file_name,speaker,label,Label\na.wav,anna,sad,sad\n", r"line 1: .* column\(s\) label twice"),
        (b"", "line 1: the table lacks"),
        (f"{HEADER}/secret.wav,anna,sad\n".encode(), "line 2: /secret.wav leads out of"),
        (f"{HEADER}linked.wav,anna,sad\n".encode(), "line 2: linked.wav leads out of"),
        (f"{HEADER}link/secret.wav,anna,sad\n".encode(), "line 2: link/secret.wav leads out of"),
        (f"{HEADER}{'long' * 1000}.wav,anna,sad\n".encode(), r"line 2: .* cannot be read \(File name too long\)"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, table: bytes, message: str):
    corpus = lay_out(tmp_path, {"secret.wav": None, "corpus/a.wav": None}) / "corpus"
    (corpus / "linked.wav").symlink_to(tmp_path / "secret.wav")
    (corpus / "link").symlink_to(tmp_path, target_is_directory=True)
    (corpus / "metadata.csv").write_bytes(table)
    with pytest.raises(InputError, match=rf"metadata\.csv, .*{message}") as caught:
        read_corpus("calls", corpus)
    assert str(corpus / "metadata.csv") in str(caught.value)


def test_labels_are_compared_without_letter_case_and_blanks(tmp_path: Path, capsys: pytest.CaptureFixture):
    folder = write_table_corpus(tmp_path)
    table = folder / "metadata.csv"
    text = table.read_text(encoding="utf-8").replace("neutral", " Neutral ", 2).replace("happy", "HAPPY")
    table.write_text(text.replace("sad", "Sadness", 1), encoding="utf-8")

    def labels(**options) -> Counter:
        return Counter(source.recording.label for source in find_sources("calls", folder, **options))

    assert labels() == {"neutral": 4, "happy": 2, "sad": 1}
    assert "calls: 7 recordings; left out: 1 other emotion (1 sadness)" in capsys.readouterr().err
    assert labels(rename={"sadness ": "Sad"}) == {"neutral": 4, "happy": 2, "sad": 2}
    assert labels(labels=["NEUTRAL", "Joy"], rename={"Happy": "joy"}) == {"neutral": 4, "Joy": 2}
    assert "2 other emotion (1 sadness, 1 sad)" in capsys.readouterr().err
    for wrong in ({"labels": ["neutral", "happy", "Happy"]}, {"rename": {"sad": "a", "Sad": "b"}}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} has '.*' twice"):
            SEDBuilderConfig.checked("simulated", {"corpora": {"calls": str(folder)}, **wrong})
