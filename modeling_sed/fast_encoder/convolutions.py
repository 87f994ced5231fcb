"""The encoder's convolutions over the waveform on CPUs: as matrix products, features last, a stretch at a time.

transformers keeps features first, which suits `conv1d`, but makes every layer norm transpose its input and its output
back; and it computes a layer for the whole utterance before the next, each time into newly allocated memory, which
takes longer than the computation itself. Here

- frames are rows, and a convolution of stride ``s`` is a sum of matrix products: ``s`` neighbouring rows are read as
  one row of a matrix, without a copy, and there is one product for every ``s`` rows of the kernel;
- all layers are computed for one stretch of the utterance, which fits into the processor's cache, before the next. A
  frame depends on its receptive field only, so stretches that overlap by this give the same result as the whole
  utterance, and the memory needed does not grow with its length.

With gradients of the convolutions, with mixed precision and on other devices, transformers' code runs.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Protocol, cast

import torch
from torch import nn
from torch.nn.functional import linear
from transformers.models.hubert.modeling_hubert import HubertFeatureEncoder
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder
from transformers.models.wavlm.modeling_wavlm import WavLMFeatureEncoder

from ..frames_sed import FrameGeometry

FeatureEncoder = WavLMFeatureEncoder | Wav2Vec2FeatureEncoder | HubertFeatureEncoder
FRAMES_AT_ONCE = 100  # 2 s: the widest layer has 13 MiB


def use_stretchwise_convolutions(encoder: nn.Module) -> None:
    """Makes an encoder compute its convolutions in stretches; its weights do not change."""
    for module in encoder.modules():
        if isinstance(module, FeatureEncoder):
            module.forward = MethodType(forward, module)  # type: ignore[method-assign]  # on purpose


class ConvolutionLayer(Protocol):
    """A layer of a feature encoder of transformers; some have a ``layer_norm``, too."""

    conv: nn.Conv1d
    activation: Callable[[torch.Tensor], torch.Tensor]

    def __call__(self, hidden: torch.Tensor, /) -> torch.Tensor: ...


def forward(self: FeatureEncoder, input_values: torch.Tensor) -> torch.Tensor:
    """What a feature encoder of transformers computes: ``(batch, samples) -> (batch, features, frames)``."""
    learning = torch.is_grad_enabled() and (self._requires_grad or input_values.requires_grad)
    if (
        learning
        or input_values.device.type != "cpu"
        or torch.is_autocast_enabled("cpu")
        or torch.compiler.is_compiling()
        or any(type(layer.conv) is not nn.Conv1d for layer in self.conv_layers)  # an adapter, for example
    ):
        return type(self).forward(self, input_values)  # type: ignore[arg-type]  # each has its own class
    hidden = input_values[:, None]
    layers = cast(list[ConvolutionLayer], list(self.conv_layers))  # for torch, any modules
    if isinstance(getattr(layers[0], "layer_norm", None), nn.GroupNorm):  # over time: needs the whole utterance
        hidden = layers.pop(0)(hidden)
    rows = torch.stack([_in_stretches(layers, utterance) for utterance in hidden.transpose(1, 2).contiguous()])
    return rows.transpose(1, 2)


def _in_stretches(layers: list[ConvolutionLayer], hidden: torch.Tensor) -> torch.Tensor:
    """``(time, features) -> (frames, features)``, for layers that depend on nothing beyond their receptive field."""
    geometry = FrameGeometry(
        tuple(layer.conv.kernel_size[0] for layer in layers), tuple(layer.conv.stride[0] for layer in layers)
    )
    frames, hop = geometry.frame_count(len(hidden)), geometry.hop
    matrices = [layer.conv.weight.permute(2, 1, 0).flatten(0, 1) for layer in layers]  # (kernel * features, features)
    found = hidden.new_empty(frames, matrices[-1].shape[1])
    for first in range(0, frames, FRAMES_AT_ONCE):
        last = min(first + FRAMES_AT_ONCE, frames)
        stretch = hidden[first * hop : (last - 1) * hop + geometry.receptive_field]
        for layer, matrix in zip(layers, matrices, strict=True):
            stretch = _convolve(stretch, matrix, layer.conv)
            if hasattr(layer, "layer_norm"):
                stretch = layer.layer_norm(stretch)
            stretch = layer.activation(stretch)
        found[first:last] = stretch
    return found


def _convolve(hidden: torch.Tensor, matrix: torch.Tensor, convolution: nn.Conv1d) -> torch.Tensor:
    """``(time, features) -> (frames, features)``."""
    (kernel,), (stride,), features = convolution.kernel_size, convolution.stride, hidden.shape[1]
    frames = (len(hidden) - kernel) // stride + 1
    for tap in range(0, kernel, stride):  # the rows at tap, tap + 1, … below stride, of every frame
        width = min(stride, kernel - tap) * features
        rows = hidden[tap:].as_strided((frames, width), (stride * features, 1))
        part = matrix[tap * features :][:width]
        if tap == 0:
            products = linear(rows, part.t(), convolution.bias)
        else:
            products.addmm_(rows, part)
    return products
