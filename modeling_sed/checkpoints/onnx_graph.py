"""A trained model rewritten for exporters: raw audio in, posteriors out, one graph for every length.

The results stay the same; some are computed in another way, which suits a graph better:

- WavLM's position bias (see fast_encoder/wavlm_attention.py) is written out for all pairs of frames, once, and shared
  by the layers; no loop depends on the length.
- What the feature extractor computes is part of the graph (onnx_features.py).
- A strided convolution over the waveform becomes a matrix product of the samples under its kernel, laid side by side.
  Layer norms then need no transposition, and quantisation finds only matrix products.
- Whisper's positions are a table for recordings of up to the longest window.
- Weights that are computed from others (weight norm) are computed at export.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from ..fast_encoder.wavlm_attention import merge_heads, position_gates, position_table, project_heads
from ..modeling_sed import SEDForAudioFrameClassification
from ..whisper_encoder_sed import sinusoids
from .onnx_features import features_in_graph


class PosteriorsOfRawAudio(nn.Module):
    """What an exported graph computes. Changes the model, which can neither be trained nor saved afterwards.

    Args:
        model: in evaluation mode.
        feature_extractor: of the model.
        longest: samples of the longest recording that the graph has to take.
    """

    def __init__(self, model: SEDForAudioFrameClassification, feature_extractor: Any, longest: int):
        super().__init__()
        self.model, self.features = model, features_in_graph(feature_extractor)
        for module in list(model.modules()):
            if isinstance(module, WavLMAttention):
                module.forward = MethodType(_dense_attention, module)  # type: ignore[method-assign]  # on purpose
            if is_parametrized(module, "weight"):
                remove_parametrizations(module, "weight")
        encoder: Any = model.encoder  # families differ in what they have
        if hasattr(encoder, "feature_extractor"):
            encoder.feature_extractor = _ConvolutionsAsProducts(encoder.feature_extractor.conv_layers)
        if hasattr(encoder, "embed_positions"):
            frames, known = int(model.config.geometry.frame_count(longest)), encoder.embed_positions.weight
            table = torch.cat([known, sinusoids(frames, known.shape[1])[len(known) :]])
            encoder.embed_positions = nn.Embedding.from_pretrained(table)

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        """``(1, samples)`` raw audio -> ``(1, frames, labels)`` posteriors."""
        inputs = {self.model.config.encoder_family.input_name: self.features(input_values)}
        return self.model(**inputs).logits.softmax(dim=-1)


def _dense_attention(
    self: WavLMAttention,
    hidden_states: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    position_bias: torch.Tensor | None = None,
    index: int = 0,
    **kwargs: Any,
) -> tuple[torch.Tensor, None, torch.Tensor]:
    """`WavLMAttention.forward` with all pairs of frames at once; ``position_bias`` is ``(heads, frames, frames)``."""
    if position_bias is None:
        position_bias = _position_bias(self, hidden_states.shape[1])
    queries, keys, values = project_heads(self, hidden_states)
    bias = position_gates(self, hidden_states) * position_bias
    return merge_heads(self, scaled_dot_product_attention(queries, keys, values, attn_mask=bias)), None, position_bias


def _position_bias(attention: WavLMAttention, frames: int) -> torch.Tensor:
    farthest = attention.max_distance  # greater distances share its entry, so a table of fixed size holds all
    table = position_table(attention, farthest + 1)
    positions = torch.arange(frames)
    distances = (positions[:, None] - positions).clamp(-farthest, farthest)
    return table[:, distances + farthest]


class _ConvolutionsAsProducts(nn.Module):
    """The encoder's convolutions over the waveform, with features last."""

    def __init__(self, layers: nn.ModuleList):
        super().__init__()
        self.layers = layers
        layer: Any  # for torch, a module; transformers' layers have conv, activation and, some of them, layer_norm
        for layer in layers:
            layer.conv = _ConvolutionAsProduct(layer.conv)

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        """``(batch, samples) -> (batch, features, frames)``"""
        hidden = input_values.unsqueeze(-1)
        layer: Any
        for layer in self.layers:
            hidden = layer.conv(hidden)
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                hidden = norm(hidden.transpose(1, 2)).transpose(1, 2)
            elif norm is not None:
                hidden = norm(hidden)
            hidden = layer.activation(hidden)
        return hidden.transpose(1, 2)


class _ConvolutionAsProduct(nn.Module):
    """An unpadded convolution of ``(batch, time, features)``."""

    def __init__(self, convolution: nn.Conv1d):
        super().__init__()
        outputs, inputs, self.kernel = convolution.weight.shape
        (self.stride,) = convolution.stride
        weight = convolution.weight.detach().permute(2, 1, 0).reshape(self.kernel * inputs, outputs)
        self.weight, self.bias = nn.Parameter(weight.contiguous()), convolution.bias

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        under_kernel = [hidden[:, tap : (tap - self.kernel + 1) or None : self.stride] for tap in range(self.kernel)]
        products = torch.cat(under_kernel, dim=-1) @ self.weight
        return products if self.bias is None else products + self.bias
