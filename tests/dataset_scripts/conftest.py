"""A small corpus in the layout of RAVDESS: tones for speech, which the voice activity detector takes for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import DatasetDict

from modeling_sed.dataset_scripts.build import build
from tests.conftest import REPOSITORY

COMMAND = [sys.executable, str(REPOSITORY / "dataset_scripts" / "sed.py")]

EMOTION_NUMBERS = {"neutral": "01", "happy": "03", "sad": "04", "angry": "05"}


def voice(seconds: float, pitch: float, seed: int) -> np.ndarray:
    """A buzz with moving formants and syllables, ``(samples,)`` at 16 kHz."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * 3 * time))) / 16_000
    wave = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20))
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
    return 0.1 * wave * syllables + 0.001 * generator.standard_normal(len(time))


@pytest.fixture(scope="session")
def ravdess(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six actors with three recordings of each emotion; one more file is of another emotion."""
    folder = tmp_path_factory.mktemp("ravdess")
    for actor in range(1, 7):
        (folder / f"Actor_{actor:02d}").mkdir()
        for number, (_, code) in enumerate(EMOTION_NUMBERS.items()):
            for repetition in range(1, 4):
                name = f"03-01-{code}-01-01-{repetition:02d}-{actor:02d}.wav"
                seed = 100 * actor + 10 * number + repetition
                wave = voice(0.8 + 0.01 * seed % 0.5, 90 + 15 * actor + 20 * number, seed)
                soundfile.write(folder / f"Actor_{actor:02d}" / name, wave, 16_000)
    soundfile.write(folder / "Actor_01" / "03-01-08-01-01-01-01.wav", voice(1, 100, 0), 16_000)
    return folder


@pytest.fixture(scope="session")
def table_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, described by a table."""
    return write_table_corpus(tmp_path_factory.mktemp("calls"))


def write_table_corpus(folder: Path, pitch: float = 100) -> Path:
    """A corpus of two speakers with a table; another pitch makes other recordings of the same names."""
    rows = ["file_name,speaker,label,transcription"]
    for index, speaker in enumerate(("anna", "Jörg")):
        for number, emotion in enumerate(("neutral", "neutral", "happy", "sad")):
            name = f"call {speaker} {number}.wav"
            soundfile.write(folder / name, voice(1.0, pitch + 20 * number + 9 * index, number), 16_000)
            rows.append(f"{name},{speaker},{emotion},hello")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests hear, here and in processes of their own, is not remembered on this machine."""
    folder = tmp_path_factory.mktemp("cache")
    patch = pytest.MonkeyPatch()
    patch.setattr("datasets.config.HF_DATASETS_CACHE", folder)
    patch.setenv("HF_DATASETS_CACHE", str(folder))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def benchmark(ravdess: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetDict:
    """A dataset of all three splits, with speakers of their own."""
    output_dir = tmp_path_factory.mktemp("benchmark") / "dataset"
    return build(output_dir, "benchmark", corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)


def contents(splits: DatasetDict) -> dict[str, list]:
    """All rows of all splits."""
    return {name: rows.to_list() for name, rows in splits.items()}
