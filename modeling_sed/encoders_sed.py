"""What this package has to know of an encoder: `EncoderFamily`; and the families whose input is the waveform.

Other families are in files of their own; `encoder_families` in configuration_sed.py lists all.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel, Wav2Vec2FeatureExtractor
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.modeling_outputs import BaseModelOutput

from .frames_sed import FrameGeometry, InputError
from .values_sed import made_by_transformers


class EncoderFamily(ABC):
    """Encoders that differ in their weights and sizes only.

    A recording of ``samples`` becomes *steps*, which the family's feature extractor computes (samples themselves, or
    frames of a spectrogram), and steps become *frames*, for which there are hidden states.
    """

    input_name: ClassVar[str] = "input_values"  # of the model's argument, as the feature extractor calls it
    time_axis: ClassVar[int] = 0  # of the input of one utterance, which has ``steps`` entries there
    feature_kernel: ClassVar[tuple[int, ...]] = ()  # from samples to steps, as of `FrameGeometry`
    feature_stride: ClassVar[tuple[int, ...]] = ()
    unregularized: ClassVar[dict[str, Any]] = {"layerdrop": 0.0, "apply_spec_augment": False}  # in the configuration
    adapted_layers: ClassVar[tuple[str, ...]] = ("intermediate_dense", "output_dense")  # feed-forward, for LoRA
    window: ClassVar[float] = 32.0  # seconds of a long recording that are heard at once (benchmarks/windows.py)
    has_sdpa_here: ClassVar[bool] = False  # whether fast_encoder/ has the attention that transformers has not

    @abstractmethod
    def convolutions(self, config: PreTrainedConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Kernels and strides from steps to frames, as of `FrameGeometry`."""

    def geometry(self, config: PreTrainedConfig, sampling_rate: int) -> FrameGeometry:
        """How samples and frames relate."""
        kernel, stride = self.convolutions(config)
        return FrameGeometry(self.feature_kernel + kernel, self.feature_stride + stride, sampling_rate)

    def frame_count(self, config: PreTrainedConfig, steps: Any) -> Any:
        """Number of frames of so many steps: an integer, or an array or tensor of them."""
        return FrameGeometry(*self.convolutions(config)).frame_count(steps)

    def longest_input(self, config: PreTrainedConfig) -> float:
        """Seconds that the encoder has learnt to place frames in; without end where it places them by distance."""
        return math.inf

    @abstractmethod
    def new_feature_extractor(self, config: PreTrainedConfig) -> SequenceFeatureExtractor:
        """The feature extractor of an encoder that comes without one."""

    def extract(
        self, feature_extractor: SequenceFeatureExtractor, waveform: np.ndarray, sampling_rate: int
    ) -> np.ndarray:
        """What the model takes for one utterance, without padding.

        Args:
            feature_extractor: of the model.
            waveform: ``(samples,)``, long enough for one frame.
            sampling_rate: in Hz.
        """
        return feature_extractor(waveform, sampling_rate=sampling_rate)[self.input_name][0]

    def new_encoder(self, config: PreTrainedConfig) -> PreTrainedModel:
        """An encoder with random weights."""
        return AutoModel.from_config(config)

    def load_encoder(self, name_or_path: str, config: PreTrainedConfig) -> PreTrainedModel:
        """An encoder with the weights of a checkpoint, in single precision.

        Raises:
            InputError: if the checkpoint lacks weights of the encoder, or they have other shapes.
            OSError: if there is no such checkpoint.
        """
        return load_pretrained(AutoModel, name_or_path, config)

    def layers(self, encoder: Any) -> nn.ModuleList:
        """The transformer layers, lowest first."""
        return encoder.encoder.layers

    @abstractmethod
    def freeze_feature_encoder(self, encoder: Any) -> None:
        """Freezes what is below the transformer layers."""

    def encode(
        self, encoder: Any, inputs: torch.Tensor, attention_mask: torch.Tensor | None, **kwargs: Any
    ) -> BaseModelOutput:
        """The hidden states of an utterance's own frames, whatever it is batched with or padded to.

        Args:
            encoder: of this family.
            inputs: a batch of what `extract` returns, padded with zeros.
            attention_mask: ``(batch, steps)``, 1 for steps of the utterance and 0 for padding.
            kwargs: of the encoder (``output_hidden_states`` …).

        Returns:
            ``last_hidden_state (batch, frames, features)`` and, if asked for, ``hidden_states``: what the first layer
            gets, and what each layer returns.
        """
        return encoder(**{self.input_name: inputs}, attention_mask=attention_mask, return_dict=True, **kwargs)


