"""Checkpoints of SpeechBrain's recipe, the authors' released ones and others, as models of this package.

A checkpoint such as ``speechbrain/emotion-diarization-wavlm-large`` is a folder with ``hyperparams.yaml`` (names of
Python objects, and their arguments), two pickled state dicts, ``wav2vec2.ckpt`` (the fine-tuned encoder) and
``model.ckpt`` (the classifier), and ``label_encoder.txt``. No code of it is run: the YAML is read as data, the pickles
as tensors (``weights_only``). The YAML names the encoder that was fine-tuned; of that one, ``config.json`` and
``preprocessor_config.json`` are read, which describe its architecture and its input.
"""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import PreTrainedConfig
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor

from ..configuration_sed import SEDConfig, load_encoder_config
from ..frames_sed import InputError
from ..modeling_sed import SEDForAudioFrameClassification
from ..pipeline_sed import SpeechEmotionDiarizationPipeline
from ..values_sed import shown
from .feature_extractors import load_feature_extractor
from .new_folder import new_folder
from .speechbrain_files import find_file, speechbrain_files
from .yaml_files import DataLoader, read_yaml

ENCODER_FILES = ("config.json", "preprocessor_config.json")
LABEL_NAMES = {"n": "neutral", "h": "happy", "s": "sad", "a": "angry"}  # the recipe's abbreviations
# settings of the recipe that this package computes with; checkpoints with others are refused
EXPECTED = {
    ("input_norm", "norm_type"): "sentence",
    ("input_norm", "std_norm"): False,
    ("wav2vec2", "output_norm"): True,
    ("avg_pool", "pool_type"): "avg",
    ("avg_pool", "ceil_mode"): True,
}
HUB_ID = re.compile(r"(?!.*\.\.)[\w.-]+(?:/[\w.-]+)?", re.ASCII)
WEIGHT_NORM_NAMES = {  # as saved before and after torch 2.0
    "pos_conv_embed.conv.weight_g": "pos_conv_embed.conv.parametrizations.weight.original0",
    "pos_conv_embed.conv.weight_v": "pos_conv_embed.conv.parametrizations.weight.original1",
}


def convert_speechbrain(source: str | Path, output_dir: str | Path, encoder: str | Path | None = None) -> Path:
    """Writes a checkpoint as a folder for `from_pretrained` and `pipeline`, completely or not at all.

    Args:
        source: folder or hub id of the checkpoint; or the results folder of a training, whose best checkpoint is taken,
            or one of its folders ``CKPT+…``.
        output_dir: a new folder.
        encoder: folder or hub id of the encoder that was fine-tuned; default: the one that the checkpoint names.

    Returns:
        The folder.

    Raises:
        InputError: if a file is missing, corrupt or not from such a checkpoint, the weights do not fit the model, the
            Hub cannot be reached, or the folder exists.
    """
    with new_folder(output_dir) as folder:
        load_speechbrain(source, encoder).save_pretrained(folder)
    return Path(output_dir)


def load_speechbrain(source: str | Path, encoder: str | Path | None = None) -> SpeechEmotionDiarizationPipeline:
    """The pipeline of a checkpoint, without converting it first. For arguments and errors see `convert_speechbrain`.

    ```python
    >>> diarize = load_speechbrain("speechbrain/emotion-diarization-wavlm-large")
    >>> diarize("call.wav")
    ```
    """
    files = speechbrain_files(source)
    settings = _read_settings(files["hyperparams.yaml"])
    encoder_config, feature_extractor = _read_encoder(files, settings, encoder)
    config = SEDConfig(
        encoder_config=encoder_config,
        normalize_waveform=feature_extractor.do_normalize,
        labels=_read_labels(files["label_encoder.txt"]),
    )
    feature_extractor.do_normalize = False  # the model does it, with SpeechBrain's epsilon
    with torch.device("meta"):
        model = SEDForAudioFrameClassification(config)
    _fill(model.encoder, files["wav2vec2.ckpt"], _encoder_key)
    _fill(model.classifier, files["model.ckpt"], _head_key)
    return SpeechEmotionDiarizationPipeline(model=model.eval(), feature_extractor=feature_extractor)


class _HyperPyYamlLoader(DataLoader):
    """Reads HyperPyYAML as data: a tag such as ``!new:package.Class`` is kept beside what it is applied to."""

    takes_aliases = True  # the settings that a training writes have some


