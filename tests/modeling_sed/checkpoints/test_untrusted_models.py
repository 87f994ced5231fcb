"""Models of strangers: weights that are not the model's, files that no model has, code that is not run."""

from __future__ import annotations

import io
import json
import pickle
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tokenize import COMMENT, STRING, TokenInfo, generate_tokens
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModelForAudioFrameClassification, WavLMModel, pipeline
from typer.testing import CliRunner

from modeling_sed import SEDConfig, SEDForAudioFrameClassification
from modeling_sed.checkpoints.classifiers import from_classifier
from modeling_sed.checkpoints.opening import open_model
from modeling_sed.cli.app import app
from modeling_sed.frames_sed import InputError
from tests.conftest import REPOSITORY, SMALL_ENCODER, small_model

WEIGHTS, CONFIG, EXTRACTOR = "model.safetensors", "config.json", "preprocessor_config.json"
EVIL = "import pathlib; pathlib.Path('ran').touch()"


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def tokens(code: str) -> Iterator[TokenInfo]:
    return generate_tokens(io.StringIO(code).readline)


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def refused(folder: Path, *parts: str) -> None:
    with pytest.raises(InputError) as caught:
        open_model(folder)
    message = str(caught.value)
    assert message.startswith(f"Cannot load the model {folder}: ") and "\n" not in message and len(message) < 1_000
    for part in parts:
        assert part in message


