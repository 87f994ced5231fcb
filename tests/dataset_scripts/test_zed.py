"""ZED: the test split, from a folder or an archive; what is wrong with it is said."""

from __future__ import annotations

import json
import math
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.builder import annotated_row
from modeling_sed.dataset_scripts.corpora import contents
from modeling_sed.dataset_scripts.corpora import zed as zed_module
from modeling_sed.dataset_scripts.corpora.zed import read_zed
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.waveforms import read_waveform
from tests.conftest import REAL_DATA
from tests.dataset_scripts.conftest import voice


@pytest.fixture
def zed(tmp_path: Path) -> Path:
    """Two utterances in the layout of ZED."""
    folder = tmp_path / "ZED"
    (folder / "wav").mkdir(parents=True)
    entries = {}
    for name, event in (
        ("spk1_1", {"emo": "angry", "start": 0.5, "end": 2.0}),
        ("spk2_1", {"emo": "sad", "start": 0.25, "end": 1.0}),
    ):
        soundfile.write(folder / "wav" / f"{name}.wav", voice(2.0, 120, 1), 16_000)
        entries[name] = {
            "wav": f"datafolder/wav/{name}.wav",
            "duration": 2.0,
            "emotion": [event],
            "transcription": "so be it",
        }
    (folder / "ZED.json").write_text(json.dumps(entries))
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_zed_is_the_test_split(zed: Path, ravdess: Path, tmp_path: Path, packed: bool):
    source = zed
    if packed:
        source = pack(zed, tmp_path / "ZED.zip")
    splits = build(tmp_path / "out", "benchmark", corpora={"ravdess": str(ravdess)}, zed=str(source))
    rows = splits["test"].to_list()
    assert [(row["name"], row["speaker"], row["corpus"], row["transition"]) for row in rows] == [
        ("spk1_1", "spk1", "zed", "null-angry"),
        ("spk2_1", "spk2", "zed", "null-sad-null"),
    ]
    assert rows[0]["segments"] == [{"start": 0.5, "end": 2.0, "label": "angry"}]
    assert rows[0]["transcription"] == "so be it"
    assert len(read_waveform(rows[0]["audio"]["bytes"])) == 32_000
    assert set(build(tmp_path / "only", "zed", zed=str(source))) == {"test"}


def damage_zed(entry: dict) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        entries = json.loads((folder / "ZED.json").read_text())
        entries["spk1_1"] |= entry
        (folder / "ZED.json").write_text(json.dumps(entries))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_zed({"wav": "datafolder/../../secret.wav"}), "ZED.json: spk1_1: .*secret.wav leads out of .*ZED"),
        (damage_zed({"emotion": [{"emo": "bored", "start": 0, "end": 1}]}), "bad entry 'spk1_1'.*bored"),
        (
            damage_zed({"emotion": [{"emo": "sad", "start": 0, "end": 2.5}]}),
            "spk1_1: sad is annotated from 0.0 to 2.5 s",
        ),
        (damage_zed({"emotion": None}), "bad entry 'spk1_1'"),
        (lambda folder: (folder / "ZED.json").unlink(), "is not ZED: it holds no ZED.json"),
        (lambda folder: (folder / "ZED.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "wav" / "spk1_1.wav").unlink(), "ZED.json: spk1_1: wav/spk1_1.wav is no file in"),
    ],
)
def test_a_bad_zed_is_refused(zed: Path, tmp_path: Path, damage: Callable, message: str):
    soundfile.write(tmp_path.parent / "secret.wav", voice(1, 100, 0), 16_000)
    damage(zed)
    with pytest.raises(InputError, match=message):
        build(tmp_path / "out", "zed", zed=str(zed))
    assert not (tmp_path / "out").exists()


ANGRY = {"emo": "angry", "start": 0.5, "end": 2.0}


def event(**changes) -> Callable[[Path], None]:
    return damage_zed({"emotion": [ANGRY | changes]})


def write(text: str | bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "ZED.json").write_bytes(text if isinstance(text, bytes) else text.encode())


