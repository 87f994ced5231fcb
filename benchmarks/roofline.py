"""The least time that a model needs on a machine: its arithmetic and its traffic, over what the machine can do.

What a forward pass multiplies and moves follows from the encoder's configuration; what the machine can do is measured
with a matrix product and a copy. No implementation of the same computation is faster than the slower of the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig


@dataclass(frozen=True)
class Work:
    """Of one forward pass: floating point operations, and bytes that must be moved at least."""

    operations: float
    bytes: float


def encoder_work(config: PreTrainedConfig, samples: int, bytes_per_number: int = 4) -> Work:
    """Work for one unpadded utterance with exact attention over all of it.

    Matrix products and convolutions are counted (2 operations for a multiplication with addition); of the traffic, each
    weight once, and what every convolution and every half of a layer (attention, feed-forward) reads and writes once.

    Args:
        config: of the encoder.
        samples: length of the utterance.
        bytes_per_number: 4 for fp32.
    """
    operations = weights = numbers = 0
    frames, channels = samples, 1
    for width, kernel, stride in zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True):
        numbers += frames * channels
        frames = (frames - kernel) // stride + 1
        operations += 2 * frames * width * channels * kernel
        weights += width * channels * kernel
        numbers += frames * width
        channels = width
    hidden, feed_forward, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    position_weights = config.num_conv_pos_embeddings * hidden * hidden // config.num_conv_pos_embedding_groups
    weights += channels * hidden + position_weights + layers * (4 * hidden * hidden + 2 * hidden * feed_forward)
    operations += 2 * frames * (channels * hidden + position_weights)
    operations += layers * 2 * frames * (4 * hidden * hidden + 2 * hidden * feed_forward)  # linear maps
    operations += layers * 2 * 2 * frames * frames * hidden  # scores, and the values that they weigh
    numbers += (layers * 2 * 2 + 4) * frames * hidden
    return Work(operations, bytes_per_number * (weights + numbers))


@dataclass(frozen=True)
class Machine:
    """What was measured: floating point operations, and bytes copied (read and written), a second."""

    operations: float
    bytes: float

    @classmethod
    def measure(cls, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Machine:
        """The best of several tries each; a second or two."""
        size = 2048 if device == "cpu" else 8192
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        source = torch.zeros(2**26, device=device)  # 256 MiB
        target = torch.empty_like(source)
        return cls(
            2 * size**3 / _least_seconds(lambda: left @ right, device),
            2 * source.numel() * 4 / _least_seconds(lambda: target.copy_(source), device),
        )

    def least_seconds(self, work: Work) -> float:
        """The roofline: no less time is possible."""
        return max(work.operations / self.operations, work.bytes / self.bytes)


def _least_seconds(run: Callable[[], object], device: str, tries: int = 8) -> float:
    best = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        run()
        if device != "cpu":
            torch.accelerator.synchronize()
        best = min(best, time.perf_counter() - start)
    return best
