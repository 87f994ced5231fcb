"""The model that is trained: a new classifier on a pretrained or new encoder, and what of it is trained."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.utils import FEATURE_EXTRACTOR_NAME

from ..checkpoints.classifiers import from_classifier
from ..checkpoints.feature_extractors import load_feature_extractor
from ..configs import config_names, find_config
from ..configuration_sed import SEDConfig
from ..frames_sed import InputError, MissingFileError, import_library
from ..modeling_sed import SEDForAudioFrameClassification
from .arguments import TrainingOptions
from .provenance import public_name

HEAD_OPTIONS = ("use_weighted_layer_sum", "normalize_encoder_output", "classifier_bias")


def build_model(options: TrainingOptions) -> tuple[SEDForAudioFrameClassification, SequenceFeatureExtractor]:
    """The model, with the parameters that are not trained frozen, and its feature extractor.

    Raises:
        InputError: if there is no such encoder, or it does not have the layers that the options name.
    """
    masking: dict[str, Any] = {name: getattr(options, name) for name in ("mask_time_prob", "mask_feature_prob")}
    masking["apply_spec_augment"] = any(masking.values())
    from_scratch = options.encoder.endswith(".json")
    if from_scratch:
        encoder_config = _read_encoder_config(options.encoder) | masking
        if options.encoder_layers is not None:
            raise InputError(f"--encoder-layers: {options.encoder} says itself how many layers there are.")
        model = SEDForAudioFrameClassification(
            SEDConfig(encoder_config=encoder_config, labels=options.labels, **_head_options(options))
        )
        feature_extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    else:
        try:
            model = _on_pretrained_encoder(options, masking)
            feature_extractor = _feature_extractor_of(options.encoder, model.config)
        except OSError as error:
            raise InputError(f"Cannot load the encoder {options.encoder}: {error}") from error
        model.config.encoder_config.name_or_path = public_name(options.encoder)  # config.json is published

    freeze = options.freeze_feature_encoder
    if freeze or (freeze is None and not from_scratch):
        model.freeze_feature_encoder()
    if options.train_last_layers is not None:
        _freeze_all_but_last_layers(model, options.train_last_layers)
    if options.lora_rank is not None:
        targets = options.lora_target_modules or model.config.encoder_family.adapted_layers
        add_adapters(model, options.lora_rank, options.lora_alpha, targets)
    if options.attn_implementation is not None:
        model.encoder.set_attn_implementation(options.attn_implementation)
    if options.gradient_checkpointing:
        model.encoder.gradient_checkpointing_enable({"use_reentrant": False})
    return model, feature_extractor


def _head_options(options: TrainingOptions) -> dict[str, Any]:
    """The options of the head that are given; for others, the defaults of `SEDConfig` apply."""
    given = {name: getattr(options, name) for name in HEAD_OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def _read_encoder_config(name: str) -> dict[str, Any]:
    """The configuration in a file: a path, or the name of one that comes with the package."""
    path = Path(name) if Path(name).is_file() else find_config(name, ".json")
    if path is None:
        raise MissingFileError(
            f"--encoder: there is no file {name}; by name there are {', '.join(config_names('.json'))} (with .json)."
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not the configuration of an encoder, as JSON: {error}") from error


def _on_pretrained_encoder(options: TrainingOptions, masking: Mapping[str, Any]) -> SEDForAudioFrameClassification:
    head = _head_options(options)
    if options.encoder_layers is not None:
        masking = {**masking, "num_hidden_layers": options.encoder_layers}
    if not options.initialize_head:
        return SEDForAudioFrameClassification.from_encoder(
            options.encoder, labels=options.labels, encoder_arguments=dict(masking), **head
        )
    model, taken = from_classifier(options.encoder, options.labels, encoder_arguments=masking)
    for name, value in head.items():
        if value != getattr(model.config, name):
            raise InputError(
                f"--initialize-head: the classifier {options.encoder} has {name} {getattr(model.config, name)}, so "
                f"that {name} {value} is not possible; leave it out."
            )
    print(taken, file=sys.stderr)
    return model


def _feature_extractor_of(encoder: str, config: SEDConfig) -> SequenceFeatureExtractor:
    """The encoder's own, or the usual one for checkpoints that lack one."""
    if _has_feature_extractor(encoder):
        return load_feature_extractor(encoder, config, return_attention_mask=True)
    return config.encoder_family.new_feature_extractor(config.encoder_config)


def _has_feature_extractor(encoder: str) -> bool:
    """Raises an OSError if the Hub cannot be reached, which does not mean that a checkpoint has none."""
    if Path(encoder).is_dir():
        return (Path(encoder) / FEATURE_EXTRACTOR_NAME).is_file()
    if try_to_load_from_cache(encoder, FEATURE_EXTRACTOR_NAME) is _CACHED_NO_EXIST:
        return False
    try:
        hf_hub_download(encoder, FEATURE_EXTRACTOR_NAME)
    except LocalEntryNotFoundError:  # it is not on this machine, and the Hub could not be reached
        raise
    except EntryNotFoundError:
        return False
    return True