DAMAGES: dict[str, tuple[Callable[[dict[str, torch.Tensor]], object], str]] = {
    "no head": (lambda weights: weights.pop("classifier.weight"), "they lack classifier.weight"),
    "no layer": (
        lambda weights: [weights.pop(name) for name in [*weights] if ".layers.1." in name],
        "they lack encoder.encoder.layers.1.",
    ),
    "empty": (lambda weights: weights.clear(), "more"),
    "too many": (lambda weights: weights.update(more=torch.zeros(3)), "they have, for nothing, more"),
    "another shape": (
        lambda weights: weights.update({"classifier.weight": torch.zeros(3, 32)}),
        "they have another shape of classifier.weight (is (3, 32), must be (4, 32))",
    ),
    "renamed": (
        lambda weights: weights.update(head=weights.pop("classifier.weight")),
        "they lack classifier.weight, and have, for nothing, head",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_other_weights_than_the_models_are_named_everywhere(folder: Path, damage: str):
    change, message = DAMAGES[damage]
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    refused(folder, message)
    for load in (SEDForAudioFrameClassification, AutoModelForAudioFrameClassification):
        with pytest.raises(InputError, match=re.escape(message)):
            load.from_pretrained(folder)
    with pytest.raises(ValueError, match=re.escape(message)):
        pipeline("speech-emotion-diarization", model=str(folder))
    done = CliRunner().invoke(app, ["diarize", "call.wav", "--model", str(folder)])
    assert done.exit_code == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_a_new_head_can_be_asked_for_and_the_report_still_comes(folder: Path):
    model, info = SEDForAudioFrameClassification.from_pretrained(folder, output_loading_info=True)
    assert model.config.labels == ["neutral", "happy", "sad", "angry"] and not info["missing_keys"]
    weights = load_file(folder / WEIGHTS)
    save_file(weights | {"classifier.weight": torch.zeros(3, 32)}, folder / WEIGHTS, metadata={"format": "pt"})
    model = SEDForAudioFrameClassification.from_pretrained(folder, ignore_mismatched_sizes=True)
    assert model.classifier.weight.shape == (4, 32)


def test_weights_are_compared_before_memory_is_used_for_them(folder: Path):
    def enlarge(config: dict[str, Any]) -> None:
        config["encoder_config"] |= {"hidden_size": 2**16, "intermediate_size": 2**16, "num_hidden_layers": 40}

    change_json(folder / CONFIG, enlarge)  # 2 TB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(folder, "they lack encoder.encoder.layers.", "must be (65536")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_an_encoder_of_which_weights_are_missing_is_refused(tmp_path: Path):
    small_model().encoder.save_pretrained(tmp_path)
    SEDForAudioFrameClassification.from_encoder(str(tmp_path))  # only the head is new, as it should be
    weights = load_file(tmp_path / WEIGHTS)
    del weights["encoder.layers.0.attention.k_proj.weight"]
    save_file(weights, tmp_path / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"they lack encoder\.layers\.0\.attention\.k_proj\.weight"):
        SEDForAudioFrameClassification.from_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("id2label", {"0": "neutral", "2": "sad"}, "id2label must name the labels 0, 1, 2"),
        ("id2label", {"zero": "neutral"}, "id2label must name"),
        ("id2label", ["neutral", "sad"], "id2label must name"),
        ("id2label", {"0": "neutral", "1": 7}, "Labels must be 1 to 1000 names"),
        ("id2label", {str(n): f"l{n}" for n in range(2_000)}, "Labels must be 1 to 1000 names"),
        ("neutral_label", ["neutral"], "contain the neutral label"),
        ("sampling_rate", 0, "sampling_rate (Hz) must be a whole number from 1000 to 384000; got 0"),
        ("sampling_rate", "16000", "sampling_rate (Hz) must be"),
        ("posterior_temperature", "x", "The temperature of posteriors must be a number from 0.01 to 100; got 'x'"),
        ("posterior_temperature", 0, "The temperature"),
        ("posterior_temperature", float("nan"), "posterior_temperature must be a number"),
        ("posterior_temperature", 10**400, "posterior_temperature must be a number"),
        ("use_weighted_layer_sum", "no", "use_weighted_layer_sum must be true or false; got 'no'"),
        ("decoder", {"name": "events", "maximum": 10**9}, "maximum must be a whole number from 1 to 1000"),
        ("decoder", {"name": "median", "duration": -1}, "duration must be a number from 0"),
        ("decoder", {"name": "semi_markov", "mean_durations": "abcd"}, "mean_durations must be 4 numbers"),
        ("decoder", {"name": ["median"]}, "There is no decoder ['median']"),
        ("decoder", [1], "A decoder is a name, or a mapping"),
        ("attn_implementation", "someone/kernels", "attn_implementation must be one of eager, sdpa"),
        ("attn_implementation", {"encoder_config": "someone/kernels"}, "attn_implementation must be one of"),
        ("dtype", "nn", "dtype must be one of float16"),
        ("encoder_config", "wavlm", "encoder_config must be an object"),
        ("encoder_config", {"model_type": "llama"}, "An encoder of type 'llama' is not supported"),
        ("encoder_config", {"model_type": ["wavlm"]}, "An encoder of type ['wavlm'] is not supported"),
        ("from_dict", 1, "'from_dict' is not the name of a value"),
        ("__class__", "x", "'__class__' is not the name of a value"),
        ("geometry", 1, "transformers cannot make a configuration"),
        ("auto_map", {"AutoConfig": "other/repo--configuration_sed.SEDConfig"}, "auto_map names code outside"),
        ("custom_pipelines", {"x": {"impl": "../../evil.Class"}}, "custom_pipelines names code outside"),
        ("transformers_weights", "../../../secret.safetensors", "has transformers_weights"),
        ("configuration_files", ["config.4.0.json"], "has configuration_files"),
        ("quantization_config", {"quant_method": "awq"}, "has quantization_config"),
    ],
)
def test_values_that_no_model_has_end_in_a_sentence(folder: Path, key: str, value: Any, message: str):
    change_json(folder / CONFIG, lambda config: config.update({key: value}))
    refused(folder, message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("conv_stride", [5, 2, 2, 0, 2, 2, 2], "conv_stride must be a whole number from 1 to 65536; got 0"),
        ("conv_stride", [5, -2, 2, 2, 2, 2, 2], "got -2"),
        ("conv_stride", [5, 2], "conv_stride"),
        ("conv_stride", [65536] * 7, "A frame must not last longer than a second"),
        ("conv_kernel", "10333322", "conv_kernel"),
        ("hidden_size", "32", "hidden_size"),
        ("hidden_size", -32, "hidden_size must be a whole number from 1 to 65536; got -32"),
        ("hidden_size", 10**9, "hidden_size must be"),
        ("num_hidden_layers", 10**9, "num_hidden_layers must be a whole number from 0 to 1000"),
        ("num_labels", 10**9, "num_labels must be a whole number from 0 to 1000"),
        ("num_attention_heads", 5, "transformers cannot make an encoder of encoder_config (ValueError: "),
        ("num_conv_pos_embedding_groups", 0, "num_conv_pos_embedding_groups must be"),
        ("hidden_act", "evil", "transformers cannot make an encoder of encoder_config (KeyError: 'evil'"),
        ("layer_norm_eps", 1e308 * 10, "layer_norm_eps must be a number"),
        ("add_adapter", True, "add_adapter leaves out frames"),
        ("attn_implementation", "someone/kernels", "attn_implementation must be one of eager, sdpa"),
        ("_attn_implementation", "flash_attention_2", "_attn_implementation must be one of eager, sdpa"),
        ("to_dict", 1, "'to_dict' is not the name of a value"),
    ],
)
def test_encoders_that_cannot_be_end_in_a_sentence(folder: Path, key: str, value: Any, message: str):
    change_json(folder / CONFIG, lambda config: config["encoder_config"].update({key: value}))
    refused(folder, message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sampling_rate", 8_000, "sampling_rate must be 16000, as the model has it; got 8000"),
        ("feature_size", 10**9, "feature_size must be 1, as the model has it"),
        ("do_normalize", "yes", "do_normalize must be true or false; got 'yes'"),
        ("padding_value", "0", "padding_value must be a number; got '0'"),
        ("padding_value", float("inf"), "padding_value must be a number"),
        ("feature_extractor_type", "EvilExtractor", "need the feature_extractor_type Wav2Vec2FeatureExtractor"),
        ("feature_extractor_type", ["x"], "need the feature_extractor_type"),
    ],
)
def test_feature_extractors_that_are_not_the_models_end_in_a_sentence(folder: Path, key: str, value: Any, message: str):
    change_json(folder / EXTRACTOR, lambda content: content.update({key: value}))
    refused(folder, EXTRACTOR, message)


