"""Recording conditions: as long as before, finite, nothing moves in time, the same for the same random numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.training import recording_conditions as conditions
from modeling_sed.training.recording_conditions import room_response, under_random_conditions

RATE = 16_000


def speech(samples: int, seed: int = 0) -> np.ndarray:
    """Bursts of noise, 4 a second."""
    time = np.arange(samples) / RATE
    burst = np.maximum(np.sin(2 * np.pi * 4 * time), 0)
    return (0.1 * burst * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40_000), st.integers(0, 1_000_000), st.floats(0, 1), st.sampled_from([8000, 16_000, 44_100]))
def test_the_length_stays_and_all_is_finite(samples: int, seed: int, probability: float, sampling_rate: int):
    waveform = speech(samples, seed)
    before = waveform.copy()
    first, second = (
        under_random_conditions(waveform, sampling_rate, probability, np.random.default_rng(seed)) for _ in range(2)
    )
    assert first.shape == waveform.shape and first.dtype == np.float32 and np.isfinite(first).all()
    assert first.tobytes() == second.tobytes()
    assert np.array_equal(waveform, before)  # what is given is not changed


@pytest.mark.parametrize("seed", range(5))
def test_silence_stays_silence(seed: int):
    changed = under_random_conditions(np.zeros(8000, np.float32), RATE, 1.0, np.random.default_rng(seed))
    assert np.isfinite(changed).all() and np.abs(changed).max() == 0


def test_nothing_happens_with_probability_0():
    waveform = speech(RATE)
    changed = under_random_conditions(waveform, RATE, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(changed, waveform, atol=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_sounds_begin_where_they_did(seed: int):
    waveform = speech(2 * RATE, seed) * (np.arange(2 * RATE) >= RATE)
    changed = under_random_conditions(waveform, RATE, 0.5, np.random.default_rng(seed))
    energy = np.mean(changed.reshape(-1, 160).astype(np.float64) ** 2, axis=1)  # of 10 ms
    before, after = energy[:98].mean(), energy[100:112].mean()
    assert after > 2 * before


@settings(deadline=None, max_examples=20)
@given(st.floats(0.1, 0.8), st.floats(-3, 15), st.integers(0, 1000))
def test_a_room_fades_and_keeps_the_direct_sound(reverberation: float, direct_ratio: float, seed: int):
    response = room_response(RATE, reverberation, direct_ratio, np.random.default_rng(seed)).astype(np.float64)
    assert response[0] == 1
    power = response[1:] ** 2
    assert -10 * np.log10(power.sum()) == pytest.approx(direct_ratio, abs=0.01)
    quarters = [part.sum() for part in np.array_split(power, 4)]  # 15 dB each
    for loud, quiet in pairwise(quarters):
        assert 10 * np.log10(loud / quiet) == pytest.approx(15, abs=2.5)


@pytest.mark.parametrize("response", conditions.FREQUENCY_RESPONSES, ids=lambda function: function.__name__)
def test_frequency_responses_stay_within_reason(response):
    for seed in range(50):
        decibels = response(np.linspace(0, RATE / 2, conditions.GRID), np.random.default_rng(seed))
        assert decibels.shape == (conditions.GRID,) and np.isfinite(decibels).all()
        assert decibels.max() <= 30 and decibels.max() - decibels.min() > 0.1


def test_clipping_and_compression_and_the_telephone():
    waveform = speech(RATE)
    for soft in (True, False):
        assert np.abs(conditions._at_level(waveform, 6.0, soft)).max() <= 1
    assert np.abs(conditions._at_level(waveform, -20.0, soft=False)).max() == pytest.approx(0.1, rel=1e-5)
    coded = conditions._telephone_coded(waveform)
    assert len(np.unique(coded)) <= 256
    assert np.mean((coded - waveform) ** 2) < np.mean(waveform**2) / 1000  # G.711: some 38 dB
    quiet = np.concatenate([0.1 * waveform, waveform])
    compressed = conditions._compressed(quiet, RATE, 0.5)
    levels = [np.std(part) for part in (compressed[: RATE - 2000], compressed[RATE + 2000 :])]
    assert levels[0] / levels[1] > 0.2
