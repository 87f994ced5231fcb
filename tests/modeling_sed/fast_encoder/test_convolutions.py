"""The convolutions over the waveform in stretches: what transformers' own compute."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

from modeling_sed.fast_encoder import convolutions
from modeling_sed.fast_encoder.convolutions import use_stretchwise_convolutions

MODELS = {"wavlm": (WavLMConfig, WavLMModel), "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model)}
MODELS["hubert"] = (HubertConfig, HubertModel)


@pytest.fixture(autouse=True)
def _small_stretches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(convolutions, "FRAMES_AT_ONCE", 7)


def pair(model_type: str = "wavlm", norm: str = "layer", **changes: object) -> tuple[nn.Module, nn.Module]:
    """The same feature encoder twice: transformers', and the one in stretches."""
    config_class, model_class = MODELS[model_type]
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = config_class(**shape, conv_dim=(4, 6, 8, 8, 8, 8, 10), feat_extract_norm=norm, **changes)
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        models.append(model_class(config).double().eval())  # so that what differs is the computation, not the rounding
    use_stretchwise_convolutions(models[1])
    own, stretchwise = (model.feature_extractor for model in models)
    assert stretchwise.forward.__func__ is convolutions.forward is not own.forward.__func__
    return own, stretchwise


@pytest.mark.parametrize("model_type", sorted(MODELS))
@pytest.mark.parametrize("norm", ["layer", "group"])
@pytest.mark.parametrize("bias", [False, True])
def test_every_encoder_is_exact(model_type: str, norm: str, bias: bool):
    own, stretchwise = pair(model_type, norm, conv_bias=bias)
    waves = torch.randn(3, 16_000, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(stretchwise(waves), own(waves), atol=1e-10, rtol=1e-10)


@given(st.integers(400, 12_000))
@settings(deadline=None, max_examples=30)
def test_every_length_is_exact(samples: int):
    own, stretchwise = pair()
    waves = torch.randn(1, samples, dtype=torch.float64, generator=torch.Generator().manual_seed(samples))
    with torch.no_grad():
        torch.testing.assert_close(stretchwise(waves), own(waves), atol=1e-10, rtol=1e-10)


@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(1, 4)).filter(lambda pair: pair[0] >= pair[1]), min_size=7, max_size=7
    )
)
@settings(deadline=None, max_examples=30)
def test_every_kernel_and_stride_is_exact(shapes: list[tuple[int, int]]):
    kernels, strides = zip(*shapes, strict=True)
    own, stretchwise = pair(conv_kernel=kernels, conv_stride=strides)
    waves = torch.randn(2, 40_000, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(stretchwise(waves), own(waves), atol=1e-10, rtol=1e-10)


def test_they_learn_as_in_transformers():
    own, stretchwise = pair()
    waves = torch.randn(1, 8_000, dtype=torch.float64)
    gradients = []
    for encoder in (own, stretchwise):
        encoder.train()(waves.clone()).square().sum().backward()
        gradients.append([parameter.grad for parameter in encoder.parameters()])
    torch.testing.assert_close(gradients[1], gradients[0])


def test_frozen_ones_keep_no_graph():
    _, stretchwise = pair()
    stretchwise._freeze_parameters()
    assert not stretchwise.train()(torch.randn(1, 8_000, dtype=torch.float64)).requires_grad


def test_an_adapter_in_a_convolution_is_heard():
    class Doubled(nn.Conv1d):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(hidden)

    own, stretchwise = pair()
    for encoder in (own, stretchwise):
        encoder.conv_layers[3].conv.__class__ = Doubled
    waves = torch.randn(1, 8_000, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(stretchwise(waves), own(waves))


def test_mixed_precision_is_that_of_transformers():
    own, stretchwise = (encoder.float() for encoder in pair())
    waves = torch.randn(1, 8_000)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found, expected = stretchwise(waves), own(waves)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, atol=0, rtol=0)
