"""Annotated utterances of a dataset -> padded batches with frame labels, for training and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor

from ..annotations.dataset_rows import as_segments, row_audio
from ..audio_sed import load_recording
from ..configuration_sed import SEDConfig
from ..encoders_sed import pad_inputs
from ..frames_sed import InputError
from ..modeling_sed import IGNORED_LABEL
from .augmentation import Augmentation
from .soft_targets import SoftTargets


@dataclass(frozen=True)
class SEDDataCollator:
    """Makes batches of rows with the columns ``name``, ``audio`` and ``segments`` (see dataset_scripts/sed.py).

    ``Trainer(data_collator=...)`` takes it, too, if TrainingArguments have ``remove_unused_columns=False``.

    Attributes:
        feature_extractor: of the model.
        config: of the model that the batches are for.
        augmentation: changes waveforms and segments; None leaves them as they are.
        soft_targets: makes probabilities of frame labels; None leaves the labels as they are.
        epoch: utterances are augmented differently in each epoch.
        folders: where files that rows name have to be, as `row_audio` takes them.
    """

    feature_extractor: SequenceFeatureExtractor
    config: SEDConfig
    augmentation: Augmentation | None = None
    soft_targets: SoftTargets | None = None
    epoch: int = 0
    folders: Sequence[Path | str] = ()

    def __call__(self, rows: Sequence[Mapping[str, Any]], counts: bool = True) -> dict[str, torch.Tensor]:
        """A batch of utterances.

        Args:
            rows: the utterances.
            counts: whether the utterances count: if not, no frame has a label, and the batch adds nothing to the loss.

        Returns:
            What the model takes: ``input_values (batch, samples)`` or ``input_features``, ``attention_mask``, and
            ``labels (batch, frames)`` with -100 where there is padding; with soft targets ``(batch, frames, labels)``
            with 0 there.

        Raises:
            InputError: if a column is missing, or for an utterance that cannot be used, naming it: its audio is
                unreadable or shorter than a frame, or its segments have a label that the model does not know or
                impossible times.
        """
        geometry, family = self.config.geometry, self.config.encoder_family
        inputs, label_rows = [], []
        for row in rows:
            if missing := [name for name in ("name", "audio", "segments") if name not in row]:
                raise InputError(
                    f"Rows need the columns name, audio and segments; {', '.join(missing)} is missing (with "
                    "transformers' Trainer, set remove_unused_columns=False)."
                )
            try:
                waveform = load_recording(row_audio(row["audio"], self.folders), geometry.sampling_rate).waveform
                segments = as_segments(row["segments"])
                if self.augmentation:
                    waveform, segments = self.augmentation(waveform, segments, f"{self.epoch}/{row['name']}")
                frame_labels = geometry.rasterize(
                    segments, len(waveform), self.config.labels, self.config.neutral_label
                )
            except InputError as error:
                raise InputError(f"Utterance {row['name']!r}: {error}") from error
            inputs.append(family.extract(self.feature_extractor, waveform, geometry.sampling_rate))
            if self.soft_targets:
                frame_labels = self.soft_targets(
                    frame_labels, len(self.config.labels), geometry.hop / geometry.sampling_rate
                )
            label_rows.append(torch.from_numpy(frame_labels))
        padded, attention_mask = pad_inputs(inputs, family.time_axis)
        no_label = 0 if self.soft_targets else IGNORED_LABEL
        labels = torch.nn.utils.rnn.pad_sequence(label_rows, batch_first=True, padding_value=no_label)
        return {
            family.input_name: padded,
            "attention_mask": attention_mask,
            "labels": labels if counts else torch.full_like(labels, no_label),
        }
