"""The paper's recipe (section 5.2) against a rendering of it in plain torch that shares no code with ours."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from accelerate import Accelerator
from datasets import load_from_disk
from transformers import WavLMConfig, WavLMModel

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.batching import shuffled
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.data import train_loader
from modeling_sed.training.model_setup import build_model
from tests.modeling_sed.training.conftest import NO_DROPOUT, TINY_ENCODER
from train_sed import start, train_one_step

LABELS = ("neutral", "happy", "sad", "angry")
STEPS, BATCH = 10, 2


def slow_frame_labels(segments: list[dict], samples: int, frames: int) -> torch.Tensor:
    """The label that lasts longest in each 20 ms; the last frame reaches to the end."""
    labels = []
    for frame in range(frames):
        first, last = 320 * frame, 320 * (frame + 1) if frame < frames - 1 else samples
        lasting = dict.fromkeys(LABELS, 0)
        for sample in range(first, last):
            here = [s["label"] for s in segments if s["start"] * 16_000 <= sample < s["end"] * 16_000]
            lasting[here[0] if here else "neutral"] += 1
        labels.append(max(LABELS, key=lambda label: (lasting[label], label != "neutral")))
    return torch.tensor([LABELS.index(label) for label in labels])


def plain_torch_losses(weights: dict[str, torch.Tensor], rows: list[dict], head_rate: float = 1e-4) -> list[float]:
    """Trains on two utterances a step, each encoded alone."""
    config = {name: value for name, value in (TINY_ENCODER | NO_DROPOUT).items() if name != "model_type"}
    encoder = WavLMModel(WavLMConfig(**config)).train()
    own = {name.removeprefix("encoder."): tensor for name, tensor in weights.items() if name.startswith("encoder.")}
    assert set(encoder.load_state_dict(own, strict=False).missing_keys) <= {"masked_spec_embed"}  # not used
    head = weights["classifier.weight"].clone().requires_grad_()
    learning = [p for name, p in encoder.named_parameters() if not name.startswith("feature_extractor")]
    optimizers = [torch.optim.Adam(learning, lr=1e-5), torch.optim.Adam([head], lr=head_rate)]
    losses = []
    for step in range(STEPS):
        total, frames = 0.0, 0
        for row in rows[BATCH * step : BATCH * (step + 1)]:
            wave = torch.tensor(soundfile.read(io.BytesIO(row["audio"]["bytes"]))[0], dtype=torch.float32)
            wave = (wave - wave.mean()) / torch.sqrt(wave.var(correction=0) + 1e-7)
            hidden = encoder(wave[None]).last_hidden_state[0]
            hidden = (hidden - hidden.mean()) / torch.sqrt(hidden.var(correction=0) + 1e-5)
            log_posteriors = torch.log(torch.softmax(hidden @ head.T, dim=-1))
            labels = slow_frame_labels(row["segments"], len(wave), len(hidden))
            total = total - log_posteriors[torch.arange(len(labels)), labels].sum()
            frames += len(labels)
        loss = total / frames
        losses.append(loss.item())
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        gradients = [p.grad for p in [*learning, head] if p.grad is not None]
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        for gradient in gradients:
            gradient *= min(1.0, 5.0 / (norm + 1e-6))
        for optimizer in optimizers:
            optimizer.step()
    return losses


def test_the_first_losses_are_those_of_the_recipe(options: TrainingOptions, odd_data, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    options = replace(options, dataset=str(odd_data), freeze_feature_encoder=True)
    rows = load_from_disk(str(odd_data))["train"]
    torch.manual_seed(3)
    model, feature_extractor = build_model(options)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    accelerator = Accelerator()
    run = start(accelerator, model, {"train": rows, "validation": rows}, options)
    model.train()
    collator = SEDDataCollator(feature_extractor, model.config)
    ours, order = [], []
    for epoch in range(2):
        numbers, _ = shuffled(len(rows), options.seed, epoch)
        # 11 utterances make 6 batches of 2; the one that is left over would shift the pairs of the plain rendering
        order += list(numbers)[:10]
        for batch in list(train_loader(rows, collator, options, accelerator, epoch))[:5]:
            loss, frames, _ = train_one_step(run, [batch], options)
            ours.append(loss / frames)
    assert len(ours) == STEPS
    seen = [rows[number] for number in order]
    np.testing.assert_allclose(ours, plain_torch_losses(weights, seen), atol=1e-5)
    # the comparison is sharp enough to notice one wrong learning rate
    assert np.abs(np.subtract(ours, plain_torch_losses(weights, seen, head_rate=1e-3))).max() > 1e-4
    assert ours[-1] != pytest.approx(plain_torch_losses(weights, seen[::-1])[-1], abs=1e-5)