class WaveformFamily(EncoderFamily):
    """wav2vec 2.0, HuBERT and WavLM: unpadded convolutions over the waveform (section 3 of arXiv 2306.12991).

    Those whose first convolution is group-normalised over time (``feat_extract_norm="group"``, the base sizes) run once
    per distinct length, unpadded: in a padded pass, an utterance's frames would depend on its padding.
    """

    def convolutions(self, config: PreTrainedConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(config.conv_kernel), tuple(config.conv_stride)

    def new_feature_extractor(self, config: PreTrainedConfig) -> SequenceFeatureExtractor:
        return Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)

    def freeze_feature_encoder(self, encoder: Any) -> None:
        encoder.feature_extractor._freeze_parameters()  # its forward pass then keeps no graph

    def encode(
        self, encoder: Any, inputs: torch.Tensor, attention_mask: torch.Tensor | None, **kwargs: Any
    ) -> BaseModelOutput:
        if attention_mask is None or encoder.config.feat_extract_norm != "group":
            return super().encode(encoder, inputs, attention_mask, **kwargs)
        geometry = FrameGeometry(*self.convolutions(encoder.config))
        lengths = attention_mask.sum(dim=1).clamp(min=geometry.receptive_field)
        groups = [(lengths == length).nonzero().squeeze(1) for length in lengths.unique()]
        alone = super().encode
        outputs = [alone(encoder, inputs[group, : lengths[group[0]]], None, **kwargs) for group in groups]
        frames = geometry.frame_count(inputs.shape[1])
        restore = torch.cat(groups).argsort()

        def regroup(parts: Sequence[torch.Tensor]) -> torch.Tensor:
            padded = [nn.functional.pad(part, (0, 0, 0, frames - part.shape[1])) for part in parts]
            return torch.cat(padded)[restore]

        merged = type(outputs[0])(last_hidden_state=regroup([output.last_hidden_state for output in outputs]))
        if outputs[0].hidden_states is not None:
            layers = zip(*(output.hidden_states for output in outputs), strict=True)
            merged.hidden_states = tuple(regroup(layer) for layer in layers)
        return merged


class WavLMFamily(WaveformFamily):
    """WavLM, whose attention transformers computes in one way only."""

    has_sdpa_here = True

    def new_encoder(self, config: PreTrainedConfig) -> PreTrainedModel:
        return AutoModel.from_config(config, attn_implementation="eager")


# Not in checkpoints that were trained without masks; learnt, or never used
MAY_BE_NEW = ("masked_spec_embed",)


def load_pretrained(model_class: Any, name_or_path: str, config: PreTrainedConfig, prefix: str = "") -> Any:
    """A model of transformers with the weights of a checkpoint, in single precision; no code of theirs is run.

    Args:
        model_class: of transformers.
        name_or_path: hub id or folder of the checkpoint.
        config: of the model.
        prefix: of the names of the weights that are needed.

    Raises:
        InputError: if the checkpoint lacks some of these, or they have other shapes.
        OSError: if there is no such checkpoint.
    """
    model, found = made_by_transformers(
        f"a model of {name_or_path}",
        model_class.from_pretrained,
        name_or_path,
        config=config,
        dtype=torch.float32,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # to be named below
        output_loading_info=True,
    )
    missing = [name for name in found["missing_keys"] if name.startswith(prefix) and not name.endswith(MAY_BE_NEW)]
    mismatched = [entry for entry in found["mismatched_keys"] if entry[0].startswith(prefix)]
    check_weights(name_or_path, missing, (), mismatched)
    return model


def check_weights(
    name_or_path: Any,
    missing: Collection[str],
    unexpected: Collection[str],
    mismatched: Collection[tuple[str, Any, Any]],
) -> None:
    """Lets weights pass that are exactly those of a model, since transformers makes up at random what is not there.

    Args:
        name_or_path: of the checkpoint, for messages.
        missing: names of weights that only the model has.
        unexpected: names of weights that only the checkpoint has.
        mismatched: name, shape in the checkpoint and shape in the model, where these differ.

    Raises:
        InputError: if there are any.
    """
    shapes = [f"{name} (is {tuple(theirs)}, must be {tuple(ours)})" for name, theirs, ours in mismatched]
    faults = {"lack": missing, "have, for nothing,": unexpected, "have another shape of": shapes}
    said = [f"{fault} {some_of(names)}" for fault, names in faults.items() if names]
    if said:
        raise InputError(f"{name_or_path}: these are not the weights of its config.json: they {', and '.join(said)}.")


def some_of(names: Collection[str], at_most: int = 3) -> str:
    """Names for a message, in order; of many, the first."""
    first = ", ".join(sorted(names)[:at_most])
    return first if len(names) <= at_most else f"{first} and {len(names) - at_most} more"


def pad_inputs(inputs: Sequence[np.ndarray], time_axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The inputs of utterances, padded with zeros to a batch, and its attention mask ``(batch, steps)``.

    Args:
        inputs: what `EncoderFamily.extract` returns, for each utterance.
        time_axis: of the family.
    """
    by_time = [torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, time_axis, 0))) for array in inputs]
    padded = nn.utils.rnn.pad_sequence(by_time, batch_first=True)
    steps = torch.tensor([len(array) for array in by_time])
    mask = (torch.arange(padded.shape[1]) < steps[:, None]).long()
    return padded.movedim(1, time_axis + 1).contiguous(), mask