@pytest.mark.parametrize("name", [CONFIG, EXTRACTOR])
@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 3_000 + b"1" + b"}" * 3_000, b"{" + b" " * 20_000_000 + b"}"],
    ids=["empty", "list", "bytes", "deep", "deep objects", "large"],
)
def test_files_that_hold_no_values_end_in_a_sentence(folder: Path, name: str, content: bytes):
    (folder / name).write_bytes(content)
    refused(folder, name)


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/passwd", "a\\b.safetensors", "pytorch_model.bin"])
def test_an_index_names_files_beside_it_only(folder: Path, name: str):
    weights = load_file(folder / WEIGHTS)
    shutil.move(folder / WEIGHTS, folder.parent / "outside.safetensors")
    (folder / f"{WEIGHTS}.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": dict.fromkeys(weights, name)})
    )
    refused(folder, "is not the name of a file beside it")


def test_damaged_and_foreign_weights_are_refused(folder: Path):
    whole = (folder / WEIGHTS).read_bytes()
    for damaged in (b"", whole[:7], whole[:-1], b"\xff" * 8 + whole[8:], whole.replace(b"F32", b"F64", 1)):
        (folder / WEIGHTS).write_bytes(damaged)
        refused(folder, WEIGHTS, "is damaged, or not a file of safetensors")
    (folder / WEIGHTS).write_bytes(whole.replace(b"F32", b"I32"))
    refused(folder, WEIGHTS, "weights are floating point numbers")


class Bomb:
    def __reduce__(self) -> tuple:
        return exec, (EVIL,)


