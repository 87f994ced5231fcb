"""The model that comes with the package: it is the default, small, and takes nothing but speech for emotional."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import pipeline
from typer.testing import CliRunner

import modeling_sed
from benchmarks.bundled_model import sounds_without_speech
from modeling_sed.cli.app import app
from modeling_sed.hub import bundling
from modeling_sed.hub.bundled_model import BUNDLED_MODEL
from modeling_sed.hub.bundling import bundle
from tests.conftest import save_model, small_model

SOUNDS = sounds_without_speech(8.0, seed=1)


@pytest.fixture(scope="module")
def diarize():
    return pipeline(modeling_sed.TASK)


def test_it_is_small_and_computes_in_single_precision(diarize):
    files = {path.name: path.stat().st_size for path in BUNDLED_MODEL.iterdir()}
    assert files.keys() == {"README.md", "config.json", "model.safetensors", "preprocessor_config.json"}
    assert sum(files.values()) <= 30e6
    precisions = {tensor.dtype for tensor in load_file(BUNDLED_MODEL / "model.safetensors").values()}
    assert precisions == {torch.float16, torch.float8_e4m3fn}
    assert diarize.model.dtype == torch.float32 and Path(diarize.model.name_or_path) == BUNDLED_MODEL


@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_no_speech_is_neutral_throughout(diarize, name: str):
    assert [segment["label"] for segment in diarize(SOUNDS[name])] == ["neutral"]


def test_it_hears_what_actors_meant(diarize, real_ravdess: Path):
    """Recordings that it has learnt from: that it is the model it should be, not how good it is."""
    for number, emotion in (("03", "happy"), ("04", "sad"), ("05", "angry"), ("01", "neutral")):
        recordings = sorted(real_ravdess.glob(f"Actor_*/03-01-{number}-0[12]-01-01-*.*"))[:8]
        found = list(diarize([str(path) for path in recordings], return_scores=True))
        labels = diarize.model.config.labels
        loudest = [labels[scores["posteriors"].mean(axis=0).argmax()] for scores in found]
        assert loudest.count(emotion) >= 5, (emotion, loudest)


def test_a_saved_pipeline_does_not_say_where_the_default_lies(diarize, tmp_path: Path):
    diarize.save_pretrained(tmp_path)
    (saved,) = json.loads((tmp_path / "config.json").read_text())["custom_pipelines"].values()
    assert "default" not in saved and str(BUNDLED_MODEL) not in (tmp_path / "config.json").read_text()


def test_the_command_line_uses_it_and_says_its_licence(tmp_path: Path):
    soundfile.write(tmp_path / "hum.wav", SOUNDS["hum, 50 Hz"], 16_000)
    done = CliRunner().invoke(app, ["diarize", str(tmp_path / "hum.wav"), "--format", "json"])
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)
    assert [segment["label"] for segment in result["segments"]] == ["neutral"]
    assert done.stderr.count("CC BY-NC-SA 4.0") == 1
    assert "license: cc-by-nc-sa-4.0" in (BUNDLED_MODEL / "README.md").read_text(encoding="utf-8")


def test_bundling_keeps_the_posteriors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = save_model(small_model("whisper"), tmp_path / "run")
    monkeypatch.setattr(bundling, "BUNDLED_MODEL", tmp_path / "bundled")
    bundle(run)
    assert {path.name for path in (tmp_path / "bundled").iterdir()} == {
        *("config.json", "model.safetensors", "preprocessor_config.json")
    }
    noise = 0.1 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    before, after = (
        pipeline(modeling_sed.TASK, model=str(folder))(noise, return_scores=True)["posteriors"]
        for folder in (run, tmp_path / "bundled")
    )
    np.testing.assert_allclose(after, before, atol=0.02)
    weights = load_file(run / "model.safetensors")
    weights["classifier.weight"] *= 1e6
    save_file(weights, run / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"classifier\.weight: a weight is too large for torch\.float16"):
        bundle(run)
