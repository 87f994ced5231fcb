"""What rooms, microphones, telephones and recorders do to speech, computed from random numbers alone.

Acted corpora are recorded in studios; a model that hears every utterance under other conditions cannot take the sound
of a studio, or of one microphone, for the sign of an emotion. The chain is that of nature: room, noise and hum,
frequency response, compression, level, telephone code. Its linear part is applied in one pass through the spectrum.
Nothing moves in time: the direct sound comes first, and filters have no phase.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .synthetic_sounds import hum_spectrum, noise_spectrum

REVERBERATION = (0.1, 0.8)  # seconds until the reverberation of a room has fallen by 60 dB
DIRECT_RATIO = (-3.0, 15.0)  # direct sound to reverberation, in dB
NOISE_RATIO = (5.0, 35.0)  # speech to noise, in dB
HUM_RATIO = (15.0, 45.0)  # speech to hum, in dB
TELEPHONE = (300.0, 3400.0)  # Hz
LOW_PASS = (2000.0, 7500.0)  # Hz
HIGH_PASS = (50.0, 300.0)  # Hz
EDGES = (24.0, 120.0)  # steepness of band limits, in dB per octave
TILT = 6.0  # greatest change, in dB per octave
EQUALISER = 10.0  # greatest change, in dB
EQUALISER_KNOTS = 8
MASKED_BANDS = (1, 3)  # fewest and most
MASKED_WIDTH = (100.0, 800.0)  # Hz
SILENT = -80.0  # dB; no filter damps more
COMPRESSION = (0.2, 0.6)  # by which share, in dB, quiet stretches come nearer to the loudest
QUIETEST = 0.01  # of the loudest stretch; what is quieter is amplified no further
LEVEL = (-30.0, 6.0)  # of the peak, in dB of full scale; what is above is clipped
MU = 255  # of the telephone's logarithmic 8 bit code (ITU-T G.711)
GRID = 513  # frequencies from 0 to half the sampling rate at which frequency responses are computed
FFT_FACTOR = 4096  # lengths that are multiples of it have fast Fourier transforms


def under_random_conditions(
    waveform: np.ndarray, sampling_rate: int, probability: float, rng: np.random.Generator
) -> np.ndarray:
    """An utterance as it might have been recorded elsewhere.

    Args:
        waveform: ``(samples,)``.
        sampling_rate: in Hz.
        probability: of each condition.
        rng: the source of all randomness.

    Returns:
        ``(samples,)`` float32, finite; every sound begins where it did.
    """

    def happens() -> bool:
        return rng.random() < probability

    waveform = _through_the_air(np.asarray(waveform, np.float32), sampling_rate, happens, rng)
    if happens():
        waveform = _compressed(waveform, sampling_rate, rng.uniform(*COMPRESSION))
    if happens():
        waveform = _at_level(waveform, rng.uniform(*LEVEL), soft=rng.random() < 0.5)
    if happens():
        waveform = _telephone_coded(waveform)
    return waveform


def _through_the_air(
    waveform: np.ndarray, sampling_rate: int, happens: Callable[[], bool], rng: np.random.Generator
) -> np.ndarray:
    """Room, noise, hum and frequency response: all that is linear."""
    tail = round(REVERBERATION[1] * sampling_rate)  # room for it, since spectra are those of endless repetitions
    samples = -(-(len(waveform) + tail) // FFT_FACTOR) * FFT_FACTOR
    spectrum = np.fft.rfft(waveform, samples)
    if happens():
        response = room_response(sampling_rate, rng.uniform(*REVERBERATION), rng.uniform(*DIRECT_RATIO), rng)
        spectrum *= np.fft.rfft(response, samples)
    loudness = np.sqrt(np.mean(waveform**2))
    if happens():
        noise = noise_spectrum(samples, sampling_rate, rng.uniform(0, 2), rng)
        spectrum += noise * np.float32(loudness * _gain(-rng.uniform(*NOISE_RATIO)))
    if happens():
        hum = hum_spectrum(samples, sampling_rate, rng)
        spectrum += hum * np.float32(loudness * _gain(-rng.uniform(*HUM_RATIO)))
    frequencies = np.linspace(0, sampling_rate / 2, GRID)
    decibels = sum(response(frequencies, rng) for response in FREQUENCY_RESPONSES if happens())
    gains = _gain(np.maximum(decibels + np.zeros(GRID), SILENT))
    spectrum *= np.interp(np.linspace(0, GRID - 1, len(spectrum)), np.arange(GRID), gains).astype(np.float32)
    return np.fft.irfft(spectrum, samples)[: len(waveform)]


def room_response(
    sampling_rate: int, reverberation: float, direct_ratio: float, rng: np.random.Generator
) -> np.ndarray:
    """The impulse response of a room that was never built: the direct sound, then noise that fades exponentially.

    Args:
        sampling_rate: in Hz.
        reverberation: seconds until the noise has fallen by 60 dB, where it ends.
        direct_ratio: power of the direct sound to that of the noise, in dB.
        rng: the source of all randomness.

    Returns:
        ``(samples,)`` float32; the first one is 1, the direct sound.
    """
    samples = round(reverberation * sampling_rate)
    fading = np.exp(np.linspace(0, np.log(1e-3), samples, dtype=np.float32))
    response = rng.standard_normal(samples, dtype=np.float32) * fading
    response[0] = 0
    response *= _gain(-direct_ratio) / np.sqrt(np.sum(response**2))
    response[0] = 1
    return response


def _band_limits(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Those of a telephone, an upper one or a lower one: ``(frequencies,)`` in dB."""
    low, high = (TELEPHONE, (None, rng.uniform(*LOW_PASS)), (rng.uniform(*HIGH_PASS), None))[rng.integers(3)]
    octaves = np.log2(np.maximum(frequencies, 1.0))
    decibels = np.zeros(len(frequencies))
    if low is not None:
        decibels -= rng.uniform(*EDGES) * np.maximum(np.log2(low) - octaves, 0)
    if high is not None:
        decibels -= rng.uniform(*EDGES) * np.maximum(octaves - np.log2(high), 0)
    return decibels


