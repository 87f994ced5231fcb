"""The feature extractor of somebody's model: read as data, and the one that the encoder needs, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoFeatureExtractor, FeatureExtractionMixin
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.utils import FEATURE_EXTRACTOR_NAME

from ..configuration_sed import SEDConfig, check_file_content
from ..frames_sed import InputError
from ..values_sed import is_number, made_by_transformers, shown

# What frames are made of; other values would not fail, but give other frames than the model has learnt from.
FIXED = ("feature_size", "num_mel_bins", "stride", "n_fft", "hop_length")


def load_feature_extractor(name_or_path: str | Path, config: SEDConfig, **changes: Any) -> SequenceFeatureExtractor:
    """The feature extractor of a checkpoint; no code of it is run.

    Args:
        name_or_path: folder or hub id.
        config: of the model that takes the features.
        changes: to its values.

    Raises:
        InputError: if it is of another type than the usual one of the encoder, or has a value that this cannot have.
        OSError: if there is none.
    """
    where = f"{name_or_path}: {FEATURE_EXTRACTOR_NAME}"
    content, _ = made_by_transformers(
        f"a feature extractor of {where}", FeatureExtractionMixin.get_feature_extractor_dict, name_or_path
    )
    if not isinstance(content, dict):
        raise InputError(f"{where} is not a JSON object.")
    check_file_content(content, where)
    usual = config.encoder_family.new_feature_extractor(config.encoder_config)
    kind = content.get("feature_extractor_type", type(usual).__name__)
    if kind != type(usual).__name__:
        raise InputError(
            f"{where}: encoders of type {config.encoder_config.model_type} need the feature_extractor_type "
            f"{type(usual).__name__}; got {shown(kind)}."
        )
    fixed = {name: getattr(usual, name) for name in FIXED if hasattr(usual, name)}
    fixed["sampling_rate"] = config.sampling_rate
    for name, value in content.items():
        expected = getattr(usual, name, None)
        if name in fixed and value != fixed[name]:
            raise InputError(f"{where}: {name} must be {fixed[name]}, as the model has it; got {shown(value)}.")
        if isinstance(expected, bool) and not isinstance(value, bool):
            raise InputError(f"{where}: {name} must be true or false; got {shown(value)}.")
        if isinstance(expected, int | float) and not isinstance(expected, bool) and not is_number(value):
            raise InputError(f"{where}: {name} must be a number; got {shown(value)}.")
    return made_by_transformers(
        f"a feature extractor of {where}",
        AutoFeatureExtractor.from_pretrained,
        name_or_path,
        trust_remote_code=False,
        **changes,
    )