def _freeze_all_but_last_layers(model: SEDForAudioFrameClassification, count: int) -> None:
    layers = model.config.encoder_family.layers(model.encoder)
    if count > len(layers):
        raise InputError(f"--train-last-layers {count}: the encoder has {len(layers)} layers.")
    model.freeze_feature_encoder()
    model.encoder.requires_grad_(False)
    layers[-count:].requires_grad_(True)


def add_adapters(model: SEDForAudioFrameClassification, rank: int, alpha: int, target_modules: Iterable[str]) -> None:
    """Puts low-rank adapters (arXiv 2106.09685) into the encoder, whose own weights are frozen.

    Raises:
        InputError: if peft is missing, there are no such layers, or adapters in them would have no effect.
    """
    peft = import_library("peft", "--lora-rank", "peft")
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(target_modules))
    model.freeze_feature_encoder()
    try:
        peft.inject_adapter_in_model(config, model.encoder)
    except ValueError as error:  # none of the modules is there
        raise InputError(f"--lora-target-modules: {error}") from error
    if unused := _modules_without_effect(model):
        raise InputError(
            f"--lora-target-modules: the encoder reads the weights of {', '.join(unused)} without calling these "
            "layers, so adapters there would change nothing; choose others, such as intermediate_dense."
        )


def _modules_without_effect(model: SEDForAudioFrameClassification) -> list[str]:
    """Names of the adapted layers that a forward pass does not call."""
    from peft.tuners.lora import LoraLayer

    modules: dict[str, torch.nn.Module] = dict(model.encoder.named_modules())
    adapted = {name: module for name, module in modules.items() if isinstance(module, LoraLayer)}
    called: set[torch.nn.Module] = set()
    hooks = [module.register_forward_hook(lambda module, *_: called.add(module)) for module in adapted.values()]
    with torch.no_grad():
        family, rate = model.config.encoder_family, model.config.sampling_rate
        feature_extractor = family.new_feature_extractor(model.config.encoder_config)
        second = family.extract(feature_extractor, np.zeros(rate, np.float32), rate)
        model.eval()(**{family.input_name: torch.from_numpy(second)[None]})
    for hook in hooks:
        hook.remove()
    return sorted({name.rpartition(".")[2] for name, module in adapted.items() if module not in called})


def parameter_groups(model: SEDForAudioFrameClassification, options: TrainingOptions) -> list[dict[str, Any]]:
    """The encoder's and the classifier's parameters, each with its learning rate and annealing factor.

    With ``layer_learning_rate_decay``, the encoder's are several groups, from the last layer down.
    """
    inside_encoder = {id(parameter) for parameter in model.encoder.parameters()}
    head = [parameter for parameter in model.parameters() if id(parameter) not in inside_encoder]
    groups = (
        *(
            (parameters, options.encoder_learning_rate * share, options.encoder_annealing_factor)
            for parameters, share in _by_depth(model, options.layer_learning_rate_decay)
        ),
        (head, options.head_learning_rate, options.head_annealing_factor),
    )
    return [
        {"params": parameters, "lr": rate, "annealing_factor": factor}
        for parameters, rate, factor in groups
        if parameters
    ]


def _by_depth(model: SEDForAudioFrameClassification, decay: float) -> Iterator[tuple[list[torch.nn.Parameter], float]]:
    """Parameters that learn, and the share of the learning rate that they get: 1 for the last layer.

    What is in no layer, most of which comes before the first one, gets the smallest.
    """
    trained = [parameter for parameter in model.encoder.parameters() if parameter.requires_grad]
    if decay == 1:
        yield trained, 1.0
        return
    share = 1.0
    for layer in reversed(model.config.encoder_family.layers(model.encoder)):
        inside = {id(parameter) for parameter in layer.parameters()}
        yield [parameter for parameter in trained if id(parameter) in inside], share
        trained = [parameter for parameter in trained if id(parameter) not in inside]
        share *= decay
    yield trained, share


def with_weights(
    config: SEDConfig, state_dict: Mapping[str, torch.Tensor], lora_scaling: float
) -> SEDForAudioFrameClassification:
    """A model of plain layers with the weights of one that was trained: adapters are merged into their layers.

    Args:
        config: of the model.
        state_dict: of the model in training.
        lora_scaling: factor of the adapters, if there are any.

    Returns:
        A model whose tensors are those of the state dict wherever nothing was merged.
    """
    weights = {}
    for name, tensor in state_dict.items():
        if ".lora_" in name:
            continue
        if name.endswith(".base_layer.weight"):
            prefix = name.removesuffix("base_layer.weight")
            down, up = (state_dict[f"{prefix}lora_{side}.default.weight"] for side in ("A", "B"))
            tensor = tensor + lora_scaling * (up @ down)
        weights[name.replace(".base_layer.", ".")] = tensor
    with torch.device("meta"):
        model = SEDForAudioFrameClassification(config)
    model.load_state_dict(weights, assign=True)
    return model
