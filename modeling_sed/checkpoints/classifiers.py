"""Models that start from an emotion classifier of transformers: from its encoder and, where labels match, its head.

A classifier of whole utterances (``Wav2Vec2ForSequenceClassification`` and similar ones) projects every frame, averages
and classifies. All three are linear, so averaging last gives the same: its two layers become one layer for every frame
here, and the mean of the frames' logits is its logits for the utterance. The head of a classifier of frames
(``WavLMForAudioFrameClassification`` …) is used as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import AutoModelForAudioClassification, AutoModelForAudioFrameClassification

from ..configuration_sed import PAPER_LABELS, SEDConfig, load_encoder_config
from ..encoders_sed import load_pretrained
from ..frames_sed import InputError
from ..modeling_sed import SEDForAudioFrameClassification

# what published classifiers call the emotions
SYNONYMS = {
    "neu": "neutral",
    "calm": "neutral",
    "hap": "happy",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "ang": "angry",
    "anger": "angry",
}


def from_classifier(
    pretrained_model_name_or_path: str,
    labels: Sequence[str] = PAPER_LABELS,
    synonyms: Mapping[str, str] = SYNONYMS,
    encoder_arguments: Mapping[str, Any] | None = None,
) -> tuple[SEDForAudioFrameClassification, str]:
    """A model whose encoder and, label by label, head are those of an existing classifier.

    Args:
        pretrained_model_name_or_path: hub id or folder of a classifier of utterances or frames.
        labels: of the new model. Those that the classifier has, too, get its weights; others are newly initialised.
        synonyms: from a label of the classifier to the same label of the new model, where the two differ.
        encoder_arguments: changes to the encoder's configuration.

    Returns:
        The model, and a sentence that says what was copied and what is newly initialised.

    Raises:
        InputError: if the checkpoint is not such a classifier, or lacks weights of it.
        OSError: if there is no such checkpoint.
    """
    arguments = {"layerdrop": 0.0, "apply_spec_augment": False, **(encoder_arguments or {})}
    their_config = load_encoder_config(pretrained_model_name_or_path, **arguments)
    architecture = (their_config.architectures or ["none"])[0]
    loader: type[AutoModelForAudioClassification | AutoModelForAudioFrameClassification]
    if architecture.endswith("ForSequenceClassification"):
        loader = AutoModelForAudioClassification
    elif architecture.endswith("ForAudioFrameClassification"):
        loader = AutoModelForAudioFrameClassification
    else:
        raise InputError(
            f"{pretrained_model_name_or_path} is not a classifier of utterances or frames, but {architecture}; "
            "to start from an encoder, use SEDForAudioFrameClassification.from_encoder."
        )
    theirs = load_pretrained(loader, pretrained_model_name_or_path, their_config)
    config = SEDConfig(
        encoder_config=theirs.base_model.config,
        labels=labels,
        use_weighted_layer_sum=their_config.use_weighted_layer_sum,
        normalize_encoder_output=False,
        classifier_bias=True,
    )
    model = SEDForAudioFrameClassification(config, theirs.base_model)
    taken = _take_head(model, theirs, labels, synonyms)
    new = [label for label in labels if label not in taken]
    heads = ", ".join(f"{label} (its {theirs_name})" for label, theirs_name in taken.items()) or "no label"
    sentence = f"copied from {pretrained_model_name_or_path} ({architecture}): the encoder and the head of {heads}"
    return model, f"{sentence}; new: {', '.join(new) or 'nothing'}."


@torch.no_grad()
def _take_head(
    model: SEDForAudioFrameClassification, theirs: Any, labels: Sequence[str], synonyms: Mapping[str, str]
) -> dict[str, str]:
    """Copies the weights of all labels that both heads have; returns the other head's names of these labels."""
    if model.config.use_weighted_layer_sum:
        model.layer_weights.copy_(theirs.layer_weights)
    weight, bias = theirs.classifier.weight, theirs.classifier.bias
    if hasattr(theirs, "projector"):
        bias = weight @ theirs.projector.bias + bias
        weight = weight @ theirs.projector.weight
    taken = {}
    for index, name in sorted(theirs.config.id2label.items()):
        label = synonyms.get(name.lower(), name.lower())
        if label in labels and label not in taken:
            taken[label] = name
            model.classifier.weight[labels.index(label)] = weight[index]
            model.classifier.bias[labels.index(label)] = bias[index]
    return taken
