"""The model of Speech Emotion Diarization: a pretrained speech encoder and one linear layer per frame.

Follows section 3 and Fig. 3 of arXiv 2306.12991. The result for an utterance does not depend on the other utterances of
its batch, nor on padding: see `SEDForAudioFrameClassification.forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import TokenClassifierOutput
from transformers.utils.generic import can_return_tuple

from .configuration_sed import SEDConfig, load_encoder_config
from .encoders_sed import EncoderFamily, check_weights
from .frames_sed import FrameGeometry, InputError
from .values_sed import made_by_transformers

if TYPE_CHECKING:
    # transformers saves with a model what is imported here, whether it runs or not: the pipeline; and, as version 5.0
    # does not look further, what that needs
    from .audio_files_sed import open_file  # noqa: F401
    from .audio_forms_sed import usual_form  # noqa: F401
    from .audio_sed import RecordingStream  # noqa: F401
    from .limits_sed import check_limit  # noqa: F401
    from .pipeline_sed import SpeechEmotionDiarizationPipeline  # noqa: F401

IGNORED_LABEL = -100


class SEDPreTrainedModel(PreTrainedModel):
    """Weights and configuration handling shared by the models of this file."""

    config: SEDConfig
    config_class = SEDConfig
    base_model_prefix = "encoder"
    main_input_name = "input_values"
    input_modalities = "audio"
    supports_gradient_checkpointing = True
    _supports_sdpa = True  # a model knows whether its encoder has them
    _supports_flash_attn = True

    @classmethod
    def _can_set_attn_implementation(cls) -> bool:
        return True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, SEDForAudioFrameClassification) and module.config.use_weighted_layer_sum:
            init.zeros_(module.layer_weights)  # equal weights after the softmax


class SEDForAudioFrameClassification(SEDPreTrainedModel):
    """Emotion of every frame of an utterance (section 3.1 of arXiv 2306.12991).

    Args:
        config: see [`SEDConfig`].
        encoder: an encoder with weights, of the type that ``config.encoder_config`` describes; default: a new one.
    """

    # Called with an encoder and the model's configuration, to replace parts of the encoder by faster ones with the same
    # results. The package sets it (hub/registration.py); without the package, the encoder runs transformers' code.
    accelerate_encoder: ClassVar[Callable[[PreTrainedModel, SEDConfig], None] | None] = None

    encoder_family: EncoderFamily
    encoder: Any  # a PreTrainedModel; what the encoders have in common is declared nowhere in transformers
    classifier: nn.Linear

    def __init__(self, config: SEDConfig, encoder: PreTrainedModel | None = None):
        encoder_config, family = config.encoder_config, config.encoder_family
        if encoder is None:
            encoder = made_by_transformers("an encoder of encoder_config", family.new_encoder, encoder_config)
        accelerate_encoder = type(self).accelerate_encoder
        is_faster = accelerate_encoder is not None and family.has_sdpa_here
        self._supports_sdpa = is_faster or encoder._supports_sdpa
        self._supports_flash_attn = encoder._supports_flash_attn
        super().__init__(config)
        self.encoder_family, self.encoder = family, encoder
        self.main_input_name = family.input_name
        if accelerate_encoder is not None:
            accelerate_encoder(self.encoder, config)
        if hasattr(self.encoder, "masked_spec_embed") and not encoder_config.apply_spec_augment:
            self.encoder.masked_spec_embed.requires_grad_(False)  # unused: distributed training would wait for it
        if config.use_weighted_layer_sum:
            self.layer_weights = nn.Parameter(torch.zeros(encoder_config.num_hidden_layers + 1))
        self.classifier = nn.Linear(encoder_config.hidden_size, len(config.labels), bias=config.classifier_bias)
        self.post_init()

    @classmethod
    def from_pretrained(  # type: ignore[override]  # transformers names some of the keywords
        cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """See `PreTrainedModel.from_pretrained`; the weights must be exactly those that the configuration describes.

        With ``ignore_mismatched_sizes=True``, weights of other shapes are newly initialised, as everywhere in
        transformers.

        Raises:
            InputError: if weights are missing, unexpected or of other shapes, naming them; before any memory is used
                for them.
            OSError: if there is no such model.
        """
        wants_info = kwargs.pop("output_loading_info", False)
        model, info = super().from_pretrained(pretrained_model_name_or_path, *args, output_loading_info=True, **kwargs)
        _check_loaded(pretrained_model_name_or_path, info, kwargs.get("ignore_mismatched_sizes", False))
        return (model, info) if wants_info else model

    @staticmethod
    def _finalize_model_loading(model: Any, load_config: Any, loading_info: Any) -> Any:
        """Called by `from_pretrained` before it allocates and initialises what has not been loaded.

        Private in transformers: without it, the same check comes after that.
        """
        name, ignored = load_config.pretrained_model_name_or_path, load_config.ignore_mismatched_sizes
        _check_loaded(name, loading_info.to_dict(), ignored)
        return PreTrainedModel._finalize_model_loading(model, load_config, loading_info)

    @classmethod
    def from_encoder(
        cls,
        pretrained_model_name_or_path: str,
        labels: Sequence[str] | None = None,
        encoder_arguments: dict[str, Any] | None = None,
        **config_arguments: Any,
    ) -> SEDForAudioFrameClassification:
        """A new classifier on a pretrained encoder, ready to be fine-tuned.

        LayerDrop and SpecAugment of the encoder are off, as in the authors' recipe, unless ``encoder_arguments`` sets
        them (``layerdrop``, ``apply_spec_augment`` …). ``num_hidden_layers`` keeps that many layers, the lowest.

        Args:
            pretrained_model_name_or_path: hub id or folder of a checkpoint whose type is in `encoder_families`.
            labels: label names, in order; default: the paper's four.
            encoder_arguments: changes to the encoder's configuration.
            config_arguments: further arguments of [`SEDConfig`].

        Raises:
            InputError: if the checkpoint's encoder is not supported, lacks weights, or has fewer layers than are to be
                kept.
            OSError: if there is no such checkpoint.
        """
        encoder_config = load_encoder_config(pretrained_model_name_or_path)
        config = SEDConfig(encoder_config=encoder_config, labels=labels, **config_arguments)
        family, layers = config.encoder_family, encoder_config.num_hidden_layers
        for name, value in {**family.unregularized, **(encoder_arguments or {})}.items():
            setattr(encoder_config, name, value)
        if encoder_config.num_hidden_layers > layers:
            raise InputError(
                f"Cannot keep {encoder_config.num_hidden_layers} layers of {pretrained_model_name_or_path}: "
                f"it has {layers}."
            )
        return cls(config, family.load_encoder(pretrained_model_name_or_path, encoder_config))

    def get_input_embeddings(self) -> None:  # type: ignore[override]  # transformers: always a module
        """None: waveforms have no embeddings. Accelerate asks before it shards a model."""

    def freeze_feature_encoder(self) -> None:
        """Freezes what is below the encoder's transformer layers (section 5.2)."""
        self.encoder_family.freeze_feature_encoder(self.encoder)

    @can_return_tuple
    def forward(
        self,
        input_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        input_features: torch.Tensor | None = None,
        num_items_in_batch: int | torch.Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Frame-wise emotion logits of a batch of utterances.

        With an ``attention_mask``, the first frames of each utterance (``config.geometry.frame_count`` of its samples)
        are the same as for the utterance alone, unpadded; the frames after them are meaningless. wav2vec 2.0, HuBERT
        and WavLM of base size (``feat_extract_norm="group"``) run once per distinct length, so group such utterances
        by length.

        Args:
            input_values: waveforms ``(batch, samples)``, padded at the end, for encoders that take them.
            attention_mask: ``(batch, samples)``, or ``(batch, steps)`` with features: 0 for padding, else 1.
            labels: frame labels, ``(batch, frames)``, where -100 is ignored; or probabilities of labels, ``(batch,
                frames, labels)``, where a frame of zeros is ignored. So is every frame of padding.
            input_features: what the feature extractor computes for the other encoders: ``(batch, mel bands, steps)``
                for Whisper, ``(batch, steps, features)`` for w2v-BERT 2.0.
            num_items_in_batch: divide the summed loss by this number of frames instead of by the number of labelled
                frames in the batch. Needed where a global batch is spread over processes or accumulation steps.
            kwargs: passed to the encoder (``output_hidden_states``, ``output_attentions`` …).

        Returns:
            [`~transformers.modeling_outputs.TokenClassifierOutput`] with ``logits`` ``(batch, frames, labels)`` and,
            with labels, ``loss``: the mean negative log-likelihood of the frames, 0 when no frame is labelled.

        Raises:
            InputError: if the input is not the one that the encoder takes or shorter than one frame, ``labels`` has
                another shape than these, or there are no attention weights to give.
        """
        inputs = self._check_inputs(input_values, input_features)
        family, encoder_config = self.encoder_family, self.config.encoder_config
        if labels is not None:
            hard = (len(inputs), family.frame_count(encoder_config, inputs.shape[1 + family.time_axis]))
            if labels.shape not in (hard, soft := (*hard, len(self.config.labels))):
                raise InputError(
                    f"labels must have the shape (batch, frames) = {hard}; got {tuple(labels.shape)} "
                    f"(probabilities: {soft})."
                )

        if self.config.normalize_waveform:
            inputs = normalize_waveform(inputs, attention_mask)
        for name in ("output_attentions", "output_hidden_states"):
            kwargs[name] = kwargs.get(name) or getattr(self.config, name)
        kwargs["output_hidden_states"] |= self.config.use_weighted_layer_sum
        outputs = family.encode(self.encoder, inputs, attention_mask, **kwargs)
        attentions = outputs.attentions or None
        attentions = None if attentions is None or attentions[0] is None else attentions
        if kwargs["output_attentions"] and attentions is None:
            raise InputError(self._why_no_attentions())
        if self.config.use_weighted_layer_sum:
            weights = self.layer_weights.softmax(dim=0)
            hidden = torch.einsum("l,lbtf->btf", weights, torch.stack(outputs.hidden_states))
        else:
            hidden = outputs.last_hidden_state

        valid = None
        if attention_mask is not None:
            frames = family.frame_count(encoder_config, attention_mask.sum(dim=1))
            valid = _leading_ones(frames, hidden.shape[1])
        if self.config.normalize_encoder_output:
            hidden = utterance_layer_norm(hidden, valid)
        logits = self.classifier(hidden)

        loss = None
        if labels is not None:
            if valid is not None:
                if labels.is_floating_point():
                    labels = labels.masked_fill(~valid.unsqueeze(-1), 0)
                else:
                    labels = labels.masked_fill(~valid, IGNORED_LABEL)
            loss = frame_loss(logits, labels, num_items_in_batch)
        return TokenClassifierOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=attentions
        )

    def _check_inputs(self, input_values: torch.Tensor | None, input_features: torch.Tensor | None) -> torch.Tensor:
        """The one that the encoder takes."""
        family = self.encoder_family
        inputs = input_values if family.input_name == "input_values" else input_features
        if inputs is None:
            raise InputError(f"The model takes {family.input_name}, as its feature extractor computes them.")
        steps = inputs.shape[1 + family.time_axis]
        if steps < FrameGeometry(*family.convolutions(self.config.encoder_config)).receptive_field:
            raise InputError(
                f"{family.input_name} of length {steps} are shorter than one frame: at least "
                f"{self.config.geometry.receptive_field} samples are needed at {self.config.sampling_rate} Hz."
            )
        return inputs

    def _why_no_attentions(self) -> str:
        if self.config._attn_implementation != "eager":
            return 'output_attentions: only a model that was loaded with attn_implementation="eager" computes them.'
        return (
            f"output_attentions: encoders of type {self.config.encoder_config.model_type} give none here, or not for "
            "utterances of several lengths at once."
        )


class SEDForAudioClassification(SEDPreTrainedModel):
    """Says that there is none to those who ask for one label of a whole utterance.

    Raises:
        InputError: always.
    """

    def __init__(self, config: SEDConfig):
        raise InputError(
            "This model says which emotion appears when, and has no label for a whole recording. Use "
            'pipeline("speech-emotion-diarization", model=...), or AutoModelForAudioFrameClassification.'
        )


def _check_loaded(name_or_path: Any, info: Mapping[str, Any], ignore_mismatched_sizes: bool) -> None:
    mismatched = () if ignore_mismatched_sizes else info["mismatched_keys"]
    check_weights(name_or_path, info["missing_keys"], info["unexpected_keys"], mismatched)


def normalize_waveform(input_values: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
    """`utterance_layer_norm` of waveforms ``(batch, samples)``; padding is 0 after it."""
    valid = None if attention_mask is None else attention_mask.bool()
    normalized = utterance_layer_norm(input_values.unsqueeze(-1), valid).squeeze(-1)
    return normalized if valid is None else normalized * valid


def utterance_layer_norm(hidden: torch.Tensor, valid: torch.Tensor | None, epsilon: float = 1e-5) -> torch.Tensor:
    """Layer norm without affine parameters over all valid frames and features of each utterance jointly.

    The authors' code normalises the encoder's output in this way (SpeechBrain's ``output_norm``), except that here
    padding is not part of the statistics. They are computed in fp32 at least, since float16 cannot represent the number
    of values.

    Args:
        hidden: ``(batch, frames, features)``.
        valid: boolean ``(batch, frames)``, or None when every frame is.
        epsilon: added to the variance.
    """
    if valid is None:
        return nn.functional.layer_norm(hidden, hidden.shape[1:], eps=epsilon)
    mask = valid.unsqueeze(-1)
    exact = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
    count = valid.sum(dim=1).clamp(min=1).view(-1, 1, 1) * hidden.shape[-1]
    mean = (exact * mask).sum(dim=(1, 2), keepdim=True) / count
    variance = ((exact - mean).square() * mask).sum(dim=(1, 2), keepdim=True) / count
    return ((exact - mean) * torch.rsqrt(variance + epsilon)).to(hidden.dtype)


def frame_loss(
    logits: torch.Tensor, labels: torch.Tensor, num_items_in_batch: int | torch.Tensor | None = None
) -> torch.Tensor:
    """Negative log-likelihood of the labelled frames (section 5.2): their mean, or their sum over a given number.

    Args:
        logits: ``(batch, frames, labels)``.
        labels: ``(batch, frames)``, where -100 is ignored; or probabilities, ``(batch, frames, labels)``, where a frame
            of zeros is ignored.
        num_items_in_batch: what the sum is divided by; default: the number of labelled frames (0 frames give 0).
    """
    total = nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(0, 1), ignore_index=IGNORED_LABEL, reduction="sum"
    )
    if num_items_in_batch is None:
        num_items_in_batch = is_labelled(labels).sum().clamp(min=1)
    return total / num_items_in_batch


def is_labelled(labels: torch.Tensor) -> torch.Tensor:
    """Which frames have a label: boolean ``(batch, frames)``; for `frame_loss`' two forms of labels."""
    return labels.any(dim=-1) if labels.is_floating_point() else labels != IGNORED_LABEL


def _leading_ones(counts: torch.Tensor, length: int) -> torch.Tensor:
    """Boolean ``(batch, length)``, true in the first ``counts`` places of each row."""
    return torch.arange(length, device=counts.device) < counts.unsqueeze(1)