def _construct_tagged(
    loader: yaml.SafeLoader, suffix: str, node: yaml.MappingNode | yaml.SequenceNode | yaml.ScalarNode
) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {"!": suffix, **loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_HyperPyYamlLoader.add_multi_constructor("!", _construct_tagged)


def _read_settings(path: Path) -> dict[str, Any]:
    settings = read_yaml(path, _HyperPyYamlLoader)
    if not isinstance(settings.get("wav2vec2"), dict):
        raise InputError(f"{path} is not from a Speech Emotion Diarization checkpoint: it has no section wav2vec2.")
    for (part, name), expected in EXPECTED.items():
        section = settings.get(part) or {}
        found = section.get(name, expected) if isinstance(section, dict) else section
        if found != expected:
            raise InputError(f"{path}: {part} has {name} {shown(found)}; only {expected} is supported.")
    for name in ("window_length", "stride"):
        if settings.get(name, 1) != 1:
            raise InputError(
                f"{path}: {name} is {shown(settings[name])}; models that average frames are not supported."
            )
    return settings


def _read_encoder(
    files: Mapping[str, Path], settings: Mapping[str, Any], encoder: str | Path | None
) -> tuple[PreTrainedConfig, SequenceFeatureExtractor]:
    """Configuration and feature extractor of the encoder that was fine-tuned."""
    path = files["hyperparams.yaml"]
    name = encoder or settings.get("wav2vec2_hub") or settings["wav2vec2"].get("source")
    if isinstance(name, str) and (match := re.fullmatch(r"<(\w+)>", name)):
        name = settings.get(match[1])
    if not name:
        raise InputError(f"{path} does not name the encoder (wav2vec2_hub); give its folder or hub id.")
    if encoder is None and not (isinstance(name, str) and (HUB_ID.fullmatch(name) or _is_below(path.parent, name))):
        raise InputError(f"{path}: the encoder must be a hub id, or a folder beside the file; got {shown(name)}.")
    if (path.parent / name).is_dir():  # beside the checkpoint
        name = path.parent / name
    # a training has downloaded it into a folder beside the labels
    save_path = settings["wav2vec2"].get("save_path")
    folder = Path(save_path).name if isinstance(save_path, str) else ""
    downloaded = files["label_encoder.txt"].with_name(folder or "none")
    config_file, preprocessor_file = (find_file(name, file, downloaded) for file in ENCODER_FILES)
    config = load_encoder_config(str(config_file.parent), apply_spec_augment=False, layerdrop=0.0)
    model_config = SEDConfig(encoder_config=config)
    return config, load_feature_extractor(preprocessor_file.parent, model_config, return_attention_mask=True)


def _is_below(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _read_labels(path: Path) -> list[str]:
    """Label names in the order of the classifier's outputs; lines are like ``'n' => 0``."""
    names: dict[int, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error}).") from error
    for line in lines:
        if line.startswith("==="):  # what follows are settings
            break
        if match := re.fullmatch(r"(.+) => (\d{1,9})", line.strip(), re.ASCII):
            try:
                label = str(ast.literal_eval(match[1]))
            except (ValueError, SyntaxError, RecursionError, MemoryError) as error:  # of lists in lists
                raise InputError(f"{path}: {shown(line)} is not a label.") from error
            names[int(match[2])] = LABEL_NAMES.get(label, label)
    if sorted(names) != list(range(len(names))) or not names:
        raise InputError(f"{path} does not number its labels from 0; found {shown(names)}.")
    return [names[index] for index in range(len(names))]


def _encoder_key(key: str) -> str | None:
    """The name in transformers' model; None for a key that cannot be one."""
    return key.removeprefix("model.") if key.startswith("model.") else None


def _head_key(key: str) -> str | None:
    return key.removeprefix("0.w.") if key.startswith("0.w.") else None


def _fill(module: torch.nn.Module, path: Path, rename: Callable[[str], str | None]) -> None:
    """Loads a state dict into a module; each has exactly the tensors of the other."""
    places = module.state_dict()
    old_names = {new: old for old, new in WEIGHT_NORM_NAMES.items()}
    tensors, homeless = {}, []
    for key, tensor in _load_tensors(path).items():
        name = rename(key)
        if name is not None and name not in places:
            for names in (WEIGHT_NORM_NAMES, old_names):
                for ending, other in names.items():
                    if name.endswith(ending) and name.removesuffix(ending) + other in places:
                        name = name.removesuffix(ending) + other
        if name in places:
            tensors[name] = tensor
        else:
            homeless.append(key)
    if homeless:
        raise InputError(f"{path}: no place for {_some(homeless)} in this model.")
    if empty := [name for name in places if name not in tensors]:
        raise InputError(f"{path}: lacks {_some(empty)}.")
    for name, tensor in tensors.items():
        if tensor.shape != places[name].shape:
            raise InputError(
                f"{path}: {name} has the shape {tuple(tensor.shape)}; the model's is {tuple(places[name].shape)}."
            )
    module.load_state_dict(tensors, assign=True)


def _load_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is refused: it holds more than tensors, so reading it could run code from the checkpoint."
        ) from error
    except Exception as error:  # torch raises anything at bytes that it did not write
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path} is corrupt or not a PyTorch file ({reason:.200}).") from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise InputError(f"{path} is not a state dict: it holds {type(found).__name__}.")
    return found


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
