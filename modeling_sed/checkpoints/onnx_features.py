"""The feature extractors of transformers as modules that exporters can follow: raw audio in, the encoder's input out.

A frame's spectrum is linear in its samples, whatever comes before (windows, pre-emphasis), so it is one convolution,
whose kernel is computed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import SeamlessM4TFeatureExtractor, WhisperFeatureExtractor

from ..frames_sed import InputError
from ..modeling_sed import utterance_layer_norm

WAVEFORM_EPSILON = 1e-7  # of transformers' Wav2Vec2FeatureExtractor
KALDI_SCALE = 2.0**15  # Kaldi's samples are 16 bit integers
PREEMPHASIS = 0.97


def features_in_graph(feature_extractor: Any) -> nn.Module:
    """A module that computes ``(1, samples)`` raw audio -> what a feature extractor of a model returns.

    Raises:
        InputError: for options of a feature extractor that are not supported.
    """
    if isinstance(feature_extractor, WhisperFeatureExtractor):
        return WhisperFeatures(feature_extractor)
    if isinstance(feature_extractor, SeamlessM4TFeatureExtractor):
        return FilterBankPairs(feature_extractor)
    return NormalizedWaveform() if feature_extractor.do_normalize else nn.Identity()


class NormalizedWaveform(nn.Module):
    """`Wav2Vec2FeatureExtractor`."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        return utterance_layer_norm(waveform.unsqueeze(-1), None, WAVEFORM_EPSILON).squeeze(-1)


class WhisperFeatures(nn.Module):
    """`WhisperFeatureExtractor` without padding to 30 s: ``(1, mel bands, samples // hop)``, for more samples than half
    a frame has."""

    def __init__(self, feature_extractor: Any):
        super().__init__()
        if getattr(feature_extractor, "do_normalize", False):
            raise InputError("The feature extractor has do_normalize, which cannot be exported.")
        size = feature_extractor.n_fft
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
        self.margin = size // 2
        self.power = PowerSpectrum(np.diag(hann), size, feature_extractor.hop_length)
        self.register_buffer("filters", torch.tensor(feature_extractor.mel_filters.T, dtype=torch.float32))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        mirrored = nn.functional.pad(waveform, (self.margin, self.margin), mode="reflect")
        logarithms = (self.filters @ self.power(mirrored)[..., :-1]).clamp(min=1e-10).log10()
        return (torch.maximum(logarithms, logarithms.max() - 8.0) + 4.0) / 4.0


class FilterBankPairs(nn.Module):
    """`SeamlessM4TFeatureExtractor`: Kaldi's filter bank, normalised over time, ``(1, steps, 2 * mel bands)``."""

    def __init__(self, feature_extractor: Any):
        super().__init__()
        size = len(feature_extractor.window)
        without_mean = np.eye(size) - 1 / size
        emphasis = np.eye(size) - PREEMPHASIS * np.eye(size, k=-1)
        emphasis[0, 0] = 1 - PREEMPHASIS
        frame = KALDI_SCALE * np.diag(feature_extractor.window) @ emphasis @ without_mean
        self.power = PowerSpectrum(frame, 512, 160)
        self.register_buffer("filters", torch.tensor(feature_extractor.mel_filters.T, dtype=torch.float32))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        logarithms = (self.filters @ self.power(waveform)).clamp(min=torch.finfo(torch.float32).eps).log()
        variance = logarithms.var(dim=-1, keepdim=True)
        normalized = (logarithms - logarithms.mean(dim=-1, keepdim=True)) / (variance + 1e-7).sqrt()
        pairs = normalized.shape[-1] // 2
        return normalized[..., : 2 * pairs].transpose(1, 2).reshape(1, pairs, -1)


class PowerSpectrum(nn.Module):
    """``(1, samples) -> (1, bins, frames)``, of frames that lie within the samples."""

    def __init__(self, frame: np.ndarray, size: int, hop: int):
        """
        Args:
            frame: ``(samples, samples)``, what is done to the samples of a frame before its spectrum is computed.
            size: of the Fourier transform.
            hop: samples from one frame to the next.
        """
        super().__init__()
        angles = 2 * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(len(frame))) / size
        kernel = np.concatenate([np.cos(angles), np.sin(angles)]) @ frame
        self.register_buffer("kernel", torch.tensor(kernel[:, None], dtype=torch.float32))
        self.hop = hop

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        cosine, sine = nn.functional.conv1d(waveform[:, None], self.kernel, stride=self.hop).chunk(2, dim=1)
        return cosine.square() + sine.square()
