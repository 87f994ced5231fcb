"""NewBob anneals as SpeechBrain's scheduler does."""

from __future__ import annotations

import json

import pytest
import torch

from modeling_sed.training.newbob import NewBob
from tests.modeling_sed.training.freeze_speechbrain_newbob import FACTORS, FROZEN, RUNS, random_metrics


def optimizer_with(*groups: tuple[float, float]) -> torch.optim.Optimizer:
    """One parameter a group, each with its rate and factor."""
    return torch.optim.Adam(
        [
            {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate, "annealing_factor": factor}
            for rate, factor in groups
        ]
    )


def test_decisions_by_hand():
    optimizer = optimizer_with((1.0, 0.5), (8.0, 0.25))
    annealing = NewBob(optimizer, improvement_threshold=0.1)
    # metric, and the first group's rate after it: relative improvements are -, 0.2, 0.05, -0.32, 0.1 (at the threshold)
    for metric, rate in (
        (100.0, 1.0),
        (80.0, 1.0),
        (76.0, 0.5),
        (100.0, 0.25),
        (90.0, 0.25),
        (0.0, 0.25),
        (0.0, 0.125),
    ):
        annealing.step(metric)
        assert optimizer.param_groups[0]["lr"] == rate
    assert optimizer.param_groups[1]["lr"] == 8.0 * 0.25**3


def test_speechbrains_decisions():
    frozen = json.loads(FROZEN.read_text())["rates"]
    assert len(frozen) == RUNS
    for number, expected in enumerate(frozen):
        optimizer = optimizer_with(*FACTORS.values())
        annealing = NewBob(optimizer)
        for metric, rates in zip(random_metrics(number), expected, strict=True):
            annealing.step(metric)
            assert [group["lr"] for group in optimizer.param_groups] == pytest.approx(rates, rel=1e-12)
    lowest = min(rates[-1][0] for rates in frozen)
    assert lowest < 1e-5 * 0.9**8  # the runs hold many annealings


def test_it_goes_on_from_its_state():
    optimizer = optimizer_with((1.0, 0.5))
    annealing = NewBob(optimizer)
    annealing.step(0.5)
    other = NewBob(optimizer)
    other.load_state_dict(annealing.state_dict())
    other.step(0.5)
    assert optimizer.param_groups[0]["lr"] == 0.5
