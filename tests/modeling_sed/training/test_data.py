"""What an epoch hears: with --balance, the emotions of each corpus equally often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from accelerate import Accelerator
from datasets import Dataset
from transformers import Wav2Vec2FeatureExtractor

from modeling_sed import SEDConfig
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.data import batches_in_epoch, train_loader

SOUNDS = [("a", "sad")] * 8 + [("a", "happy")] * 2 + [("b", "sad")] * 2


def row(number: int, corpus: str, emotion: str) -> dict:
    """Half of the utterances begin with a neutral segment, which makes no difference."""
    neutral = [{"start": 0.0, "end": 0.5, "label": "neutral"}] * (number % 2)
    segments = [*neutral, {"start": 0.5, "end": 1.0, "label": emotion}]
    return {"name": str(number), "duration": 1.0, "segments": segments, "corpus": corpus}


ROWS = Dataset.from_list([row(number, *sound) for number, sound in enumerate(SOUNDS)])


def heard(rows: Dataset, options: TrainingOptions, epoch: int = 0) -> list[int]:
    collator = SEDDataCollator(Wav2Vec2FeatureExtractor(), SEDConfig())
    plan = train_loader(rows, collator, options, Accelerator(cpu=True), epoch).dataset.plan
    assert len(plan) == batches_in_epoch(rows, options, 1)
    return [number for numbers, _ in plan for number in numbers]


@pytest.mark.parametrize("epoch", range(3))
def test_emotions_of_corpora_are_balanced_if_asked(options: TrainingOptions, epoch: int):
    assert sorted(heard(ROWS, options, epoch)) == list(range(12))
    numbers = heard(ROWS, replace(options, balance=True), epoch)
    assert Counter(SOUNDS[number] for number in numbers) == dict.fromkeys(SOUNDS, 4)


def test_without_corpora_emotions_are_balanced(options: TrainingOptions):
    numbers = heard(ROWS.remove_columns("corpus"), replace(options, balance=True))
    assert Counter(SOUNDS[number][1] for number in numbers) == {"sad": 6, "happy": 6}
