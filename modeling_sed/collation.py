"""Annotated utterances of a dataset -> padded batches with frame labels, for training and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import FeatureExtractionMixin

from .audio_sed import load_recording
from .configuration_sed import SEDConfig
from .modeling_sed import IGNORED_LABEL


class FrameLabelCollator:
    """Makes batches of rows with the columns ``id``, ``audio`` and ``segments`` (see dataset_scripts/sed.py).

    Args:
        feature_extractor: normalises and pads waveforms.
        config: of the model that the batches are for.
    """

    def __init__(self, feature_extractor: FeatureExtractionMixin, config: SEDConfig):
        self.feature_extractor = feature_extractor
        self.config = config

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch of utterances.

        Returns:
            ``input_values`` and ``attention_mask`` ``(batch, samples)``, and ``labels`` ``(batch, frames)`` with -100
            where there is padding.

        Raises:
            ValueError: for an utterance that cannot be used, naming it: its audio is bad or shorter than a frame, or
                its segments have a label that the model does not know or impossible times.
        """
        geometry = self.config.geometry
        waveforms, labels = [], []
        for row in rows:
            try:
                waveform = load_recording(row["audio"], geometry.sampling_rate).waveform
                frame_labels = geometry.rasterize(
                    row["segments"], len(waveform), self.config.labels, self.config.neutral_label
                )
            except ValueError as error:
                raise ValueError(f"Utterance {row['id']!r}: {error}") from error
            waveforms.append(waveform)
            labels.append(torch.from_numpy(frame_labels))
        batch = self.feature_extractor(
            waveforms,
            sampling_rate=geometry.sampling_rate,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=IGNORED_LABEL)
        return dict(batch)
