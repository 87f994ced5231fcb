"""The encoder of Whisper (arXiv 2212.04356), for utterances of any length.

Whisper was trained on recordings of 30 s exactly, shorter ones padded, and transformers takes nothing else. But its
positions are fixed sinusoids, of which the first ones are used here, and everything else is the same for any length.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import dropout, gelu
from transformers import PreTrainedConfig, PreTrainedModel, WhisperFeatureExtractor, WhisperForAudioClassification
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_outputs import BaseModelOutput

from .encoders_sed import EncoderFamily, load_pretrained


class WhisperFamily(EncoderFamily):
    """The encoders of Whisper models.

    Its log-mel spectrogram is cut off at 8 below the *utterance's* maximum, and computed for each utterance alone.
    Frame ``j`` stands for ``20 * j`` to ``20 * (j + 1)`` ms; ``samples`` give ``ceil((samples // 160) / 2)`` frames.
    """

    input_name = "input_features"
    time_axis = 1  # features come first
    feature_kernel = (160,)
    feature_stride = (160,)
    unregularized: ClassVar[dict[str, Any]] = {"encoder_layerdrop": 0.0, "apply_spec_augment": False}
    adapted_layers = ("fc1", "fc2")
    window = 20.0

    def convolutions(self, config: PreTrainedConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (1, 1), (1, 2)  # both are padded so that they lose no steps

    def longest_input(self, config: PreTrainedConfig) -> float:
        return config.max_source_positions / 50  # frames a second

    def new_feature_extractor(self, config: PreTrainedConfig) -> SequenceFeatureExtractor:
        return WhisperFeatureExtractor(feature_size=config.num_mel_bins, return_attention_mask=True)

    def extract(
        self, feature_extractor: SequenceFeatureExtractor, waveform: np.ndarray, sampling_rate: int
    ) -> np.ndarray:
        least = feature_extractor.n_fft // 2 + 1  # samples that can be mirrored at the edges, as the spectrogram does
        waveform = np.pad(waveform, (0, max(0, least - len(waveform))))
        (features,) = feature_extractor(
            waveform, sampling_rate=sampling_rate, padding="do_not_pad", truncation=False, return_tensors="np"
        )[self.input_name]
        return features

    def new_encoder(self, config: PreTrainedConfig) -> PreTrainedModel:
        return WhisperForAudioClassification(config).encoder  # which has no decoder

    def load_encoder(self, name_or_path: str, config: PreTrainedConfig) -> PreTrainedModel:
        config.encoder_layers = config.num_hidden_layers  # in transformers 5.0 two values, later one
        return load_pretrained(WhisperForAudioClassification, name_or_path, config, prefix="encoder.").encoder

    def layers(self, encoder: Any) -> nn.ModuleList:
        return encoder.layers

    def freeze_feature_encoder(self, encoder: Any) -> None:
        encoder.conv1.requires_grad_(False)
        encoder.conv2.requires_grad_(False)

    def encode(
        self,
        encoder: Any,
        inputs: torch.Tensor,
        attention_mask: torch.Tensor | None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,  # the layers do not give them away
        **kwargs: Any,
    ) -> BaseModelOutput:
        """See `EncoderFamily.encode`; ``inputs`` are ``(batch, mel bands, steps)``."""
        config = encoder.config
        if encoder.training and config.apply_spec_augment:
            inputs = _mask_spectrogram(inputs, config)
        hidden = inputs if attention_mask is None else inputs * attention_mask[:, None].to(inputs.dtype)
        hidden = gelu(encoder.conv1(hidden))
        if attention_mask is not None:  # what the second convolution sees after the end must be 0, as its padding is
            hidden = hidden * attention_mask[:, None].to(hidden.dtype)
        hidden = gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + _positions(encoder, hidden.shape[1])
        hidden = dropout(hidden, p=encoder.dropout, training=encoder.training)

        layer_mask = None
        if attention_mask is not None:
            layer_mask = create_bidirectional_mask(config, hidden, attention_mask[:, ::2])
        states = [hidden]
        for layer in encoder.layers:
            if encoder.training and encoder.layerdrop > 0 and torch.rand(()) < encoder.layerdrop:
                states.append(hidden)
                continue
            output = layer(hidden, layer_mask, **kwargs)
            hidden = output[0] if isinstance(output, tuple) else output  # transformers 5.0: with attention weights
            states.append(hidden)
        states[-1] = hidden = encoder.layer_norm(hidden)
        return BaseModelOutput(last_hidden_state=hidden, hidden_states=tuple(states) if output_hidden_states else None)


def _positions(encoder: Any, frames: int) -> torch.Tensor:
    """The encoder's ``(frames, features)``; those beyond 30 s, which it has not learnt to use, by their formula."""
    known = encoder.embed_positions.weight
    if frames <= len(known):
        return known[:frames]
    return torch.cat([known, sinusoids(frames, known.shape[1])[len(known) :].to(known)])


def sinusoids(frames: int, features: int) -> torch.Tensor:
    """Whisper's positions ``(frames, features)``: sines, then cosines, of wavelengths from 2 pi to 20000 pi frames."""
    frequencies = torch.exp(-math.log(10_000) / (features // 2 - 1) * torch.arange(features // 2))
    angles = torch.arange(frames)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _mask_spectrogram(inputs: torch.Tensor, config: PreTrainedConfig) -> torch.Tensor:
    """SpecAugment (arXiv 1904.08779): masks stretches of steps and of mel bands ``(batch, mel bands, steps)``."""
    for axis, share, width in (
        (2, config.mask_time_prob, config.mask_time_length),
        (1, config.mask_feature_prob, config.mask_feature_length),
    ):
        size = inputs.shape[axis]
        starts = torch.rand(inputs.shape[0], size, device=inputs.device) < share / width  # a share of all is masked
        spread = nn.functional.max_pool1d(
            nn.functional.pad(starts.to(inputs.dtype)[:, None], (width - 1, 0)), width, stride=1
        )
        inputs = inputs.masked_fill(spread.bool() if axis == 2 else spread.bool().transpose(1, 2), 0.0)
    return inputs
