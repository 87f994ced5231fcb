"""Configuration of a Speech Emotion Diarization model: a pretrained speech encoder and a frame classifier on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from transformers import AutoConfig, PreTrainedConfig

from .decoding_sed import check_decoder
from .frames_sed import FrameGeometry, InputError
from .values_sed import check_number, check_temperature, made_by_transformers, shown

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
SAMPLING_RATES = (1_000, 384_000)  # Hz, the least and the greatest
MOST_LABELS = 1_000

# What a file may say. Others are nobody's model, and would cost time and memory before the weights are looked at.
DEEPEST, MOST_ENTRIES, LARGEST_NUMBER = 10, 100_000, 2**31
MOST_LAYERS, LARGEST_SIZE = 1_000, 2**16
COUNTS = ("num_labels", "num_hidden_layers", "encoder_layers", "decoder_layers")
SIZES = (
    *("hidden_size", "intermediate_size", "encoder_ffn_dim", "num_hidden_layers", "num_attention_heads"),
    *("num_conv_pos_embeddings", "num_conv_pos_embedding_groups", "num_mel_bins", "feature_projection_input_dim"),
    *("conv_depthwise_kernel_size", "max_source_positions", "num_buckets", "max_bucket_distance"),
)
CONVOLUTIONS = ("conv_dim", "conv_kernel", "conv_stride")
CHOICES = {  # of an attention, other names are what the Hub's packages of compiled code are called
    "attn_implementation": (None, "eager", "sdpa"),
    "_attn_implementation": (None, "eager", "sdpa"),
    "dtype": (None, "float16", "bfloat16", "float32", "float64"),
    "torch_dtype": (None, "float16", "bfloat16", "float32", "float64"),
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
            one, normalisation of waveforms for an encoder that takes none, a model of an earlier version that averages
            frames, or a value that cannot be one.
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
        if labels is None and kwargs.get("id2label") is not None:
            labels = _in_order(kwargs["id2label"])
        names = _check_labels(PAPER_LABELS if labels is None else labels, neutral_label)
        kwargs["id2label"] = dict(enumerate(names))
        kwargs["label2id"] = {label: index for index, label in enumerate(names)}
        if not isinstance(code := kwargs.get("auto_map"), dict | None):
            raise InputError(f"auto_map must name classes by name; got {shown(code)}.")
        kwargs["auto_map"] = {**CLASSES, **(code or {})}
        pipelines = deepcopy(PIPELINES)  # transformers replaces names by classes in it
        kwargs["custom_pipelines"] = pipelines if self.import_model is None else InstalledPipelines(pipelines)
        self._check_values()
        made_by_transformers("a configuration of config.json", super().__init__, **kwargs)
        _check_labels(self.labels, neutral_label)  # num_labels, as transformers takes it, makes other ones
        if normalize_waveform and self.encoder_family.input_name != "input_values":
            raise InputError(
                f"normalize_waveform: encoders of type {self.encoder_config.model_type} take no waveforms."
            )
        check_decoder(decoder, len(self.labels))

    def _check_values(self) -> None:
        for name in ("use_weighted_layer_sum", "normalize_waveform", "normalize_encoder_output", "classifier_bias"):
            if not isinstance(value := getattr(self, name), bool):
                raise InputError(f"{name} must be true or false; got {shown(value)}.")
        check_number(self.sampling_rate, "sampling_rate (Hz)", *SAMPLING_RATES, is_whole=True)
        if self.geometry.hop > self.sampling_rate:
            raise InputError(
                f"A frame must not last longer than a second; conv_stride makes it {self.geometry.hop} samples."
            )
        check_temperature(self.posterior_temperature)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> SEDConfig:
        """See `PreTrainedConfig.from_dict`; what the file says is checked first (`check_file_content`).

        Where the package is installed, the model is registered, too.
        """
        check_file_content(config_dict, "config.json")
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


def load_encoder_config(name_or_path: str, **changes: Any) -> PreTrainedConfig:
    """The configuration of somebody's encoder or classifier; no code of theirs is run.

    Args:
        name_or_path: hub id or folder of the checkpoint.
        changes: to the configuration.

    Raises:
        InputError: if the file has values that no model has.
        OSError: if there is none.
    """
    what = f"a configuration of {name_or_path}"
    content, _ = made_by_transformers(what, PreTrainedConfig.get_config_dict, name_or_path)
    check_file_content(content, f"{name_or_path}: config.json")
    return made_by_transformers(what, AutoConfig.from_pretrained, name_or_path, trust_remote_code=False, **changes)


def check_file_content(content: Any, where: str) -> None:
    """Refuses what a model's JSON file says if no model says it, before anything is made of it.

    Args:
        content: of the file.
        where: its name, for messages.

    Raises:
        InputError: for content that is nested deeply or long, numbers that are not finite or too large, names of
            attentions and types other than `CHOICES`, and entries that are called like methods of configurations.
    """
    waiting, entries = [(where, content, 0)], 0
    while waiting:
        path, value, depth = waiting.pop()
        entries += 1
        if depth > DEEPEST or entries > MOST_ENTRIES:
            raise InputError(
                f"{where} is nested more than {DEEPEST} levels deep, or has more than {MOST_ENTRIES} entries."
            )
        if isinstance(value, Mapping):
            for key, item in value.items():
                _check_entry(key, item, path)
                waiting.append((f"{path}: {key:.60}" if path == where else f"{path}.{key:.60}", item, depth + 1))
        elif isinstance(value, list | tuple):
            waiting += [(path, item, depth + 1) for item in value]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            check_number(value, path, -LARGEST_NUMBER, LARGEST_NUMBER)


def _check_entry(key: str, value: Any, path: str) -> None:
    if key in CHOICES and (isinstance(value, list | dict) or value not in CHOICES[key]):
        known = ", ".join(map(str, CHOICES[key][1:]))
        raise InputError(f"{path}: {key} must be one of {known}; got {shown(value)}.")
    if key in COUNTS and value is not None:
        check_number(value, f"{path}: {key}", 0, MOST_LAYERS, is_whole=True)
    if key.startswith("__") or callable(getattr(PreTrainedConfig, key, None)):
        raise InputError(f"{path}: {shown(key)} is not the name of a value.")


def _in_order(id2label: Any) -> list[Any]:
    try:
        names = {int(key): name for key, name in id2label.items()}
    except (AttributeError, TypeError, ValueError):
        names = {}
    if not names or sorted(names) != list(range(len(id2label))):
        raise InputError(f"id2label must name the labels 0, 1, 2 and so on; got {shown(id2label)}.")
    return [names[index] for index in range(len(names))]


def _check_labels(labels: Sequence[str], neutral_label: str) -> list[str]:
    is_list = isinstance(labels, Sequence) and not isinstance(labels, str) and 0 < len(labels) <= MOST_LABELS
    if not is_list or not all(isinstance(label, str) and label.strip() for label in labels):
        raise InputError(f"Labels must be 1 to {MOST_LABELS} names; got {shown(labels)}.")
    if len(set(labels)) < len(labels) or neutral_label not in labels:
        raise InputError(
            f"Labels must be distinct and contain the neutral label {shown(neutral_label)}; "
            f"got {', '.join(labels):.200}."
        )
    return list(labels)


def _as_encoder_config(encoder_config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig:
    if not isinstance(encoder_config, PreTrainedConfig):
        if not isinstance(encoder_config, dict | None):
            raise InputError(f"encoder_config must be an object with values by name; got {shown(encoder_config)}.")
        arguments = dict(encoder_config or {})
        model_type = arguments.pop("model_type", "wavlm")
        _check_encoder_type(model_type)
        check_file_content(arguments, "encoder_config")
        encoder_config = cast(
            PreTrainedConfig,
            made_by_transformers("a configuration of encoder_config", AutoConfig.for_model, model_type, **arguments),
        )
    _check_encoder_type(encoder_config.model_type)
    _check_sizes(encoder_config)
    return encoder_config


def _check_encoder_type(model_type: Any) -> None:
    if not isinstance(model_type, str) or model_type not in encoder_families():
        raise InputError(
            f"An encoder of type {shown(model_type)} is not supported: use one of {', '.join(encoder_families())}."
        )


def _check_sizes(config: PreTrainedConfig) -> None:
    """Lets an encoder pass that can be, and whose frames are those that its family counts."""
    for name in SIZES:
        if hasattr(config, name):
            check_number(getattr(config, name), f"encoder_config: {name}", 1, LARGEST_SIZE, is_whole=True)
    stages = {name: getattr(config, name) for name in CONVOLUTIONS if hasattr(config, name)}
    if len({len(values) for values in stages.values()}) > 1:
        raise InputError(f"encoder_config: {', '.join(stages)} must have one number for each convolution.")
    for name, values in stages.items():
        for value in values:
            check_number(value, f"encoder_config: {name}", 1, LARGEST_SIZE, is_whole=True)
    if getattr(config, "add_adapter", False):
        raise InputError("encoder_config: add_adapter leaves out frames, which is not supported; set it to false.")
