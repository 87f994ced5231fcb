"""Training, for real: one and two processes, from a dataset on disk to a model that opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from datasets import Dataset, DatasetDict
from safetensors.torch import load_file
from transformers import pipeline

import modeling_sed
from modeling_sed.training.newbob import NewBob
from tests.conftest import REPOSITORY, SMALL_ENCODER
from tests.local_hub import LocalHub

TINY_ENCODER = {"model_type": "wavlm", "feat_extract_norm": "layer", **SMALL_ENCODER}
NO_DROPOUT = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.0)


def utterance(name: str, pitch: float, label: str, folder: Path) -> dict:
    """One second: noise, and from 0.4 s on a tone, whose pitch is the emotion."""
    rng = np.random.default_rng(round(pitch))
    time = np.arange(16_000) / 16_000
    wave = 0.01 * rng.standard_normal(16_000) + 0.2 * (time > 0.4) * np.sin(2 * np.pi * pitch * time)
    soundfile.write(folder / f"{name}.wav", wave, 16_000)
    segments = [{"start": 0.4, "end": 1.0, "label": label}]
    return {
        "id": name,
        "audio": {"path": None, "bytes": (folder / f"{name}.wav").read_bytes()},
        "duration": 1.0,
        "segments": segments,
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
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


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder") / "tiny.json"
    path.write_text(json.dumps(TINY_ENCODER | NO_DROPOUT))
    return path


def train(*options: object, processes: int = 1, **environment: str) -> subprocess.CompletedProcess:
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [*launcher, str(REPOSITORY / "train_sed.py"), *map(str, options)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)


def test_training_leaves_a_model_and_its_scores(data: Path, encoder: Path, tmp_path: Path):
    run = tmp_path / "run"
    done = train("--dataset", data, "--encoder", encoder, "--output_dir", run, "--num_train_epochs", 2)
    assert done.returncode == 0, done.stderr
    results = json.loads((run / "results.json").read_text())
    components = [results[name] for name in ("false_alarm", "missed_emotion", "confusion", "overlap")]
    assert results["eder"] == pytest.approx(sum(components), abs=1e-12)
    assert results["eder_all_neutral"] == pytest.approx(0.6)  # 0.6 of 1 s is emotional, in every utterance
    # the majority emotion is right in one utterance of three, but for 0.4 s
    assert results["eder_majority"] == pytest.approx((0.4 + 1 + 1) / 3)
    assert len(results["history"]) == 2
    segments = pipeline(modeling_sed.TASK, model=str(run))({"array": np.zeros(16_000), "sampling_rate": 16_000})
    assert segments[-1]["end"] == 1.0


PUSH = "import sys; from datasets import load_from_disk; load_from_disk(sys.argv[1]).push_to_hub(sys.argv[2])"


def test_a_dataset_of_the_hub_trains_as_the_one_on_disk(data: Path, encoder: Path, tmp_path: Path):
    with LocalHub() as hub:
        environment = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": "hf_test",
            "HF_HUB_DISABLE_XET": "1",
        }
        command = [sys.executable, "-c", PUSH, str(data), "someone/tones"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment}, timeout=300)
        for name, dataset in (("disk", data), ("hub", "someone/tones")):
            options = ("--dataset", dataset, "--encoder", encoder, "--num_train_epochs", 1)
            done = train(*options, "--output_dir", tmp_path / name, **environment)
            assert done.returncode == 0, done.stderr
    disk, hub = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("disk", "hub"))
    assert disk["history"] == hub["history"] and disk["eder"] == hub["eder"]


def test_two_processes_train_as_one_with_twice_the_batch(data: Path, encoder: Path, tmp_path: Path):
    common = ("--dataset", data, "--encoder", encoder, "--num_train_epochs", 1, "--encoder_learning_rate", 1e-3)
    one = train(*common, "--train_batch_size", 4, "--output_dir", tmp_path / "one")
    two = train(*common, "--train_batch_size", 2, "--output_dir", tmp_path / "two", processes=2)
    accumulated = train(
        *common, "--train_batch_size", 2, "--gradient_accumulation_steps", 2, "--output_dir", tmp_path / "accumulated"
    )
    assert one.returncode == two.returncode == accumulated.returncode == 0, one.stderr + two.stderr + accumulated.stderr
    results = json.loads((tmp_path / "two" / "results.json").read_text())
    assert results["num_processes"] == 2  # a launcher that silently ran one would prove nothing
    expected = load_file(tmp_path / "one" / "model.safetensors")
    for other in ("two", "accumulated"):
        actual = load_file(tmp_path / other / "model.safetensors")
        for name, tensor in expected.items():
            torch.testing.assert_close(actual[name], tensor, atol=2e-5, rtol=1e-4, msg=f"{other}: {name}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "{data}", "--labels", "neutral", "happy"], "label(s) angry, sad, which the model does not know"),
        (["--dataset", "{data}", "--encoder", "{bert}"], "'bert' is not supported: use one of wavlm, wav2vec2, hubert"),
        (["--dataset", "{data}/train"], "no utterances in the split(s) train, validation, test"),
        (["--dataset", "{data}", "--train_batch_size", "0"], "--train_batch_size must be at least 1; got 0"),
    ],
    ids=["label", "encoder", "splits", "batch size"],
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(
    data: Path, encoder: Path, tmp_path: Path, options: list[str], message: str
):
    (tmp_path / "bert.json").write_text('{"model_type": "bert"}')
    options = [option.format(data=data, bert=tmp_path / "bert.json") for option in options]
    if "--encoder" not in options:
        options += ["--encoder", str(encoder)]
    done = train(*options, "--output_dir", tmp_path / "run")
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_newbob_decisions():
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.Adam(
        [
            {"params": parameters[:1], "lr": 1.0, "annealing_factor": 0.5},
            {"params": parameters[1:], "lr": 8.0, "annealing_factor": 0.25},
        ]
    )
    annealing = NewBob(optimizer, improvement_threshold=0.1)
    # metric, and the first group's rate after it: relative improvements are -, 0.2, 0.05, -0.32, 0.1 (at the threshold)
    for metric, rate in (
        (100.0, 1.0),
        (80.0, 1.0),
        (76.0, 0.5),
        (100.0, 0.25),
        (90.0, 0.25),
        (0.0, 0.25),
        (0.0, 0.125),
    ):
        annealing.step(metric)
        assert optimizer.param_groups[0]["lr"] == rate
    assert optimizer.param_groups[1]["lr"] == 8.0 * 0.25**3
