"""The encoder of w2v-BERT 2.0 (arXiv 2312.05187)."""

from __future__ import annotations

from typing import Any

import numpy as np
from transformers import PreTrainedConfig, SeamlessM4TFeatureExtractor
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor

from .encoders_sed import EncoderFamily


class Wav2Vec2BertFamily(EncoderFamily):
    """w2v-BERT 2.0: a step is two frames of a filter bank (25 ms long, 10 ms apart) side by side, and gives a frame."""

    input_name = "input_features"
    feature_kernel = (400, 2)
    feature_stride = (160, 2)

    def convolutions(self, config: PreTrainedConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (), ()

    def new_feature_extractor(self, config: PreTrainedConfig) -> SequenceFeatureExtractor:
        return SeamlessM4TFeatureExtractor()

    def extract(
        self, feature_extractor: SequenceFeatureExtractor, waveform: np.ndarray, sampling_rate: int
    ) -> np.ndarray:
        found = feature_extractor(waveform, sampling_rate=sampling_rate, return_attention_mask=True)
        return np.asarray(found[self.input_name][0])[np.asarray(found["attention_mask"][0]) == 1]  # half a step is none

    def freeze_feature_encoder(self, encoder: Any) -> None:
        encoder.feature_projection.requires_grad_(False)