@pytest.mark.parametrize("trap", ["pickle", "code", "adapter"])
def test_nothing_of_a_model_is_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # to "Do you wish to run the custom code?"
    if trap == "pickle":
        (folder / WEIGHTS).unlink()
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
        refused(folder, "has no weights")
        with pytest.raises(Exception, match=r"[Ww]eights.only|unpickl"):
            SEDForAudioFrameClassification.from_pretrained(folder)
    elif trap == "code":
        (folder / "evil.py").write_text(f"{EVIL}\nclass Evil: ...")
        change_json(folder / CONFIG, lambda config: config.update(auto_map={"AutoConfig": "evil.Evil"}))
        change_json(folder / EXTRACTOR, lambda values: values.update(auto_map={"AutoFeatureExtractor": "evil.Evil"}))
        open_model(folder)
        change_json(folder / EXTRACTOR, lambda values: values.pop("feature_extractor_type"))
        refused(folder, EXTRACTOR)
        change_json(folder / CONFIG, lambda config: config.update(model_type="evil"))
        with pytest.raises(InputError, match="custom code"):
            SEDForAudioFrameClassification.from_encoder(str(folder))
        with pytest.raises(InputError, match="custom code"):
            from_classifier(str(folder))
    else:
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
        refused(folder, "LoRA adapter")
    assert not (tmp_path / "ran").exists()


def test_a_pickled_encoder_is_read_as_tensors_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    encoder = small_model().encoder
    encoder.save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / WEIGHTS).unlink()
    torch.save(encoder.state_dict(), tmp_path / "encoder" / "pytorch_model.bin")
    loaded = SEDForAudioFrameClassification.from_encoder("encoder")
    assert type(loaded.encoder) is WavLMModel
    (tmp_path / "encoder" / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match=r"transformers cannot make a model of encoder \(UnpicklingError"):
        SEDForAudioFrameClassification.from_encoder("encoder")
    assert not (tmp_path / "ran").exists()


def test_no_code_of_ours_unpickles_or_trusts():
    """`torch.load` is called with weights_only, YAML is read as data, and remote code is nowhere asked for."""
    reading = re.compile(r"\b(?:pickle|dill|joblib|shelve|marshal|torch|yaml)\.\w*(?:load|open)\w*\(.*")
    safe = re.compile(r"weights_only=True|yaml\.load\(.*, Loader=loader\)")  # a DataLoader, of yaml_files.py
    for room in ("modeling_sed", "dataset_scripts", "metrics"):
        for path in (REPOSITORY / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert [call for call in reading.findall(text) if not safe.search(call)] == [], path
            if "endpoint" in path.parts:  # a program that runs beside the model that was pushed with it, for its owner
                continue
            code = "".join(token.string for token in tokens(text) if token.type not in (STRING, COMMENT))
            assert "trust_remote_code=True" not in code, path


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
OWN = ("id2label", "labels", "neutral_label", "sampling_rate", "decoder", "posterior_temperature", "dtype")
OWN += ("use_weighted_layer_sum", "normalize_waveform", "classifier_bias", "encoder_config", "attn_implementation")
OF_ENCODER = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "conv_dim", "conv_kernel")
OF_ENCODER += ("conv_stride", "num_labels", "id2label", "hidden_act", "feat_extract_norm", "layer_norm_eps", "dtype")
OF_ENCODER += ("num_conv_pos_embeddings", "num_conv_pos_embedding_groups", "model_type", "per_layer_config")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(OWN), VALUES, max_size=2),
    st.dictionaries(st.sampled_from(OF_ENCODER), VALUES, max_size=2),
)
def test_any_values_are_a_configuration_or_an_error_of_ours(own: dict, of_encoder: dict):
    try:
        config = SEDConfig.from_dict({"encoder_config": {"model_type": "wavlm", **SMALL_ENCODER, **of_encoder}, **own})
        with torch.device("meta"):
            SEDForAudioFrameClassification(config)
    except InputError:
        pass
