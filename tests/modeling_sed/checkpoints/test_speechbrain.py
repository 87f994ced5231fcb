"""The authors' checkpoints: the same numbers as SpeechBrain's, and whatever is not one refused with its reason."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import pipeline
from typer.testing import CliRunner

import modeling_sed
from modeling_sed.checkpoints.speechbrain import WEIGHT_NORM_NAMES, convert_speechbrain, load_speechbrain
from modeling_sed.cli.app import app
from tests.conftest import REAL_DATA
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import ENCODERS, FOLDER, waveform

PEER = REAL_DATA.parent / "peer"


def log_posteriors(diarize: modeling_sed.SpeechEmotionDiarizationPipeline, wave: np.ndarray) -> np.ndarray:
    inputs = diarize.feature_extractor(wave, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)
    with torch.no_grad():
        return diarize.model(**inputs).logits[0].log_softmax(dim=-1).numpy()


def expected(name: str) -> np.ndarray:
    return np.load(FOLDER / name / "expected.npz")["log_posteriors"]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(FOLDER / "wavlm", tmp_path / "checkpoint")


def change_weights(checkpoint: Path, change: Callable[[dict], dict], name: str = "wav2vec2.ckpt") -> None:
    torch.save(change(torch.load(checkpoint / name, weights_only=True)), checkpoint / name)


@pytest.mark.parametrize("name", ENCODERS)
def test_log_posteriors_are_speechbrains(name: str, tmp_path: Path):
    converted = convert_speechbrain(FOLDER / name, tmp_path / "model")
    diarize = pipeline(modeling_sed.TASK, model=str(converted))
    np.testing.assert_allclose(log_posteriors(diarize, waveform()), expected(name), atol=1e-4)
    assert diarize.model.config.labels == ["neutral", "angry", "happy", "sad"]  # n, a, h, s, in the file's order
    np.testing.assert_allclose(log_posteriors(load_speechbrain(FOLDER / name), waveform()), expected(name), atol=1e-4)
    # quieter or with an offset, SpeechBrain's epsilon matters
    assert not np.allclose(log_posteriors(diarize, 1e-3 * waveform()), expected(name), atol=1e-2) or "group" in name


def rename_weight_norm(weights: dict, names: dict[str, str]) -> dict:
    for found, wanted in names.items():
        weights = {key.replace(found, wanted): tensor for key, tensor in weights.items()}
    return weights


@pytest.mark.parametrize(
    "names", [WEIGHT_NORM_NAMES, {new: old for old, new in WEIGHT_NORM_NAMES.items()}], ids=["new", "old"]
)
def test_both_names_of_weight_norm(checkpoint: Path, names: dict[str, str]):
    change_weights(checkpoint, lambda weights: rename_weight_norm(weights, names))
    keys = torch.load(checkpoint / "wav2vec2.ckpt", weights_only=True)
    assert any(key.endswith(tuple(names.values())) for key in keys)
    np.testing.assert_allclose(log_posteriors(load_speechbrain(checkpoint), waveform()), expected("wavlm"), atol=1e-4)


class Malice:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: truncate(f / "wav2vec2.ckpt"), "wav2vec2.ckpt is corrupt or not a PyTorch file"),
        (lambda f: (f / "model.ckpt").write_bytes(b""), "model.ckpt is corrupt or not a PyTorch file"),
        (lambda f: torch.save({"a": Malice(f / "hacked")}, f / "model.ckpt"), "model.ckpt is refused: it holds more"),
        (lambda f: (f / "model.ckpt").write_bytes(pickle.dumps(Malice(f / "hacked"))), "model.ckpt is"),
        (lambda f: torch.save([1], f / "model.ckpt"), "is not a state dict: it holds list"),
        (
            lambda f: change_weights(f, lambda w: {"other." + key: value for key, value in w.items()}),
            "no place for other.model.masked_spec_embed, .* and 74 more in",
        ),
        (
            lambda f: change_weights(f, lambda w: {k: v for k, v in w.items() if "q_proj.weight" not in k}),
            r"lacks encoder.layers.0.attention.q_proj.weight, encoder.layers.1.attention.q_proj.weight\.",
        ),
        (lambda f: change_weights(f, lambda w: {}, "model.ckpt"), "model.ckpt: lacks weight"),
        (
            lambda f: change_weights(f, lambda w: {"0.w.weight": torch.zeros(5, 16)}, "model.ckpt"),
            r"weight has the shape \(5, 16\); the model's is \(4, 16\)",
        ),
        (lambda f: (f / "label_encoder.txt").write_text("'n' => 1\n"), "does not number its labels from 0"),
        (lambda f: (f / "label_encoder.txt").unlink(), "has no label_encoder.txt"),
        (lambda f: (f / "hyperparams.yaml").write_text("a: [b"), "cannot be read as YAML"),
        (lambda f: (f / "hyperparams.yaml").write_text("lr: 1"), "it has no section wav2vec2"),
        (
            lambda f: (f / "hyperparams.yaml").write_text(
                (f / "hyperparams.yaml").read_text().replace("output_norm: True", "output_norm: False")
            ),
            "wav2vec2 has output_norm False; only True is supported",
        ),
        (
            lambda f: (f / "hyperparams.yaml").write_text(
                (f / "hyperparams.yaml").read_text().replace("wav2vec2_hub: encoder", "wav2vec2_hub: ../encoder")
            ),
            r"the encoder must be a hub id, or a folder beside the file; got '\.\./encoder'",
        ),
        (lambda f: (f / "label_encoder.txt").write_bytes(b"'n\xff' => 0"), "is not UTF-8 text"),
        (lambda f: (f / "label_encoder.txt").write_text("[" * 9_999 + " => 0"), "is not a label"),
        (lambda f: (f / "label_encoder.txt").write_text("'n' => " + "9" * 9_999), "does not number its labels"),
        (lambda f: (f / "model.ckpt").write_bytes(b"\x80\x02X\xff"), "is corrupt or not a PyTorch file"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_is_no_good_checkpoint_is_refused(checkpoint: Path, tmp_path: Path, damage: Callable, message: str):
    damage(checkpoint)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((ValueError, OSError), match=message):
        convert_speechbrain(checkpoint, tmp_path / "model")
    assert sorted(tmp_path.iterdir()) == before  # nothing half-written
    assert not (checkpoint / "hacked").exists()


def test_the_command(checkpoint: Path, tmp_path: Path):
    runner = CliRunner()
    done = runner.invoke(app, ["convert", str(checkpoint), str(tmp_path / "model")])
    assert done.exit_code == 0 and (tmp_path / "model" / "model.safetensors").is_file()
    again = runner.invoke(app, ["convert", str(checkpoint), str(tmp_path / "model")])
    assert again.exit_code == 1 and "exists already" in again.stderr
    shutil.move(checkpoint / "encoder", tmp_path / "encoder")
    elsewhere = ["convert", str(checkpoint), str(tmp_path / "other"), "--encoder", str(tmp_path / "encoder")]
    assert runner.invoke(app, elsewhere).exit_code == 0


@pytest.mark.parametrize("weight_norm", ["old", "new"])
@pytest.mark.parametrize("size", ["tiny", "base"])
def test_the_peers_own_outputs(size: str, weight_norm: str, tmp_path: Path):
    if not PEER.is_dir():
        pytest.skip(f"SpeechBrain's reference outputs are not at {PEER}")
    make = [sys.executable, str(PEER / "make_checkpoint.py"), "--size", size, "--weight-norm", weight_norm]
    subprocess.run([*make, "--out", str(tmp_path / "checkpoint")], check=True, capture_output=True, timeout=300)
    diarize = load_speechbrain(tmp_path / "checkpoint")
    for name in ("speech3s", "speech10s"):
        reference = np.load(PEER / "ref" / size / f"{name}.npz")
        seen = []
        hook = diarize.model.classifier.register_forward_hook(lambda _, inputs, __, seen=seen: seen.append(inputs[0]))
        ours = log_posteriors(diarize, reference["wav"])
        hook.remove()
        np.testing.assert_allclose(seen[0][0].numpy(), reference["enc"], atol=1e-4)
        # the generator's classifier comes out of a decomposition, the same on no two machines: this one's is used
        head = diarize.model.classifier.weight.detach().numpy()
        theirs = torch.from_numpy(reference["enc"] @ head.T).log_softmax(dim=-1).numpy()
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        np.testing.assert_allclose(ours, reference["logp"], atol=1e-3)
        result = json.loads((PEER / "ref" / size / f"{name}.json").read_text())["result"]
        samples, _ = soundfile.read(PEER / "wavs" / f"{name}.wav")
        ours = diarize({"array": samples, "sampling_rate": 16_000})
        assert [segment["label"][0] for segment in ours] == [segment["emotion"] for segment in result]
        np.testing.assert_allclose([s["start"] for s in ours], [s["start"] for s in result], atol=1e-9)
        # the last one ends where the recording does, and not where the last frame would
        np.testing.assert_allclose([s["end"] for s in ours[:-1]], [s["end"] for s in result[:-1]], atol=1e-9)
        assert ours[-1]["end"] == len(samples) / 16_000
