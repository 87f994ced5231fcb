"""Exported models: the numbers of PyTorch, and segments in a process that has no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch
from transformers import Wav2Vec2FeatureExtractor, pipeline

import modeling_sed
from modeling_sed.checkpoints.onnx_export import export_onnx
from tests.conftest import save_model, small_model

SHALLOW = {"num_hidden_layers": 1, "conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2)}
WITHOUT_TORCH = """
import json, sys
sys.modules.update(torch=None, transformers=None, modeling_sed=None)
sys.path.insert(0, sys.argv[1])
from diarize_onnx import diarize
print(json.dumps([diarize(path) for path in sys.argv[2:]]))
"""


def save(folder: Path, *arguments, do_normalize: bool = True, **config_arguments) -> Path:
    """A model, quickly exported, with its feature extractor, as training leaves it."""
    modeling_sed.SpeechEmotionDiarizationPipeline(
        model=small_model(*arguments, encoder_arguments=SHALLOW, **config_arguments),
        feature_extractor=Wav2Vec2FeatureExtractor(return_attention_mask=True, do_normalize=do_normalize),
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def exported(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(model_folder, tmp_path_factory.mktemp("fp32") / "a new" / "folder")


def noise(samples: int) -> np.ndarray:
    """Louder and louder, with an offset, which normalisation takes away."""
    generator = np.random.default_rng(samples)
    return (np.linspace(0.01, 0.2, samples) * generator.standard_normal(samples) + 0.03).astype(np.float32)


def largest_difference(model: Path, folder: Path, samples: int) -> float:
    """Between the posteriors of the pipeline's model and those of the exported one."""
    trained = pipeline(modeling_sed.TASK, model=model)
    family = trained.model.config.encoder_family
    inputs = torch.from_numpy(family.extract(trained.feature_extractor, noise(samples), 16_000))[None]
    with torch.no_grad():
        expected = trained.model(**{family.input_name: inputs}).logits[0].softmax(-1).numpy()
    shortest = json.loads((folder / "config.json").read_text())["shortest"]
    padded = np.pad(noise(samples), (0, max(0, shortest - samples)))  # as diarize_onnx.py does
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    found = session.run(["posteriors"], {"input_values": padded[None]})[0][0]
    assert found.shape == expected.shape
    return np.abs(found - expected).max()


@pytest.mark.parametrize("samples", [400, 401, 719, 720, 16_000, 16_001, 50_000])
def test_any_length_gives_the_numbers_of_pytorch(model_folder: Path, exported: Path, samples: int):
    assert largest_difference(model_folder, exported, samples) < 1e-4


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("hubert", "layer"), {"normalize_waveform": True, "do_normalize": False, "classifier_bias": True}),
        (("wav2vec2", "group"), {"use_weighted_layer_sum": True, "normalize_encoder_output": False}),
    ],
)
def test_encoders_and_options_give_the_numbers_of_pytorch(arguments: tuple, options: dict, tmp_path: Path):
    model = save(tmp_path / "model", *arguments, **options)
    folder = export_onnx(model, tmp_path / "onnx")
    for samples in (20, 21, 3001):
        assert largest_difference(model, folder, samples) < 1e-4


@pytest.mark.parametrize("family", ["whisper", "wav2vec2-bert"])
def test_features_are_computed_in_the_graph(family: str, tmp_path: Path):
    model = save_model(small_model(family), tmp_path / "model")
    folder = export_onnx(model, tmp_path / "onnx")
    config = small_model(family).config
    for samples in (160, 200, 201, 560, 719, 16_161, round(config.encoder_family.window * 16_000)):
        if samples >= config.geometry.receptive_field:
            assert largest_difference(model, folder, samples) < 1e-4
    quantized = export_onnx(model, tmp_path / "int8", int8=True)
    assert 0 < largest_difference(model, quantized, 16_161) < 0.15  # random weights: no sharp posteriors


def test_segments_without_torch_are_those_of_the_pipeline(model_folder: Path, exported: Path, tmp_path: Path):
    soundfile.write(tmp_path / "short.wav", noise(400), 16_000)
    soundfile.write(tmp_path / "long.flac", noise(16_000 * 47), 16_000)  # three windows
    soundfile.write(tmp_path / "other rate, stereo.wav", noise(100_000).reshape(-1, 2), 22_050)
    paths = [str(tmp_path / name) for name in ("short.wav", "long.flac", "other rate, stereo.wav")]
    command = [sys.executable, "-c", WITHOUT_TORCH, exported, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    by_pipeline = pipeline(modeling_sed.TASK, model=model_folder)(paths)
    for found, expected in zip(json.loads(done.stdout), by_pipeline, strict=True):
        borders = [(segment["start"], segment["end"], segment["label"]) for segment in expected]
        assert [(segment["start"], segment["end"], segment["label"]) for segment in found] == borders
        scores = [segment["score"] for segment in expected]
        assert [segment["score"] for segment in found] == pytest.approx(scores, abs=1e-4)


def test_the_exported_folder_is_a_program_with_clear_errors(exported: Path, tmp_path: Path):
    (tmp_path / "text.wav").write_text("text")
    soundfile.write(tmp_path / "nan.wav", np.where(np.arange(999) == 7, np.nan, 0.1), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "short.wav", noise(399), 16_000)
    soundfile.write(tmp_path / "good.wav", noise(8000), 16_000)
    names = ["text.wav", "missing.wav", "nan.wav", "short.wav", "good.wav"]
    command = [sys.executable, exported / "diarize_onnx.py", *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    (result,) = json.loads(done.stdout)
    assert result["name"] == "good.wav" and result["duration"] == 0.5
    for message in (
        "text.wav: not audio",
        "missing.wav",
        "nan.wav: sample 7 of",
        "short.wav: 0.0249 s of audio",
    ):
        assert message in done.stderr


def test_an_existing_folder_or_a_foreign_model_is_refused(model_folder: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="exists already"):
        export_onnx(model_folder, tmp_path)
    with pytest.raises(ValueError, match="nowhere"):
        export_onnx(tmp_path / "nowhere", tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_the_command_quantizes_with_small_differences(tmp_path: Path):
    model = save(tmp_path / "model")
    arguments = ["export", "onnx", "--model", model, tmp_path / "int8", "--int8"]
    command = [sys.executable, "-m", "modeling_sed", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'int8'}\n"
    operators = [node.op_type for node in onnx.load(tmp_path / "int8" / "model.onnx").graph.node]
    # the second convolution, the projection of its features, four products of attention, two after it
    assert operators.count("MatMulInteger") == 8
    assert 0 < largest_difference(model, tmp_path / "int8", 3001) < 0.15  # random weights: no sharp posteriors
