"""Configuration of a Speech Emotion Diarization model: a pretrained speech encoder and a frame classifier on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from transformers import AutoConfig, PreTrainedConfig

from .decoding_sed import check_decoder
from .frames_sed import FrameGeometry, InputError

if TYPE_CHECKING:
    from .encoders_sed import EncoderFamily

PAPER_LABELS = ("neutral", "happy", "sad", "angry")
# What a saved configuration names: the code that opens its model where this package is not installed. A model without
# its classifier would only be an encoder, so AutoModel has the same class.
CLASSES = {
    "AutoConfig": "configuration_sed.SEDConfig",
    "AutoModel": "modeling_sed.SEDForAudioFrameClassification",
    "AutoModelForAudioFrameClassification": "modeling_sed.SEDForAudioFrameClassification",
}
PIPELINES = {
    "speech-emotion-diarization": {
        "impl": "pipeline_sed.SpeechEmotionDiarizationPipeline",
        "pt": ["AutoModelForAudioFrameClassification"],
        "type": "audio",
    }
}


@cache
def encoder_families() -> dict[str, EncoderFamily]:
    """The encoders that a model can have, by transformers' ``model_type``.

    Imported late, since transformers imports this file in the middle of its own imports.
    """
    from .encoders_sed import WaveformFamily, WavLMFamily
    from .wav2vec2_bert_encoder_sed import Wav2Vec2BertFamily
    from .whisper_encoder_sed import WhisperFamily

    return {
        "wavlm": WavLMFamily(),
        "wav2vec2": WaveformFamily(),
        "hubert": WaveformFamily(),
        "wav2vec2-bert": Wav2Vec2BertFamily(),
        "whisper": WhisperFamily(),
    }


class InstalledPipelines(dict[str, dict[str, Any]]):
    """Pipelines of a configuration whose code is installed.

    `pipeline(model=...)` learns the task from the keys of such a mapping; a task that is *in* it would then be loaded
    as remote code, so none is, and the registered pipeline is taken.
    """

    def __contains__(self, task: object) -> bool:
        return False


class SEDConfig(PreTrainedConfig):
    """Configuration of [`SEDForAudioFrameClassification`] (Fig. 3 of arXiv 2306.12991).

    The defaults compute what the authors' released models compute.

    Args:
        encoder_config: configuration of the encoder (of a type in `encoder_families`), or its dictionary with a
            ``model_type``. Default: WavLM of base size.
        labels: label names in the order of the classifier's outputs. Default: the paper's four, neutral first.
            ``id2label`` does the same, as everywhere in transformers.
        neutral_label: the label that means "no emotion".
        use_weighted_layer_sum: classify a learnt weighted sum of all hidden states instead of the last one.
        normalize_waveform: layer norm without affine parameters over an utterance's samples before the encoder, for
            models whose feature extractor does not do it. The authors' models have it, with a larger epsilon than
            transformers' feature extractor. For encoders that take waveforms.
        normalize_encoder_output: layer norm without affine parameters over all frames and features of an utterance
            jointly.
        classifier_bias: whether the linear classifier has a bias.
        sampling_rate: of the audio, in Hz.
        decoder: how posteriors become segments: a mapping of the ``name`` of a decoder of decoding_sed.py and its
            parameters, fitted on validation data. None: the most probable label of each frame, as in the paper.
        posterior_temperature: what logits are divided by so that posteriors are calibrated, that is, probabilities
            that a label is right; fitted on validation data.

    Raises:
        InputError: for an encoder or a decoder that does not exist, labels that are not distinct or lack the neutral
            one, normalisation of waveforms for an encoder that takes none, or a model of an earlier version that
            averages frames.
    """

    model_type = "sed"
    sub_configs = {"encoder_config": AutoConfig}  # noqa: RUF012 - transformers reads it as a plain class attribute
    # Imports and registers the model, whose class transformers looks for as soon as it has read a configuration. The
    # package sets it (hub/registration.py).
    import_model: ClassVar[Callable[[], object] | None] = None

    def __init__(
        self,
        encoder_config: PreTrainedConfig | dict[str, Any] | None = None,
        labels: Sequence[str] | None = None,
        neutral_label: str = "neutral",
        use_weighted_layer_sum: bool = False,
        normalize_waveform: bool = False,
        normalize_encoder_output: bool = True,
        classifier_bias: bool = False,
        sampling_rate: int = 16_000,
        decoder: dict[str, Any] | None = None,
        posterior_temperature: float = 1.0,
        **kwargs: Any,
    ):
        if any(kwargs.pop(name, 1) != 1 for name in ("pooling_kernel", "pooling_stride")):
            raise InputError("This model averages frames (pooling_kernel, pooling_stride), which is not supported.")
        self.encoder_config = _as_encoder_config(encoder_config)
        self.neutral_label = neutral_label
        self.use_weighted_layer_sum = use_weighted_layer_sum
        self.normalize_waveform = normalize_waveform
        self.normalize_encoder_output = normalize_encoder_output
        self.classifier_bias = classifier_bias
        self.sampling_rate = sampling_rate
        self.decoder = decoder
        self.posterior_temperature = posterior_temperature
        if labels is not None or kwargs.get("id2label") is None:
            kwargs["id2label"] = dict(enumerate(labels or PAPER_LABELS))
            kwargs["label2id"] = {label: index for index, label in kwargs["id2label"].items()}
        kwargs["auto_map"] = {**CLASSES, **(kwargs.get("auto_map") or {})}
        pipelines = deepcopy(PIPELINES)  # transformers replaces names by classes in it
        kwargs["custom_pipelines"] = pipelines if self.import_model is None else InstalledPipelines(pipelines)
        super().__init__(**kwargs)
        if len(set(self.labels)) < len(self.labels) or neutral_label not in self.labels:
            raise InputError(
                f"Labels must be distinct and contain the neutral label {neutral_label!r}; "
                f"got {', '.join(self.labels)}."
            )
        if normalize_waveform and self.encoder_family.input_name != "input_values":
            raise InputError(
                f"normalize_waveform: encoders of type {self.encoder_config.model_type} take no waveforms."
            )
        check_decoder(decoder, len(self.labels))

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> SEDConfig:
        """See `PreTrainedConfig.from_dict`; where the package is installed, the model is registered, too."""
        if cls.import_model is not None:
            cls.import_model()
        return super().from_dict(config_dict, **kwargs)

    @property
    def labels(self) -> list[str]:
        """Label names in the order of the classifier's outputs."""
        names = cast(dict[int, str], self.id2label)  # transformers turns the keys into numbers
        return [names[index] for index in range(len(names))]

    @property
    def encoder_family(self) -> EncoderFamily:
        """What has to be known of the encoder."""
        return encoder_families()[self.encoder_config.model_type]

    @property
    def geometry(self) -> FrameGeometry:
        """How samples, frames and seconds of this model relate."""
        return self.encoder_family.geometry(self.encoder_config, self.sampling_rate)


def _as_encoder_config(encoder_config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    if encoder_config is None:
        encoder_config = {}
    if isinstance(encoder_config, dict):
        arguments = dict(encoder_config)
        model_type = arguments.pop("model_type", "wavlm")
        _check_encoder_type(model_type)
        return AutoConfig.for_model(model_type, **arguments)
    _check_encoder_type(encoder_config.model_type)
    return encoder_config


def _check_encoder_type(model_type: str) -> None:
    if model_type not in encoder_families():
        raise InputError(
            f"An encoder of type {model_type!r} is not supported: use one of {', '.join(encoder_families())}."
        )