def link_audio(folder: Path) -> None:
    (folder / "wav" / "spk1_1.wav").rename(folder.parent / "secret.wav")
    (folder / "wav" / "spk1_1.wav").symlink_to(folder.parent / "secret.wav")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (event(start=math.nan), "bad entry 'spk1_1': its start must be a finite number of seconds; got nan"),
        (event(end=math.inf), "bad entry 'spk1_1': its end must be a finite number of seconds; got inf"),
        (event(start=-3), "bad entry 'spk1_1': the angry event from -3.0 to 2.0 s needs 0 <= start < end"),
        (event(start=1.5, end=0.5), "bad entry 'spk1_1': the angry event from 1.5 to 0.5 s"),
        (event(start="0.5"), "bad entry 'spk1_1': its start must be a finite number of seconds; got '0.5'"),
        (event(end=None), "bad entry 'spk1_1': its end must be .* got None"),
        (event(end=True), "bad entry 'spk1_1': its end must be .* got True"),
        (event(end=10**400), "bad entry 'spk1_1'"),
        (event(emo="Angry!"), "bad entry 'spk1_1': unknown emotion 'Angry!'; there are neutral, happy"),
        (event(emo=["sad"]), "bad entry 'spk1_1': its emo must be a str"),
        (event(end=2.11), r"spk1_1: angry is annotated from 0\.5 to 2\.11 s, but the audio ends at 2\.0 s"),
        (event(start=2.05, end=2.08), r"spk1_1: angry is annotated from 2\.05 to 2\.08 s"),
        (damage_zed({"emotion": ["angry"]}), "bad entry 'spk1_1': an event must be an object; got 'angry'"),
        (damage_zed({"emotion": {"emo": "sad"}}), "bad entry 'spk1_1': its emotion must be a list"),
        (damage_zed({"duration": "2 s"}), "bad entry 'spk1_1': its duration must be .* got '2 s'"),
        (damage_zed({"duration": -1}), "bad entry 'spk1_1': its duration must be positive; got -1"),
        (damage_zed({"wav": None}), "bad entry 'spk1_1': its wav must be a str; got None"),
        (damage_zed({"wav": "/etc/hostname"}), "spk1_1: /etc/hostname leads out of"),
        (damage_zed({"wav": "datafolder/a\0.wav"}), "spk1_1: .* is no name of a file"),
        (damage_zed({"transcription": "\ud800"}), "bad entry 'spk1_1'.*surrogates"),
        (link_audio, r"spk1_1: wav/spk1_1\.wav leads out of"),
        (write("[]"), "ZED.json must be a JSON object"),
        (write("{}"), "ZED.json must be a JSON object"),
        (write('{"a": 1}'), "bad entry 'a': it must be an object; got 1"),
        (write('{"a_1": {}, "a_1": {}}'), "ZED.json is not JSON .*'a_1' is there twice"),
        (write("[" * 200_000), "ZED.json .* lists in lists without end"),
        (write(b'{"\xff": {}}'), "ZED.json is not JSON"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_bad_annotation_is_refused_by_entry_and_value(
    zed: Path, tmp_path: Path, damage: Callable, message: str, packed: bool
):
    damage(zed)
    if packed and damage is link_audio:
        pytest.skip("archives have no links that are followed")
    source = pack(zed, tmp_path / "ZED.zip") if packed else zed
    if packed:
        message = message.replace("leads out of", "is no file in").replace("is no name of a file", "is no file in")
    with pytest.raises(InputError, match=message) as caught:
        for utterance in read_zed(source):
            annotated_row(utterance)
    assert str(source) in str(caught.value)


def test_an_end_within_the_tolerance_is_cut(zed: Path):
    event(end=2.09)(zed)
    assert annotated_row(next(read_zed(zed)))["segments"] == [{"start": 0.5, "end": 2.0, "label": "angry"}]


def pack(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, Path("ZED") / file.relative_to(folder))
    return path


def test_linked_folders_of_an_annotation_are_found(zed: Path, tmp_path: Path):
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "ZED").symlink_to(zed, target_is_directory=True)
    assert [one.name for one in read_zed(tmp_path / "shelf" / "ZED")] == ["spk1_1", "spk2_1"]
    (zed / "ZED.json").rename(tmp_path / "corrected.json")
    (zed / "ZED.json").symlink_to(tmp_path / "corrected.json")
    assert [one.name for one in read_zed(zed)] == ["spk1_1", "spk2_1"]


