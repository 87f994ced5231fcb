"""ZED: the test split, from a folder or an archive; what is wrong with it is said."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.dataset_scripts.build import build
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
        source = tmp_path / "ZED.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in zed.rglob("*.*"):
                archive.write(path, Path("ZED") / path.relative_to(zed))
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
        (damage_zed({"wav": "datafolder/../../secret.wav"}), "secret.wav of 'spk1_1' is missing"),
        (damage_zed({"emotion": [{"emo": "bored", "start": 0, "end": 1}]}), "bad entry 'spk1_1'.*bored"),
        (damage_zed({"emotion": [{"emo": "sad", "start": 0, "end": 2.5}]}), "spk1_1: annotated to 2.5 s"),
        (damage_zed({"emotion": None}), "bad entry 'spk1_1'"),
        (lambda folder: (folder / "ZED.json").unlink(), "is not ZED: it holds no ZED.json"),
        (lambda folder: (folder / "ZED.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "wav" / "spk1_1.wav").unlink(), "spk1_1.wav of 'spk1_1' is missing"),
    ],
)
def test_a_bad_zed_is_refused(zed: Path, tmp_path: Path, damage: Callable, message: str):
    soundfile.write(tmp_path.parent / "secret.wav", voice(1, 100, 0), 16_000)
    damage(zed)
    with pytest.raises(InputError, match=message):
        build(tmp_path / "out", "zed", zed=str(zed))
    assert not (tmp_path / "out").exists()


def test_real_zed_annotation_with_silent_audio(tmp_path: Path):
    annotation = REAL_DATA / "ZED" / "ZED.json"
    if not annotation.is_file():
        pytest.skip(f"the annotation of ZED is not at {annotation}")
    entries = json.loads(annotation.read_text(encoding="utf-8"))
    (tmp_path / "ZED.json").write_text(json.dumps(entries))
    for name, entry in entries.items():
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(round(entry["duration"] * 16_000)), 16_000)
    rows = build(tmp_path / "out", "zed", zed=str(tmp_path))["test"]
    assert len(rows) == 180 and len(set(rows["speaker"])) == 73
    assert sum(rows["duration"]) / 60 == pytest.approx(16.13, abs=0.005)
    labels = Counter(segment["label"] for segments in rows["segments"] for segment in segments)
    assert labels == {"sad": 66, "happy": 62, "angry": 52}
    patterns = Counter(re.sub("happy|sad|angry", "emotion", transition) for transition in rows["transition"])
    assert patterns == {"null-emotion": 94, "emotion-null": 35, "emotion": 30, "null-emotion-null": 21}
    emotional = sum(segment["end"] - segment["start"] for segments in rows["segments"] for segment in segments)
    assert emotional / sum(rows["duration"]) == pytest.approx(0.5875, abs=5e-5)