def _tilt(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone that is dull or shrill; 1 kHz stays as it is."""
    return np.clip(rng.uniform(-TILT, TILT) * np.log2(np.maximum(frequencies, 60.0) / 1000), -20, 20)


def _equaliser(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth frequency response, with knots at equal musical intervals."""
    knots = np.geomspace(60, frequencies[-1], EQUALISER_KNOTS)
    values = rng.uniform(-EQUALISER, EQUALISER, EQUALISER_KNOTS)
    return np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(knots), values)


def _masked_bands(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bands without sound, as lossy codecs and comb filters leave them."""
    decibels = np.zeros(len(frequencies))
    for _ in range(rng.integers(*MASKED_BANDS, endpoint=True)):
        first = rng.uniform(0, frequencies[-1])
        decibels[(frequencies >= first) & (frequencies < first + rng.uniform(*MASKED_WIDTH))] = SILENT
    return decibels


FREQUENCY_RESPONSES = (_band_limits, _tilt, _equaliser, _masked_bands)


def _compressed(waveform: np.ndarray, sampling_rate: int, strength: float) -> np.ndarray:
    """Quiet stretches amplified, as recorders with automatic gain do."""
    block = sampling_rate // 20
    blocks = np.pad(waveform, (0, -len(waveform) % block)).reshape(-1, block)
    levels = np.sqrt(np.mean(blocks**2, axis=1))
    if not levels.any():
        return waveform
    gains = np.maximum(levels / levels.max(), QUIETEST) ** -strength
    centres = block * (np.arange(len(blocks)) + 0.5)
    return waveform * np.interp(np.arange(len(waveform)), centres, gains).astype(np.float32)


def _at_level(waveform: np.ndarray, peak: float, soft: bool) -> np.ndarray:
    """With a peak of so many dB of full scale, clipped at full scale: abruptly, or as an overloaded amplifier does."""
    loudest = np.abs(waveform).max()
    if loudest == 0:
        return waveform
    waveform = waveform * np.float32(_gain(peak) / loudest)
    return np.tanh(waveform) if soft else np.clip(waveform, -1, 1)


def _telephone_coded(waveform: np.ndarray) -> np.ndarray:
    """Rounded to 8 bits on a logarithmic scale, relative to the peak."""
    loudest = np.abs(waveform).max()
    if loudest == 0:
        return waveform
    logarithmic = np.log1p(MU * np.abs(waveform) / loudest) / np.float32(np.log1p(MU))
    rounded = np.round(logarithmic * 127) / 127
    return np.copysign(np.expm1(rounded * np.float32(np.log1p(MU))) * (loudest / MU), waveform)


def _gain(decibels: float | np.ndarray) -> float | np.ndarray:
    return 10 ** (decibels / 20)
