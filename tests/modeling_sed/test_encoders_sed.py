"""Encoders that take features: their frames, their hidden states against transformers', independence of the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import WhisperConfig, WhisperForAudioClassification, pipeline

import modeling_sed
from modeling_sed import SEDConfig, SEDForAudioFrameClassification
from modeling_sed.encoders_sed import pad_inputs
from modeling_sed.whisper_encoder_sed import sinusoids
from tests.conftest import SMALL_FEATURE_ENCODERS, save_model, small_model

FAMILIES = sorted(SMALL_FEATURE_ENCODERS)
HEADS = {
    "paper": {},
    "plain": {"normalize_encoder_output": False, "classifier_bias": True},
    "layers": {"use_weighted_layer_sum": True},
}
MODELS = {family: small_model(family) for family in FAMILIES}
EXTRACTORS = {
    family: model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    for family, model in MODELS.items()
}


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)


def inputs_of(family: str, samples: int) -> np.ndarray:
    return MODELS[family].config.encoder_family.extract(EXTRACTORS[family], noise(samples), 16_000)


def arguments(family: str, batch: list[np.ndarray]) -> dict[str, torch.Tensor]:
    inputs, mask = pad_inputs(batch, MODELS[family].config.encoder_family.time_axis)
    return {"input_features": inputs, "attention_mask": mask}


def literal_frame_count(family: str, samples: int) -> int:
    """By what is written about the two."""
    if family == "whisper":
        return -(-(samples // 160) // 2)
    return ((samples - 400) // 160 + 1) // 2 if samples >= 400 else 0


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40, deadline=None)
@given(samples=st.integers(1, 12_000))
@torch.inference_mode()
def test_there_are_as_many_frames_as_the_geometry_says(family: str, samples: int):
    geometry = MODELS[family].config.geometry
    expected = literal_frame_count(family, samples)
    assert geometry.frame_count(samples) == expected and geometry.hop == 320
    assert (expected == 0) == (samples < geometry.receptive_field)
    if expected == 0:
        with pytest.raises(ValueError, match="shorter than one frame"):
            geometry.boundaries(samples)
        return
    assert (np.diff(geometry.boundaries(samples)) > 0).all()
    logits = MODELS[family](**arguments(family, [inputs_of(family, samples)])).logits
    assert logits.shape == (1, expected, 4) and logits.isfinite().all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("head", HEADS)
@torch.inference_mode()
def test_utterance_does_not_depend_on_padding_or_batch(family: str, head: str):
    model = small_model(family, **HEADS[head])
    lengths = (16_000, model.config.geometry.receptive_field, 9_999, 16_160, 32_000, 719)
    batch = [inputs_of(family, samples) for samples in lengths]
    padded = arguments(family, batch)
    batched = model(**padded).logits
    beyond = torch.where(padded["input_features"] == 0, 9.0, padded["input_features"])  # what padding holds
    for row, (samples, inputs) in enumerate(zip(lengths, batch, strict=True)):
        alone = model(input_features=torch.from_numpy(inputs)[None]).logits[0]
        assert len(alone) == model.config.geometry.frame_count(samples)
        for found in (batched, model(input_features=beyond, attention_mask=padded["attention_mask"]).logits):
            torch.testing.assert_close(found[row, : len(alone)], alone, atol=1e-5, rtol=1e-5)
    assert batched.std(dim=1).max() > 1e-3


@torch.inference_mode()
def test_whisper_hears_30_seconds_as_transformers_does():
    model = MODELS["whisper"]
    inputs = torch.from_numpy(inputs_of("whisper", 480_000))[None]
    theirs = model.encoder(inputs, output_hidden_states=True)
    ours = model(input_features=inputs, output_hidden_states=True)
    for one, other in zip(ours.hidden_states, theirs.hidden_states, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("samples", [160, 5_000, 16_161, 100_000, 480_000, 481_000])
@torch.inference_mode()
def test_whisper_hears_any_length_layer_by_layer(samples: int):
    """Written out once more, with attention as two matrix products."""
    encoder = MODELS["whisper"].encoder
    inputs = torch.from_numpy(inputs_of("whisper", samples))
    states = torch.nn.functional.gelu(encoder.conv2(torch.nn.functional.gelu(encoder.conv1(inputs)))).T
    states = states + sinusoids(len(states), 32)
    expected = [states]
    for layer in encoder.layers:
        attention, normed = layer.self_attn, layer.self_attn_layer_norm(states)
        heads = [
            projection(normed).view(len(states), 4, 8).transpose(0, 1)
            for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
        ]
        weights = (heads[0] @ heads[1].mT / 8**0.5).softmax(dim=-1)
        states = states + attention.out_proj((weights @ heads[2]).transpose(0, 1).flatten(1))
        states = states + layer.fc2(torch.nn.functional.gelu(layer.fc1(layer.final_layer_norm(states))))
        expected.append(states)
    expected[-1] = encoder.layer_norm(states)
    found = MODELS["whisper"](input_features=inputs[None], output_hidden_states=True).hidden_states
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one[0], other, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_w2v_bert_hears_what_transformers_does_on_its_own_batches():
    model, lengths = MODELS["wav2vec2-bert"], (16_000, 9_999, 16_160, 719)
    theirs = EXTRACTORS["wav2vec2-bert"](
        [noise(samples) for samples in lengths], sampling_rate=16_000, return_tensors="pt"
    )
    ours = arguments("wav2vec2-bert", [inputs_of("wav2vec2-bert", samples) for samples in lengths])
    frames = ours["attention_mask"].sum(dim=1)
    assert frames.equal(theirs["attention_mask"].sum(dim=1))
    found = model(**ours, output_hidden_states=True).hidden_states
    expected = model.encoder(**theirs, output_hidden_states=True).hidden_states
    for one, other in zip(found, expected, strict=True):
        for row, count in enumerate(frames):
            torch.testing.assert_close(one[row, :count], other[row, :count], atol=1e-4, rtol=1e-4)


def test_the_positions_are_those_that_transformers_initialises():
    torch.testing.assert_close(MODELS["whisper"].encoder.embed_positions.weight, sinusoids(1500, 32), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_every_trained_weight_and_no_padding(family: str):
    model = small_model(family, use_weighted_layer_sum=True).train()
    padded = arguments(family, [inputs_of(family, 16_000), inputs_of(family, 8_000)])
    padded["input_features"].requires_grad_()
    model(**padded, labels=torch.zeros(2, literal_frame_count(family, 16_000), dtype=torch.long)).loss.backward()
    without = {name for name, weight in model.named_parameters() if weight.requires_grad and weight.grad is None}
    assert without <= {"encoder.masked_spec_embed"}
    steps_last = padded["input_features"].grad.movedim(1 + model.config.encoder_family.time_axis, -1)
    assert steps_last[0].abs().sum() > 0 and steps_last[1][..., padded["attention_mask"][1] == 0].abs().sum() == 0


def test_masks_hide_about_their_share_of_a_spectrogram_and_only_in_training():
    masked = {"apply_spec_augment": True, "mask_time_prob": 0.3, "mask_feature_prob": 0.2}
    model = small_model("whisper", encoder_arguments={**masked, "dropout": 0.0})
    inputs = torch.ones(64, 80, 3000)
    seen = []
    model.encoder.conv1.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        model(input_features=inputs[:1, :, :100])
        model.train()(input_features=inputs[:, :, :100])
    assert (seen[0] == 1).all()
    hidden = (seen[1] == 0).float()
    assert 0.1 < hidden.amin(dim=1).mean() < 0.35 and 0.05 < hidden.amin(dim=2).mean() < 0.25


def test_a_pretrained_checkpoint_keeps_its_lowest_layers(tmp_path):
    torch.manual_seed(0)
    config = WhisperConfig(**SMALL_FEATURE_ENCODERS["whisper"] | {"encoder_layers": 3})
    whole = WhisperForAudioClassification(config)
    whole.save_pretrained(tmp_path)
    model = SEDForAudioFrameClassification.from_encoder(tmp_path, encoder_arguments={"num_hidden_layers": 2})
    assert model.config.encoder_config.num_hidden_layers == len(model.encoder.layers) == 2
    for name, weight in model.encoder.state_dict().items():
        assert weight.equal(whole.encoder.state_dict()[name]), name
    with pytest.raises(ValueError, match=r"Cannot keep 4 layers of .*: it has 3"):
        SEDForAudioFrameClassification.from_encoder(tmp_path, encoder_arguments={"num_hidden_layers": 4})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_is_a_pipeline_whose_results_do_not_depend_on_the_batch(family: str, tmp_path):
    diarize = pipeline(modeling_sed.TASK, model=str(save_model(small_model(family), tmp_path)))
    recordings = [noise(samples) for samples in (560, 30_000, 16_000 * 40, 70_001)]
    alone = [diarize(recording, return_scores=True, window=8.0) for recording in recordings]
    together = diarize(recordings, return_scores=True, window=8.0, batch_size=4)
    for recording, one, other in zip(recordings, alone, together, strict=True):
        frames = MODELS[family].config.geometry.frame_count(len(recording))
        assert one["posteriors"].shape == (frames, 4)
        np.testing.assert_allclose(one["posteriors"], other["posteriors"], atol=1e-5)
        assert one["segments"][0]["start"] == 0 and one["segments"][-1]["end"] == len(recording) / 16_000


@pytest.mark.parametrize("family", FAMILIES)
def test_silence_has_finite_posteriors(family: str, tmp_path):
    diarize = pipeline(modeling_sed.TASK, model=str(save_model(small_model(family), tmp_path)))
    assert np.isfinite(diarize(np.zeros(16_000, np.float32), return_scores=True)["posteriors"]).all()


def test_the_wrong_input_is_refused():
    with pytest.raises(ValueError, match="takes input_features, as its feature extractor computes them"):
        MODELS["whisper"](torch.zeros(1, 16_000))
    with pytest.raises(ValueError, match="takes input_values"):
        small_model()(input_features=torch.zeros(1, 80, 100))
    with pytest.raises(ValueError, match="normalize_waveform: encoders of type whisper take no waveforms"):
        SEDConfig(encoder_config=SMALL_FEATURE_ENCODERS["whisper"], normalize_waveform=True)
