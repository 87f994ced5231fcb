"""attn_implementation, output_attentions and output_hidden_states: true of every encoder, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioFrameClassification

from modeling_sed import InputError, SEDForAudioFrameClassification
from tests.conftest import SMALL_FEATURE_ENCODERS, save_model, small_model

FAMILIES = ["wavlm", "wav2vec2", "hubert", *SMALL_FEATURE_ENCODERS]
LAYERS, HEADS, FEATURES = 2, 4, 32


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(small_model(request.param), tmp_path_factory.mktemp(request.param))


def opened(folder: Path, **options: object) -> SEDForAudioFrameClassification:
    return AutoModelForAudioFrameClassification.from_pretrained(folder, **options).eval()


def inputs(folder: Path) -> dict[str, torch.Tensor]:
    """What the model takes for half a second."""
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    samples = torch.randn(8_000, generator=torch.Generator().manual_seed(0)).numpy()
    family = opened(folder).encoder_family
    return {family.input_name: torch.from_numpy(family.extract(extractor, samples, 16_000))[None]}


def has_sdpa(folder: Path) -> bool:
    """It is the default where there is one: everywhere but, in older versions of transformers, for w2v-BERT."""
    found = opened(folder).config._attn_implementation == "sdpa"
    assert found or folder.name.startswith("wav2vec2-bert")
    return found


@torch.no_grad()
def test_all_implementations_compute_the_same(folder: Path):
    given = inputs(folder)
    expected = opened(folder)(**given).logits
    if not has_sdpa(folder):
        with pytest.raises(ValueError, match=r"attn_implementation=.?.eager"):
            opened(folder, attn_implementation="sdpa")
        return
    for name, other in (("eager", "sdpa"), ("sdpa", "eager")):
        model = opened(folder, attn_implementation=name)
        assert model.config._attn_implementation == name
        torch.testing.assert_close(model(**given).logits, expected, atol=1e-5, rtol=0)
        model.set_attn_implementation(other)
        torch.testing.assert_close(model(**given).logits, expected, atol=1e-5, rtol=0)


def test_flash_attention_is_refused_where_it_is_not(folder: Path):
    with pytest.raises((ValueError, ImportError), match=r"[Ff]lash"):  # nor is its library installed for the others
        opened(folder, attn_implementation="flash_attention_2")


def test_wavlm_has_no_sdpa_without_this_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = save_model(small_model(), tmp_path)
    monkeypatch.setattr(SEDForAudioFrameClassification, "accelerate_encoder", None)
    assert opened(folder).config._attn_implementation == "eager"
    with pytest.raises(ValueError, match=r"attn_implementation=.?.eager"):
        opened(folder, attn_implementation="sdpa")


@torch.no_grad()
def test_hidden_states(folder: Path):
    states = opened(folder)(**inputs(folder), output_hidden_states=True).hidden_states
    assert len(states) == LAYERS + 1 and all(state.shape[-1] == FEATURES for state in states)
    configured = opened(folder, output_hidden_states=True)(**inputs(folder)).hidden_states
    torch.testing.assert_close(configured, states)
    assert opened(folder)(**inputs(folder)).hidden_states is None


@torch.no_grad()
def test_attention_weights_are_true_or_refused(folder: Path):
    given = inputs(folder)
    if has_sdpa(folder):
        with pytest.raises(InputError, match='attn_implementation="eager"'):
            opened(folder)(**given, output_attentions=True)
    model = opened(folder, attn_implementation="eager")
    assert model(**given).attentions is None
    if model.config.encoder_config.model_type == "whisper":
        with pytest.raises(InputError, match="encoders of type whisper give none"):
            model(**given, output_attentions=True)
        return
    outputs = model(**given, output_attentions=True)
    frames = outputs.logits.shape[1]
    assert [tuple(weights.shape) for weights in outputs.attentions] == [(1, HEADS, frames, frames)] * LAYERS
    for weights in outputs.attentions:
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(1, HEADS, frames))
