"""Sounds from random numbers: their power, where in the spectrum it lies, and that music goes on to the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.training.synthetic_sounds import hum_spectrum, music, noise_spectrum

RATE = 16_000


def power(waveform: np.ndarray) -> float:
    return float(np.mean(waveform.astype(np.float64) ** 2))


@settings(deadline=None, max_examples=25)
@given(st.integers(2000, 40_000), st.floats(0, 2), st.integers(0, 1000))
def test_the_mean_square_is_1(half: int, slope: float, seed: int):
    samples = 2 * half
    for spectrum in (
        noise_spectrum(samples, RATE, slope, np.random.default_rng(seed)),
        hum_spectrum(samples, RATE, np.random.default_rng(seed)),
    ):
        assert spectrum.dtype == np.complex64 and spectrum.shape == (half + 1,)
        assert power(np.fft.irfft(spectrum, samples)) == pytest.approx(1, rel=1e-2)
    melody = music(samples, RATE, np.random.default_rng(seed))
    assert melody.shape == (samples,) and melody.dtype == np.float32
    assert power(melody) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(("slope", "ratio"), [(0, 1), (1, 10), (2, 100)], ids=["white", "pink", "brown"])
def test_noise_has_its_colour(slope: float, ratio: float):
    spectrum = np.abs(noise_spectrum(20 * RATE, RATE, slope, np.random.default_rng(0))) ** 2
    low, high = (spectrum[20 * (hertz - 20) : 20 * (hertz + 20)].mean() for hertz in (500, 5000))
    assert low / high == pytest.approx(ratio, rel=0.2)
    assert not spectrum[: 20 * 20].any()  # below 20 Hz


@pytest.mark.parametrize("seed", range(4))
def test_hum_is_harmonics_of_the_mains(seed: int):
    present = np.flatnonzero(hum_spectrum(2 * RATE, RATE, np.random.default_rng(seed))) / 2  # Hz
    assert any(np.array_equal(present, mains * np.arange(1, 9)) for mains in (50, 60))


def test_music_has_pitches_and_no_long_pause():
    melody = music(5 * RATE, RATE, np.random.default_rng(3))
    spectrum = np.sort(np.abs(np.fft.rfft(melody)) ** 2)[::-1]
    assert spectrum[: len(spectrum) // 50].sum() > 0.8 * spectrum.sum()  # lines
    assert np.abs(melody.reshape(5, RATE)).max(axis=1).min() > 0.05


def test_the_shortest_sounds_exist():
    for samples in (1, 2, 3):
        assert np.isfinite(music(samples, RATE, np.random.default_rng(0))).all()
        assert np.isfinite(hum_spectrum(samples, RATE, np.random.default_rng(0))).all()
