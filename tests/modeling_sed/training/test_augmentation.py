"""Augmentation: labels move with the sound; the same for an utterance and an epoch, whatever else is drawn."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.augmentation import Augmentation

SEGMENTS = [{"start": 0.5, "end": 1.0, "label": "happy"}]


def wave() -> np.ndarray:
    """Silence, and from 0.5 s on a tone."""
    time = np.arange(16_000) / 16_000
    return (0.3 * (time >= 0.5) * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


def test_nothing_is_done_by_default(options: TrainingOptions):
    assert Augmentation.of_options(options, 16_000) is None


def test_labels_move_along_with_speed():
    augmentation = Augmentation(speed=0.3, probability=1.0)
    lengths = set()
    for number in range(10):
        changed, (segment,) = augmentation(wave(), SEGMENTS, str(number))
        lengths.add(len(changed))
        onset = np.flatnonzero(np.abs(changed) > 0.02)[0] / 16_000
        assert segment["start"] == pytest.approx(onset, abs=0.005)
        assert segment["end"] == pytest.approx(len(changed) / 16_000, abs=1e-9)
        assert segment["label"] == "happy" and 1 / 1.31 < len(changed) / 16_000 < 1 / 0.69
    assert len(lengths) == 10


def test_noise_rooms_and_gain(options: TrainingOptions, tmp_path: Path):
    rng = np.random.default_rng(0)
    for name in ("noises", "rooms"):
        (tmp_path / name).mkdir()
    soundfile.write(tmp_path / "noises" / "hum.wav", 0.1 * rng.standard_normal(32_000), 16_000)
    response = np.zeros(4000)
    response[[0, 1600]] = 0.9, 0.5
    soundfile.write(tmp_path / "rooms" / "hall.wav", response, 16_000)
    loud = wave() + 0.05
    for changes, differs in (
        ({"augment_noises": str(tmp_path / "noises")}, True),
        ({"augment_rooms": str(tmp_path / "rooms")}, True),
        ({"augment_gain": 12.0}, True),
        ({"augment_gain": 12.0, "augment_probability": 0.0}, False),
    ):
        given = replace(options, **{"augment_probability": 1.0} | changes)
        augmentation = Augmentation.of_options(given, 16_000)
        changed, segments = augmentation(loud, SEGMENTS, "key")
        assert changed.shape == loud.shape and changed.dtype == np.float32 and segments == SEGMENTS
        assert (not np.allclose(changed, loud, atol=1e-3)) == differs


def test_changes_depend_on_the_key_alone(options: TrainingOptions):
    augmentation = Augmentation.of_options(replace(options, augment_gain=20.0, augment_speed=0.2), 16_000)
    first = [augmentation(wave(), SEGMENTS, str(number))[0] for number in range(8)]
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    state = random.getstate()
    again = [augmentation(wave(), SEGMENTS, str(number))[0] for number in reversed(range(8))][::-1]
    assert random.getstate() == state  # and it leaves no trace
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({len(changed) for changed in first}) > 2


def test_conditions_need_no_other_change_and_move_nothing(options: TrainingOptions):
    augmentation = Augmentation.of_options(replace(options, augment_conditions=0.5), 16_000)
    assert not augmentation.transforms
    changed = [augmentation(wave(), SEGMENTS, str(number)) for number in range(4)]
    assert all(len(waveform) == 16_000 and segments == SEGMENTS for waveform, segments in changed)
    assert len({waveform.tobytes() for waveform, _ in changed}) == 4
    again, _ = augmentation(wave(), SEGMENTS, "2")
    assert again.tobytes() == changed[2][0].tobytes()
