"""Utterances with silence, noise, hum or music before, between or after the speech, or in its place: all neutral.

Acted corpora are nothing but speech, so what a model makes of anything else is left to chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..annotations.segments import insert_pause
from ..frames_sed import Segment
from .synthetic_sounds import hum_spectrum, music, noise_spectrum

INSERTED = (0.5, 3.0)  # seconds
WHOLLY = 0.25  # of the utterances that change have no speech left
NOISE_LEVEL = (-40.0, 0.0)  # to that of the utterance, in dB; of noise and hum
MUSIC_LEVEL = (-25.0, 5.0)
SWELL = 10.0  # the loudness goes up and down by as much, in dB, within half a second


def with_non_speech(
    waveform: np.ndarray, segments: Sequence[Segment], sampling_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[Segment]]:
    """Inserts a stretch of non-speech where a segment, or the utterance, begins or ends; or leaves nothing else.

    Args:
        waveform: ``(samples,)``.
        segments: of the utterance, in seconds.
        sampling_rate: in Hz.
        rng: the source of all randomness.

    Returns:
        The new waveform, ``(samples + inserted,)`` float32, with at most 3 s inserted; and the segments with their
        times in it. What is inserted has no segment, which means neutral.
    """
    loudness = float(np.sqrt(np.mean(np.square(waveform))))
    if rng.random() < WHOLLY:
        return loudness * non_speech(len(waveform), sampling_rate, rng), []
    duration = len(waveform) / sampling_rate
    times = {0.0, duration, *(min(segment[edge], duration) for segment in segments for edge in ("start", "end"))}
    time = rng.choice(sorted(times))
    inserted = round(rng.uniform(*INSERTED) * sampling_rate)
    first, last = np.split(waveform, [round(time * sampling_rate)])
    between = loudness * non_speech(inserted, sampling_rate, rng)
    return np.concatenate([first, between, last]), insert_pause(segments, time, inserted / sampling_rate)


def non_speech(samples: int, sampling_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Digital silence, or noise, hum or music that swells and fades: ``(samples,)`` float32.

    Its level is what it is to be in comparison with speech whose mean square is 1.
    """
    kind = rng.choice(["silence", "noise", "hum", "music"])
    if kind == "silence":
        return np.zeros(samples, np.float32)
    if kind == "music":
        sound, levels = music(samples, sampling_rate, rng), MUSIC_LEVEL
    elif kind == "hum":
        sound, levels = np.fft.irfft(hum_spectrum(samples, sampling_rate, rng), samples), NOISE_LEVEL
    else:
        spectrum = noise_spectrum(samples, sampling_rate, rng.uniform(0, 2), rng)
        sound, levels = np.fft.irfft(spectrum, samples), NOISE_LEVEL
    halves = np.arange(2 * samples // sampling_rate + 2)  # half seconds
    swell = rng.uniform(*levels) + rng.uniform(-SWELL, 0, len(halves))
    decibels = np.interp(2 * np.arange(samples) / sampling_rate, halves, swell)
    return sound * (10 ** (decibels / 20)).astype(np.float32)
