"""Existing classifiers of utterances and frames: the same logits, label by label."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    HubertConfig,
    HubertForSequenceClassification,
    Wav2Vec2Config,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMForAudioFrameClassification,
)

from modeling_sed.checkpoints.classifiers import from_classifier
from tests.conftest import SMALL_ENCODER

CLASSIFIERS = {
    "utterances": (Wav2Vec2ForSequenceClassification, Wav2Vec2Config),
    "hubert": (HubertForSequenceClassification, HubertConfig),
    "frames": (WavLMForAudioFrameClassification, WavLMConfig),
}
NAMES = {0: "ang", 1: "Fear", 2: "neu", 3: "happiness"}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_logits_are_the_same(kind: str, weighted: bool, tmp_path: Path):
    torch.manual_seed(0)
    architecture, configuration = CLASSIFIERS[kind]
    config = configuration(
        **SMALL_ENCODER,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        id2label=NAMES,
        use_weighted_layer_sum=weighted,
        classifier_proj_size=24,
    )
    theirs = architecture(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    theirs.save_pretrained(tmp_path)
    ours, sentence = from_classifier(str(tmp_path), ["neutral", "happy", "sad", "angry", "fear"])
    assert "new: sad." in sentence and "angry (its ang)" in sentence and architecture.__name__ in sentence
    waves = torch.randn(2, 8000)
    with torch.no_grad():
        logits, expected = ours.eval()(waves).logits, theirs(waves).logits
    if kind != "frames":
        logits = logits.mean(dim=1)
    for index, name in enumerate(("angry", "fear", "neutral", "happy")):
        torch.testing.assert_close(
            logits[..., ours.config.labels.index(name)], expected[..., index], atol=1e-5, rtol=1e-5
        )


def test_an_encoder_is_no_classifier(tmp_path: Path):
    Wav2Vec2Model(Wav2Vec2Config(**SMALL_ENCODER)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="not a classifier of utterances or frames, but Wav2Vec2Model"):
        from_classifier(str(tmp_path))
