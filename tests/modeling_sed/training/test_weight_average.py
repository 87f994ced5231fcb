"""The moving average of weights: what it is, that adapters and frozen weights are in it, that it is what is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from safetensors.torch import load_file

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.model_setup import build_model
from modeling_sed.training.weight_average import weight_average
from tests.modeling_sed.training.conftest import train_here


def test_there_is_none_by_default(options: TrainingOptions):
    assert weight_average(torch.nn.Linear(1, 1), options, Accelerator(cpu=True)) is None


def test_it_forgets_quickly_at_first_then_as_asked(options: TrainingOptions):
    model = torch.nn.Linear(1, 1, bias=False)
    average = weight_average(model, replace(options, average_weights=0.5), Accelerator(cpu=True))
    expected, kept = 1.0, [2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17, 0.5, 0.5, 0.5]
    for step, weight in enumerate(range(1, 12)):
        torch.nn.init.constant_(model.weight, weight)
        average.update_parameters(model)
        if step:
            expected = kept[step - 1] * expected + (1 - kept[step - 1]) * weight
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-6)
    assert model.weight.item() == 11  # training goes on from the weights themselves


def test_what_does_not_change_is_kept_to_the_bit(options: TrainingOptions):
    options = replace(options, average_weights=0.9, lora_rank=2)
    torch.manual_seed(0)
    model, _ = build_model(options)
    average = weight_average(model, options, Accelerator(cpu=True))
    for _ in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter += 0.1 * torch.randn_like(parameter)
        average.update_parameters(model)
    averaged = dict(average.module.named_parameters())
    for name, parameter in model.named_parameters():
        assert averaged[name].equal(parameter) != parameter.requires_grad, name
    waves = torch.randn(1, 8000)
    assert not average.module.eval()(waves).logits.equal(model.eval()(waves).logits)


def test_the_average_is_what_is_validated_and_saved(data: Path, encoder: Path, tmp_path: Path):
    common = {"dataset": data, "encoder": encoder, "num_train_epochs": 1, "encoder_learning_rate": 1e-3}
    plain = train_here(**common, output_dir=tmp_path / "plain")
    averaged = train_here(**common, output_dir=tmp_path / "averaged", average_weights=0.9)
    assert averaged["history"][0]["train_loss"] == plain["history"][0]["train_loss"]  # training is the same
    weights = {
        name: load_file(path / "model.safetensors")["classifier.weight"]
        for name, path in {
            "plain": tmp_path / "plain",
            "saved": tmp_path / "averaged",
            "last": max((tmp_path / "averaged" / "checkpoints").iterdir()),
        }.items()
    }
    assert weights["last"].equal(weights["plain"]) and not weights["saved"].equal(weights["plain"])


def test_sharded_models_are_refused(options: TrainingOptions, monkeypatch: pytest.MonkeyPatch):
    accelerator = Accelerator(cpu=True)
    monkeypatch.setattr(accelerator.state, "distributed_type", DistributedType.FSDP)
    with pytest.raises(ValueError, match=r"--average-weights 0\.9: not with a sharded model"):
        weight_average(torch.nn.Linear(1, 1), replace(options, average_weights=0.9), accelerator)