def overwrite(old: bytes, new: bytes, count: int = -1) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, count)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"no archive" + content[10:-30], "neither a folder nor a ZIP archive that can be read"),
        (lambda content: content[:-10], "neither a folder nor a ZIP archive that can be read"),
        (lambda content: content[len(content) // 2 :], r"cannot be (read|unpacked)"),
        (overwrite(b"PK\x03\x04", b"PK\x03\x05"), "ZED.json cannot be unpacked .*Bad magic"),
        (overwrite(b"PK\x01\x02", b"PK\x01\x03"), "neither a folder nor a ZIP archive .*Bad magic number"),
        (lambda content: content[:60] + bytes(20) + content[80:], "ZED.json cannot be unpacked"),  # the data
        (lambda content: flag_as_encrypted(content), "ZED.json cannot be unpacked .*encrypted"),
    ],
)
def test_a_damaged_archive_is_refused(zed: Path, tmp_path: Path, damage: Callable, message: str):
    source = pack(zed, tmp_path / "ZED.zip")
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(InputError, match=message) as caught:
        list(read_zed(source))
    assert str(source) in str(caught.value)


def flag_as_encrypted(content: bytes) -> bytes:
    """Sets the flag in all headers, of the files and of the directory."""
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        parts = content.split(mark)
        place = offset - len(mark)
        parts[1:] = [part[:place] + bytes([part[place] | 1]) + part[place + 1 :] for part in parts[1:]]
        content = mark.join(parts)
    return content


def test_a_checksum_that_is_wrong_is_refused(zed: Path, tmp_path: Path):
    source = pack(zed, tmp_path / "ZED.zip", zipfile.ZIP_STORED)
    source.write_bytes(source.read_bytes().replace(b"so be it", b"so be me", 1))
    with pytest.raises(InputError, match=r"ZED\.zip: ZED/ZED\.json cannot be unpacked \(Bad CRC-32"):
        list(read_zed(source))


def test_a_bomb_is_refused_before_it_is_unpacked(zed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = pack(zed, tmp_path / "ZED.zip")
    monkeypatch.setattr(zed_module, "LARGEST_AUDIO", 1000)
    for path in (source, zed):
        with pytest.raises(InputError, match=r"wav/spk1_1\.wav has \d+ bytes; files of more than 1000 bytes are not"):
            list(read_zed(path))
    with pytest.raises(InputError, match=r"ZED\.json is packed by method 14; unpack the archive"):
        list(read_zed(pack(zed, tmp_path / "lzma.zip", zipfile.ZIP_LZMA)))
    # a header that promises less than there is: no more than that is unpacked, and its checksum is wrong
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ZED.json", bytes(50_000_000))
    bomb.write_bytes(bomb.read_bytes().replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"ZED\.json cannot be unpacked"):
        list(read_zed(bomb))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
def test_an_archive_holds_no_more_than_is_said(zed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str):
    source = pack(zed, tmp_path / "ZED.zip")
    assert list(read_zed(source))
    monkeypatch.setattr(contents, limit, 2)
    with pytest.raises(InputError, match=r"ZED\.zip holds \d+ files of \d+ bytes in all; more than .* unpack it"):
        read_zed(source)


def test_a_bad_annotation_is_found_before_anything_is_rendered(zed: Path, ravdess: Path, tmp_path: Path, capsys):
    event(start=-1)(zed)
    with pytest.raises(InputError, match="bad entry 'spk1_1'"):
        build(tmp_path / "out", "benchmark", corpora={"ravdess": str(ravdess)}, zed=str(zed))
    assert "making utterances" not in capsys.readouterr().err


def test_real_zed_annotation_with_silent_audio(tmp_path: Path):
    annotation = REAL_DATA / "ZED" / "ZED.json"
    if not annotation.is_file():
        pytest.skip(f"the annotation of ZED is not at {annotation}")
    entries = json.loads(annotation.read_text(encoding="utf-8"))
    zed = tmp_path / "zed"
    zed.mkdir()
    (zed / "ZED.json").write_text(json.dumps(entries))
    for name, entry in entries.items():
        soundfile.write(zed / f"{name}.wav", np.zeros(round(entry["duration"] * 16_000)), 16_000)
    rows = build(tmp_path / "out", "zed", zed=str(zed))["test"]
    assert len(rows) == 180 and len(set(rows["speaker"])) == 73
    assert sum(rows["duration"]) / 60 == pytest.approx(16.13, abs=0.005)
    labels = Counter(segment["label"] for segments in rows["segments"] for segment in segments)
    assert labels == {"sad": 66, "happy": 62, "angry": 52}
    patterns = Counter(re.sub("happy|sad|angry", "emotion", transition) for transition in rows["transition"])
    assert patterns == {"null-emotion": 94, "emotion-null": 35, "emotion": 30, "null-emotion-null": 21}
    emotional = sum(segment["end"] - segment["start"] for segments in rows["segments"] for segment in segments)
    assert emotional / sum(rows["duration"]) == pytest.approx(0.5875, abs=5e-5)
