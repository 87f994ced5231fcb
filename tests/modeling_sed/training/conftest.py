"""A small dataset of tones, a small encoder, and training for real: one process or two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset, DatasetDict

from modeling_sed.training.arguments import TrainingOptions
from tests.conftest import REPOSITORY, SMALL_ENCODER
from tests.dataset_scripts.conftest import ravdess  # noqa: F401 - a fixture of these tests, too
from train_sed import train_and_score

TINY_ENCODER = {"model_type": "wavlm", "feat_extract_norm": "layer", **SMALL_ENCODER}
NO_DROPOUT = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.0)


def utterance(name: str, pitch: float, label: str, folder: Path, duration: float = 1.0) -> dict:
    """Noise, and from 0.4 s on a tone, whose pitch is the emotion."""
    rng = np.random.default_rng(round(pitch))
    time = np.arange(round(16_000 * duration)) / 16_000
    wave = 0.01 * rng.standard_normal(len(time)) + 0.2 * (time > 0.4) * np.sin(2 * np.pi * pitch * time)
    soundfile.write(folder / f"{name}.wav", wave, 16_000)
    segments = [{"start": 0.4, "end": duration, "label": label}]
    return {
        "name": name,
        "audio": {"path": None, "bytes": (folder / f"{name}.wav").read_bytes()},
        "duration": duration,
        "segments": segments,
    }


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 utterances to train on, 3 each for validation and test, of 1 s."""
    folder = tmp_path_factory.mktemp("data")
    splits = {
        split: Dataset.from_list(
            [
                utterance(f"{split}_{label}_{number}", pitch + 7 * number, label, folder)
                for label, pitch in (("happy", 400), ("sad", 150), ("angry", 1500))
                for number in range(count)
            ]
        )
        for split, count in (("train", 4), ("validation", 1), ("test", 1))
    }
    DatasetDict(splits).save_to_disk(folder / "dataset")
    return folder / "dataset"


@pytest.fixture(scope="session")
def odd_data(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """11 utterances of different lengths to train on."""
    folder = tmp_path_factory.mktemp("odd")
    rows = [
        utterance(f"train_{number}", 150 + 90 * number, ("happy", "sad", "angry")[number % 3], folder, 0.6 + number / 9)
        for number in range(11)
    ]
    splits = DatasetDict.load_from_disk(data)
    splits["train"] = Dataset.from_list(rows)
    splits.save_to_disk(folder / "dataset")
    return folder / "dataset"


def encoder_file(folder: Path, config: dict) -> Path:
    path = folder / "tiny.json"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without dropout: what it learns depends on nothing random."""
    return encoder_file(tmp_path_factory.mktemp("encoder"), TINY_ENCODER | NO_DROPOUT)


def train_here(**options: object) -> dict:
    """Trains in this process, which saves the imports; returns the results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCELERATE_USE_CPU", "true")
        return train_and_score(TrainingOptions(**{name: _plain(value) for name, value in options.items()}))


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def command(*options: object, processes: int = 1) -> list[str]:
    launcher = [sys.executable]
    if processes > 1:  # --cpu would run one process, silently
        launcher += ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes)]
        launcher += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
        launcher += ["--main_process_port", "0"]
    return [*launcher, str(REPOSITORY / "train_sed.py"), *map(str, options)]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", **changes}


def train(*options: object, processes: int = 1, **changes: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*options, processes=processes),
        capture_output=True,
        text=True,
        env=environment(**changes),
        check=False,
        timeout=300,
    )


@pytest.fixture
def options(data: Path, encoder: Path, tmp_path: Path) -> TrainingOptions:
    """The paper's, with a small encoder."""
    return TrainingOptions(dataset=str(data), encoder=str(encoder), output_dir=str(tmp_path / "run"))
