"""What is called a model: folders of ours, the authors' checkpoints, and the sentence for everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from modeling_sed.checkpoints.opening import model_folder as opened
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import FOLDER as SPEECHBRAIN


def test_a_folder_of_ours_is_taken_as_it_is(model_folder: Path):
    assert opened(str(model_folder)) == model_folder


def test_a_checkpoint_of_the_authors_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path))
    converted = opened(str(SPEECHBRAIN / "wavlm"))
    assert "converting it, once" in capfd.readouterr().err
    assert json.loads((converted / "config.json").read_text())["model_type"] == "sed"
    written = (converted / "model.safetensors").stat().st_mtime_ns
    assert opened(str(SPEECHBRAIN / "wavlm")) == converted
    assert (converted / "model.safetensors").stat().st_mtime_ns == written and capfd.readouterr().err == ""
    assert opened(str(SPEECHBRAIN / "hubert")) != converted


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "has no config.json, as a model's folder has; it has nothing"),
        ({"notes.txt": ""}, "it has notes.txt"),
        ({"config.json": "[]"}, "config.json is not a JSON object"),
        ({"config.json": '{"model_type": "sed"}'}, r"has no weights \(model.safetensors\)"),
        ({"adapter_config.json": "{}"}, "a LoRA adapter without its model"),
        ({"model.onnx": ""}, "diarize_onnx.py RECORDING"),
        (
            {"config.json": '{"model_type": "wavlm", "architectures": ["WavLMForSequenceClassification"]}'},
            "a classifier of another kind .* --initialize-head",
        ),
        ({"config.json": '{"model_type": "wavlm", "architectures": ["WavLMModel"]}'}, "train one on it"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(tmp_path: Path, files: dict[str, str], reason: str):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"^Cannot load the model .*{reason}"):
        opened(str(tmp_path))


def test_a_hub_that_cannot_be_reached_is_said_soon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ValueError, match=r"not in the Hub's cache, and http://127.0.0.1:9 cannot be reached within"):
        opened("nobody/nothing")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set"):
        opened("nobody/nothing")
    with pytest.raises(ValueError, match="no folder is called so, and no hub id"):
        opened("./not/here/at all")
