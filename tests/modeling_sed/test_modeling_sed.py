"""The model: independence of padding and batch, loss, normalisation against plain references, saving."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoConfig, AutoModelForAudioFrameClassification, BertConfig, Wav2Vec2Model
from transformers.models.wavlm.modeling_wavlm import WavLMModel

from modeling_sed import SEDConfig, SEDForAudioFrameClassification
from modeling_sed.modeling_sed import frame_loss, utterance_layer_norm
from tests.conftest import SMALL_ENCODER, small_model

ENCODERS = ["wavlm", "wav2vec2", "hubert"]
SAMPLES = (16_000, 400, 9_999, 4_320, 16_000, 719)


def padded_batch(lengths: tuple[int, ...] = SAMPLES, padding: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)).long()
    waveforms = torch.randn(len(lengths), max(lengths), generator=generator)
    return torch.where(mask.bool(), waveforms, padding), mask


@pytest.mark.parametrize("model_type", ENCODERS)
@pytest.mark.parametrize("feat_extract_norm", ["layer", "group"])
@pytest.mark.parametrize(
    "head",
    [
        {},
        {"normalize_encoder_output": False, "classifier_bias": True},
        {"use_weighted_layer_sum": True},
    ],
    ids=["paper", "plain", "layers"],
)
@torch.inference_mode()
def test_utterance_does_not_depend_on_padding_or_batch(model_type: str, feat_extract_norm: str, head: dict):
    model = small_model(model_type, feat_extract_norm, **head)
    waveforms, mask = padded_batch()
    batched = model(waveforms, attention_mask=mask).logits
    for row, samples in enumerate(SAMPLES):
        alone = model(waveforms[row : row + 1, :samples]).logits[0]
        assert len(alone) == model.config.geometry.frame_count(samples)
        torch.testing.assert_close(batched[row, : len(alone)], alone, atol=1e-5, rtol=1e-5)
    assert batched.std(dim=1).max() > 1e-3  # the logits do vary, so that equality says something


@torch.inference_mode()
def test_content_of_the_padding_is_never_seen():
    model = small_model()
    silence, mask = padded_batch(padding=0.0)
    loud, _ = padded_batch(padding=3.0)
    frames = model.config.geometry.frame_count(9_999)
    expected = model(silence, attention_mask=mask).logits[2, :frames]
    torch.testing.assert_close(model(loud, attention_mask=mask).logits[2, :frames], expected, atol=1e-5, rtol=1e-5)


def test_loss_is_the_mean_over_labelled_frames_of_a_padded_batch():
    model = small_model()
    waveforms, mask = padded_batch()
    geometry = model.config.geometry
    frames = [geometry.frame_count(samples) for samples in SAMPLES]
    labels = torch.randint(0, 4, (len(SAMPLES), max(frames)), generator=torch.Generator().manual_seed(2))
    labels[0, 5:9] = -100
    output = model(waveforms, attention_mask=mask, labels=labels)  # labels of padded frames are not -100 here
    losses = []
    for row, samples in enumerate(SAMPLES):
        logits = model(waveforms[row : row + 1, :samples]).logits[0]
        log_likelihoods = logits.log_softmax(dim=-1)
        losses += [
            -log_likelihoods[frame, labels[row, frame]] for frame in range(frames[row]) if labels[row, frame] >= 0
        ]
    torch.testing.assert_close(output.loss, torch.stack(losses).mean(), atol=1e-5, rtol=1e-5)
    halved = model(waveforms, attention_mask=mask, labels=labels, num_items_in_batch=2 * len(losses))
    torch.testing.assert_close(halved.loss * 2, output.loss)


def test_loss_without_any_labelled_frame_is_zero_and_has_a_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    loss = frame_loss(logits, torch.full((2, 3), -100))
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()


def test_gradients_do_not_depend_on_padding():
    waveforms, mask = padded_batch((8_000, 5_000))
    labels = torch.zeros(2, 24, dtype=torch.long)
    together = small_model()
    together(waveforms, attention_mask=mask, labels=labels).loss.backward()
    apart = small_model()
    frames = [24, 15]  # (8000 - 400) // 320 + 1, (5000 - 400) // 320 + 1
    for row, samples in enumerate((8_000, 5_000)):
        loss = apart(
            waveforms[row : row + 1, :samples],
            labels=labels[row : row + 1, : frames[row]],
            num_items_in_batch=39,
        ).loss
        loss.backward()
    for (name, expected), (_, actual) in zip(apart.named_parameters(), together.named_parameters(), strict=True):
        if expected.grad is not None:
            torch.testing.assert_close(actual.grad, expected.grad, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_counts_what_is_valid(dtype: torch.dtype):
    hidden = torch.randn(2, 300, 1024, generator=torch.Generator().manual_seed(0)).to(dtype)  # 307,200 values: > 65,504
    normed = utterance_layer_norm(hidden, torch.arange(300) < torch.tensor([[300], [200]]))
    assert normed.dtype == dtype
    for found, alone in ((normed[0], hidden[0]), (normed[1, :200], hidden[1, :200])):
        expected = torch.nn.functional.layer_norm(alone.double(), alone.shape)
        torch.testing.assert_close(found.double(), expected, atol=0.02, rtol=0.01)


def test_utterance_layer_norm_is_that_of_each_utterance_alone():
    hidden = torch.randn(3, 7, 5) * 2 + 1
    valid = torch.arange(7) < torch.tensor([[7], [3], [1]])
    normed = utterance_layer_norm(hidden, valid)
    for row, frames in enumerate((7, 3, 1)):
        alone = hidden[row, :frames]
        expected = torch.nn.functional.layer_norm(alone, alone.shape)
        torch.testing.assert_close(normed[row, :frames], expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(utterance_layer_norm(hidden, None)[0], normed[0], atol=1e-5, rtol=1e-5)


def test_save_and_load_give_the_same_model(tmp_path):
    model = small_model(use_weighted_layer_sum=True, labels=["neutral", "bored"])
    waveforms, mask = padded_batch()
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    loaded = AutoModelForAudioFrameClassification.from_pretrained(tmp_path)
    assert type(loaded) is SEDForAudioFrameClassification
    with torch.inference_mode():
        assert torch.equal(loaded(waveforms, mask).logits, model(waveforms, mask).logits)
    config = AutoConfig.from_pretrained(tmp_path)
    assert config.labels == ["neutral", "bored"]
    assert config.encoder_config.hidden_size == SMALL_ENCODER["hidden_size"]
    assert config.to_diff_dict() == model.config.to_diff_dict()


@pytest.mark.parametrize(("model_type", "encoder_class"), [("wavlm", WavLMModel), ("wav2vec2", Wav2Vec2Model)])
def test_from_encoder_takes_the_weights_and_a_new_head(tmp_path, model_type: str, encoder_class: type):
    encoder = small_model(model_type).encoder
    encoder.save_pretrained(tmp_path)
    model = SEDForAudioFrameClassification.from_encoder(str(tmp_path), labels=["neutral", "happy"])
    assert type(model.encoder) is encoder_class
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], tensor), name
    assert model.classifier.weight.shape == (2, 32)
    assert model.config.encoder_config.layerdrop == 0


def test_freeze_feature_encoder_keeps_no_graph_in_the_convolutions():
    model = small_model()
    model.freeze_feature_encoder()
    waveforms, mask = padded_batch()
    model(waveforms, mask, labels=torch.zeros(len(SAMPLES), 49, dtype=torch.long)).loss.backward()
    assert all(parameter.grad is None for parameter in model.encoder.feature_extractor.parameters())
    assert all(parameter.grad is not None for name, parameter in model.named_parameters() if parameter.requires_grad)


def test_unsupported_encoders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'bert' is not supported: use one of wavlm, wav2vec2, hubert"):
        SEDConfig(encoder_config=BertConfig())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="'bert' is not supported"):
        SEDForAudioFrameClassification.from_encoder(str(tmp_path))


def test_models_that_average_frames_are_refused():
    assert SEDConfig(pooling_kernel=1, pooling_stride=1).to_diff_dict() == SEDConfig().to_diff_dict()  # earlier models
    with pytest.raises(ValueError, match="averages frames"):
        SEDConfig(pooling_kernel=3)


@pytest.mark.parametrize("labels", [["happy", "sad"], ["neutral", "neutral"]])
def test_labels_must_be_distinct_and_contain_neutral(labels: list[str]):
    with pytest.raises(ValueError, match="Labels must be distinct and contain the neutral label 'neutral'"):
        SEDConfig(labels=labels)


def test_bad_tensors_are_refused():
    model = small_model()
    with pytest.raises(ValueError, match="input_values of length 399 are shorter than one frame: at least 400"):
        model(torch.zeros(1, 399))
    with pytest.raises(ValueError, match=r"\(batch, frames\) = \(1, 49\); got \(1, 50\)"):
        model(torch.zeros(1, 16_000), labels=torch.zeros(1, 50, dtype=torch.long))
