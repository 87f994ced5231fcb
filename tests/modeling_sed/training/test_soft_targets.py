"""Soft targets: distributions, hard where nothing is near, linear at joins; the loss is that of torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.modeling_sed import frame_loss, is_labelled
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.soft_targets import SoftTargets
from tests.conftest import small_model
from tests.modeling_sed.training.conftest import train_here

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


def test_there_are_none_by_default(options: TrainingOptions):
    assert SoftTargets.of_options(options) is None
    assert SoftTargets.of_options(replace(options, soft_joins=0.1)) == SoftTargets(0.0, 0.1)


def test_a_join_is_linear():
    targets = SoftTargets(join_seconds=0.04)(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 2, 0.02)
    np.testing.assert_allclose(targets[:, 1], [0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1], atol=1e-6)


@given(LABELS, st.floats(0, 1), st.floats(0, 0.5))
def test_every_target_is_a_distribution(frame_labels: np.ndarray, smoothing: float, seconds: float):
    targets = SoftTargets(smoothing, seconds)(frame_labels, 4, 0.02)
    assert targets.shape == (len(frame_labels), 4) and targets.dtype == np.float32
    assert (targets >= smoothing / 4 - 1e-6).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


@given(LABELS, st.floats(0, 0.3))
def test_far_from_joins_targets_are_the_labels(frame_labels: np.ndarray, seconds: float):
    targets = SoftTargets(join_seconds=seconds)(frame_labels, 4, 0.02)
    joins = np.flatnonzero(np.diff(frame_labels)) + 1
    for frame, label in enumerate(frame_labels):
        if all(abs(frame + 0.5 - join) * 0.02 > seconds for join in joins):
            np.testing.assert_allclose(targets[frame], np.eye(4)[label], atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_the_loss_is_torchs_own(seed: int, smoothing: float):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 5, 4, generator=generator)
    labels = torch.randint(0, 4, (2, 5), generator=generator)
    soft = torch.from_numpy(np.stack([SoftTargets(smoothing)(row.numpy(), 4, 0.02) for row in labels]))
    labels[1, 3:], soft[1, 3:] = -100, 0
    assert is_labelled(soft).equal(is_labelled(labels))
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-100, label_smoothing=smoothing
    )
    torch.testing.assert_close(frame_loss(logits, soft), expected, atol=1e-5, rtol=1e-5)


def test_padding_has_no_part_in_the_loss():
    model = small_model()
    waves, mask = torch.randn(2, 8000), torch.ones(2, 8000, dtype=torch.long)
    mask[1, 5000:] = 0
    labels = torch.randint(0, 4, (2, 24))
    soft = torch.nn.functional.one_hot(labels, 4).float()
    expected = model(waves, attention_mask=mask, labels=labels).loss
    torch.testing.assert_close(model(waves, attention_mask=mask, labels=soft).loss, expected)
    with pytest.raises(ValueError, match=r"got \(2, 24, 3\) \(probabilities: \(2, 24, 4\)\)"):
        model(waves, labels=soft[..., :3])


def test_training_with_certain_probabilities_is_training_with_labels(odd_data: Path, encoder: Path, tmp_path: Path):
    common = {"dataset": odd_data, "encoder": encoder, "num_train_epochs": 1}
    hard = train_here(**common, output_dir=tmp_path / "hard")
    certain = train_here(**common, output_dir=tmp_path / "certain", soft_joins=0.001)
    smooth = train_here(**common, output_dir=tmp_path / "smooth", label_smoothing_factor=0.2)
    losses = [run["history"][0]["train_loss"] for run in (hard, certain, smooth)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5) and abs(losses[2] - losses[0]) > 1e-5
