"""WavLM's attention in blocks: what transformers' own computes, in training and for padded batches, too."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._dynamo.testing import CompileCounter
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from modeling_sed import SEDConfig, SEDForAudioFrameClassification
from modeling_sed.fast_encoder import wavlm_attention
from modeling_sed.fast_encoder.wavlm_attention import use_blockwise_attention
from tests.conftest import small_model


def random_weights(module: torch.nn.Module) -> torch.nn.Module:
    """Weights with which gates and positions matter."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator))
    return module


def pair(dropout: float = 0.0) -> tuple[WavLMAttention, WavLMAttention]:
    """The same attention twice: as transformers computes it, and in blocks."""
    eager = random_weights(WavLMAttention(24, 3, dropout=dropout, num_buckets=32, max_distance=40))
    blockwise = deepcopy(eager)
    use_blockwise_attention(blockwise, SEDConfig())
    return eager.double(), blockwise.double()  # so that what differs is the computation, not the rounding


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wavlm_attention, "QUERIES_AT_ONCE", 16)
    monkeypatch.setattr(wavlm_attention, "PAIRS_OF_HEAD_AND_QUERY", 32)


@given(frames=st.integers(1, 70), lengths=st.lists(st.integers(1, 70), min_size=1, max_size=3), masked=st.booleans())
@settings(deadline=None, max_examples=60)
def test_it_is_exact(frames: int, lengths: list[int], masked: bool):
    eager, blockwise = pair()
    generator = torch.Generator().manual_seed(frames)
    hidden = torch.randn(len(lengths), frames, 24, generator=generator, dtype=torch.float64)
    lengths = [min(length, frames) for length in lengths]
    mask = torch.tensor([[1] * n + [0] * (frames - n) for n in lengths]) if masked else None
    with torch.no_grad():
        expected, _, _ = eager(hidden, mask)
        actual, weights, table = blockwise(hidden, mask)
        again, _, _ = blockwise(hidden, mask, table)  # as in further layers
    assert weights is None
    torch.testing.assert_close(actual, expected, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(again, actual)


def test_gradients_are_the_same():
    eager, blockwise = pair()
    hidden = torch.randn(2, 40, 24, dtype=torch.float64)
    mask = torch.tensor([[1] * 40, [1] * 23 + [0] * 17])
    gradients = []
    for attention in (eager, blockwise):
        inputs = hidden.clone().requires_grad_()
        attention(inputs, mask)[0][mask.bool()].square().sum().backward()
        gradients.append({"inputs": inputs.grad, **{name: p.grad for name, p in attention.named_parameters()}})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-8, rtol=1e-8, msg=name)


@pytest.mark.parametrize("name", ["q_proj", "k_proj", "v_proj", "rel_attn_embed"])
def test_one_part_learns_alone(name: str):
    gradients = []
    for attention in pair():
        attention.requires_grad_(False)
        part = getattr(attention, name).requires_grad_()
        attention(torch.ones(1, 40, 24, dtype=torch.float64).cumsum(1).sin())[0].square().sum().backward()
        gradients.append(part.weight.grad)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-8, rtol=1e-8)


def test_dropout_is_applied_in_training_only():
    eager, blockwise = pair(dropout=0.3)
    hidden = torch.randn(1, 50, 24, dtype=torch.float64)
    with torch.no_grad():
        mean = torch.stack([blockwise.train()(hidden)[0] for _ in range(1000)]).mean(0)
    assert not torch.equal(blockwise(hidden)[0], blockwise(hidden)[0])
    with torch.no_grad():
        expected = eager.eval()(hidden)[0]
        torch.testing.assert_close(blockwise.eval()(hidden)[0], expected)
    assert (mean - expected).norm() < 0.1 * expected.norm()  # dropout keeps the mean


def is_blockwise(model: SEDForAudioFrameClassification) -> bool:
    (forward,) = {module.forward.__func__ for module in model.modules() if isinstance(module, WavLMAttention)}
    return forward is wavlm_attention.forward


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_it_is_the_default_and_eager_on_request(norm: str, tmp_path: Path):
    model = random_weights(small_model(feat_extract_norm=norm))
    assert is_blockwise(model) and is_blockwise(deepcopy(model))
    model.save_pretrained(tmp_path)
    loaded = SEDForAudioFrameClassification.from_pretrained(tmp_path)
    eager = SEDForAudioFrameClassification.from_pretrained(tmp_path, attn_implementation="eager")
    waves = torch.randn(2, 20_000)
    mask = torch.ones_like(waves).long()
    mask[1, 9_000:] = 0
    frames = model.config.geometry.frame_count(9_000)
    with torch.no_grad():
        first, second = loaded(waves, mask).logits, eager(waves, mask).logits
        assert not torch.equal(first, second)  # two computations, one result
        torch.testing.assert_close(first[0], second[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(first[1, :frames], second[1, :frames], atol=1e-4, rtol=1e-4)
        loaded.set_attn_implementation("eager")
        torch.testing.assert_close(loaded(waves, mask).logits, second, atol=0, rtol=0)
        loaded.set_attn_implementation("sdpa")
        torch.testing.assert_close(loaded(waves, mask).logits, first, atol=0, rtol=0)


def test_adapters_have_an_effect():
    """transformers' attention reads the weights of its projections without calling them; this one calls them."""
    model = small_model()
    called = []
    for name, module in model.named_modules():
        if name.endswith("q_proj"):
            module.register_forward_hook(lambda *_: called.append(1))
    with torch.no_grad():
        model(torch.randn(1, 8_000))
    assert len(called) == 2


def test_no_full_matrix_is_made(monkeypatch: pytest.MonkeyPatch):
    """The largest tensor of pairs holds a block of queries of some heads."""
    _, blockwise = pair()
    sizes = []
    attend = wavlm_attention.scaled_dot_product_attention

    def watch(queries, keys, values, attn_mask, dropout_p):
        sizes.append((queries.shape[2], attn_mask.numel()))
        return attend(queries, keys, values, attn_mask=attn_mask, dropout_p=dropout_p)

    monkeypatch.setattr(wavlm_attention, "scaled_dot_product_attention", watch)
    with torch.no_grad():
        blockwise(torch.randn(1, 100, 24, dtype=torch.float64))
    two_heads = [(16, 2 * 16 * 100)] * 6 + [(4, 2 * 4 * 100)]
    one_head = [(16, 16 * 100)] * 6 + [(4, 4 * 100)]
    assert sizes == two_heads + one_head


def test_compiled_models_take_any_length():
    """Compiled anew for some lengths at first, then for none; what is computed stays the same."""
    model, compiled, counter = small_model(), small_model(), CompileCounter()
    compiled.compile(backend=counter)
    compilations = []
    with torch.no_grad():
        for samples in (16_000, 17_000, 20_000, 25_000, 31_000, 9_000, 40_000, 12_345, 33_333, 15_000, 18_001):
            waveform = torch.randn(1, samples, generator=torch.Generator().manual_seed(samples))
            torch.testing.assert_close(compiled(waveform).logits, model(waveform).logits, atol=1e-4, rtol=1e-4)
            compilations.append(counter.frame_count)
    assert compilations[-1] == compilations[5] <= 9  # torch 2.13: 6
