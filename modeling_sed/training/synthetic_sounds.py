"""Sounds computed from random numbers alone: coloured noise, mains hum, music. Their mean square is 1.

Noise and hum are made as spectra, so that who filters them anyway needs no further Fourier transform.
"""

from __future__ import annotations

import numpy as np

LOWEST_FREQUENCY = 20.0  # Hz; below it nobody hears, and brown noise would have most of its power
MAINS = (50.0, 60.0)  # Hz
HUM_HARMONICS = 8
SEMITONES = (0, 2, 4, 5, 7, 9, 11, 12)  # a major scale
VOICES = (1, 4)  # fewest and most tones at a time
TONE_HARMONICS = 8
ATTACK_SECONDS = 0.01  # and release: tones begin and end without a click
PERIOD = 2048  # samples of the table that holds one period of a tone


def noise_spectrum(samples: int, sampling_rate: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as ``frequency ** -slope``: 0 is white, 1 pink, 2 brown.

    Args:
        samples: of the waveform.
        sampling_rate: in Hz.
        slope: of the power.
        rng: the source of all randomness.

    Returns:
        What `numpy.fft.rfft` of the waveform is, ``(samples // 2 + 1,)`` complex64.
    """
    frequencies = np.fft.rfftfreq(samples, 1 / sampling_rate).astype(np.float32)
    audible = frequencies >= LOWEST_FREQUENCY
    magnitudes = np.maximum(frequencies, LOWEST_FREQUENCY) ** np.float32(-slope / 2) * audible
    spectrum = rng.standard_normal(2 * len(frequencies), dtype=np.float32).view(np.complex64) * magnitudes
    return _with_mean_square_1(spectrum, samples)


def hum_spectrum(samples: int, sampling_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The hum of mains: harmonics of 50 or 60 Hz, of random strengths. See `noise_spectrum`."""
    spectrum = np.zeros(samples // 2 + 1, dtype=np.complex64)
    harmonics = rng.choice(MAINS) * np.arange(1, HUM_HARMONICS + 1)
    bins = np.round(harmonics * samples / sampling_rate).astype(int)
    strengths = rng.exponential(size=HUM_HARMONICS) * np.exp(2j * np.pi * rng.random(HUM_HARMONICS))
    is_there = bins < len(spectrum)
    spectrum[bins[is_there]] = strengths[is_there]
    return _with_mean_square_1(spectrum, samples)


def music(samples: int, sampling_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Chords of harmonic tones that fade, one after the other.

    Args:
        samples: of the waveform, at least 1.
        sampling_rate: in Hz.
        rng: the source of all randomness.

    Returns:
        ``(samples,)`` float32.
    """
    table = _one_period(rng)
    root, fading = rng.uniform(80, 320), rng.uniform(0.5, 6)  # Hz, 1/s
    beat = round(rng.uniform(0.2, 1.0) * sampling_rate)
    voices = rng.integers(VOICES[0], VOICES[1], endpoint=True)
    time = np.arange(beat, dtype=np.float32) / np.float32(sampling_rate)
    ramp = np.minimum(np.minimum(time, time[::-1]) / np.float32(ATTACK_SECONDS), 1)
    envelope = ramp * np.exp(-np.float32(fading) * time)
    beats = []
    for _ in range(-(-samples // beat)):
        pitches = root * 2 ** (rng.choice(SEMITONES, size=voices) / 12)
        phases = np.outer(pitches * PERIOD, time).astype(np.int64) % PERIOD
        beats.append(envelope * table[phases].sum(axis=0))
    waveform = np.concatenate(beats)[:samples]
    return waveform / max(float(np.sqrt(np.mean(waveform**2))), 1e-6)


def _one_period(rng: np.random.Generator) -> np.ndarray:
    """Of a tone whose harmonics weaken at a random rate: ``(PERIOD,)`` float32."""
    harmonics = np.arange(1, TONE_HARMONICS + 1)
    phases = 2 * np.pi * np.outer(harmonics, np.arange(PERIOD) / PERIOD)
    return (harmonics ** -rng.uniform(0.8, 3.0) @ np.sin(phases)).astype(np.float32)


def _with_mean_square_1(spectrum: np.ndarray, samples: int) -> np.ndarray:
    """By Parseval's theorem; a spectrum that is empty, as of a few samples, stays so."""
    power = 2 * float(np.vdot(spectrum[1:], spectrum[1:]).real) / samples**2
    return spectrum / np.float32(np.sqrt(power)) if power > 0 else spectrum
