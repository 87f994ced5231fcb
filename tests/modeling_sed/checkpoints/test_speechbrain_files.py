"""The results folder of a training with SpeechBrain: the best of its checkpoints, as the recipe itself tests it.

``training/hyperparams.yaml`` and the form of the descriptions are SpeechBrain's own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from modeling_sed.checkpoints.opening import model_folder
from modeling_sed.checkpoints.speechbrain import convert_speechbrain, load_speechbrain
from modeling_sed.checkpoints.speechbrain_files import is_speechbrain, speechbrain_files
from modeling_sed.cli.app import app
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import FOLDER, waveform
from tests.modeling_sed.checkpoints.test_speechbrain import Malice, expected, log_posteriors

RELEASED = FOLDER / "wavlm"
NEWEST, BEST, WITHIN_EPOCH = (f"CKPT+2026-11-25+16-29-53+{number:02d}" for number in range(3))
END_OF_EPOCH = "# yamllint disable\nend-of-epoch: true\nerror_rate: {}\nloss: 0.5\nunixtime: {}\n"
DESCRIPTIONS = {  # numbers in names are given anew when a checkpoint has been deleted: they do not tell the order
    NEWEST: END_OF_EPOCH.format(0.4, 1795624193.5034375),
    BEST: END_OF_EPOCH.format(0.25, 1795624193.4483433),
    WITHIN_EPOCH: "# yamllint disable\nbrain_intra_epoch_ckpt: true\nend-of-epoch: false\nunixtime: 1795624193.6\n",
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As the recipe leaves it; the encoder's configuration is where the training has downloaded it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = tmp_path / "results" / "78"
    save = folder / "save"
    for name, description in DESCRIPTIONS.items():
        (save / name).mkdir(parents=True)
        (save / name / "CKPT.yaml").write_text(description)
        for weights in ("model.ckpt", "wav2vec2.ckpt"):
            shutil.copy(RELEASED / weights, save / name)
        torch.save({"0.w.weight": torch.zeros(4, 16)}, save / name / "optimizer.ckpt")
    for name in (NEWEST, WITHIN_EPOCH):  # weights of their own
        torch.save({"0.w.weight": torch.zeros(4, 16)}, save / name / "model.ckpt")
    shutil.copy(RELEASED / "label_encoder.txt", save)
    shutil.copy(FOLDER / "training" / "hyperparams.yaml", folder)
    cache = save / "wav2vec2_checkpoint" / "models--microsoft--wavlm-large"
    shutil.copytree(RELEASED / "encoder", cache / "snapshots" / "0123")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0123")
    return folder


def test_the_best_checkpoint_gives_speechbrains_numbers(results: Path, tmp_path: Path):
    done = CliRunner().invoke(app, ["convert", str(results), str(tmp_path / "model")])
    assert done.exit_code == 0 and f"weights: {results / 'save' / BEST / 'wav2vec2.ckpt'}" in done.stderr, done.output
    np.testing.assert_allclose(log_posteriors(load_speechbrain(results), waveform()), expected("wavlm"), atol=1e-4)
    assert speechbrain_files(results / "save") == speechbrain_files(results)


def test_a_checkpoint_may_be_named(results: Path):
    diarize = load_speechbrain(results / "save" / NEWEST)
    assert not diarize.model.classifier.weight.any()


def test_without_error_rates_and_among_equals_the_newest_counts(results: Path):
    save = results / "save"
    (save / NEWEST / "CKPT.yaml").write_text(END_OF_EPOCH.format(0.25, 1795624193.5))
    assert speechbrain_files(results)["model.ckpt"].parent.name == NEWEST
    (save / NEWEST / "CKPT.yaml").write_text(END_OF_EPOCH.format(".nan", 1795624193.5))
    assert speechbrain_files(results)["model.ckpt"].parent.name == BEST
    for name, time in ((NEWEST, 2), (BEST, 3), (WITHIN_EPOCH, 1)):
        (save / name / "CKPT.yaml").write_text(f"end-of-epoch: true\nunixtime: {time}\n")
    assert speechbrain_files(results)["model.ckpt"].parent.name == BEST


def test_any_command_opens_it(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    converted = model_folder(str(results))
    assert (converted / "model.safetensors").is_file() and model_folder(str(results)) == converted
    (results / "save" / BEST / "CKPT.yaml").write_text(END_OF_EPOCH.format(0.9, 1))  # another one is the best now
    assert model_folder(str(results)) != converted


@pytest.mark.parametrize(
    "description", ["a: [b", "[]", "unixtime: soon", "end-of-epoch: true", "", b"\xff\xfe\x00\xd8"]
)
def test_what_describes_no_checkpoint_is_refused(results: Path, description: str | bytes):
    content = description.encode() if isinstance(description, str) else description
    (results / "save" / BEST / "CKPT.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=r"CKPT.yaml does not describe a checkpoint of SpeechBrain"):
        speechbrain_files(results)


def test_what_is_missing_is_named_and_no_code_is_run(results: Path, tmp_path: Path):
    torch.save({"a": Malice(tmp_path / "hacked")}, results / "save" / BEST / "model.ckpt")
    with pytest.raises(ValueError, match=r"model.ckpt is refused: it holds more than tensors"):
        convert_speechbrain(results, tmp_path / "model")
    assert not (tmp_path / "hacked").exists() and not (tmp_path / "model").exists()
    (results / "save" / "label_encoder.txt").unlink()
    with pytest.raises(OSError, match=r"save has no label_encoder.txt"):
        convert_speechbrain(results, tmp_path / "model")
    shutil.rmtree(results / "save")
    assert not is_speechbrain(results)
    with pytest.raises(OSError, match=r"78 has no wav2vec2.ckpt"):
        convert_speechbrain(results, tmp_path / "model")
