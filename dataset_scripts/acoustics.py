"""What may happen to the sound of a simulated utterance: joins, levels, rooms, noise. Pure functions of waveforms.

Waveforms are ``(samples,)`` float arrays, mono.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PEAK = 0.99  # of full scale


def level(waveform: np.ndarray) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def match_levels(waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Scales waveforms to the level of the first one."""
    levels = [level(waveform) for waveform in waveforms]
    return [waveform * np.float32(levels[0] / own) for waveform, own in zip(waveforms, levels, strict=True)]


def join(
    waveforms: Sequence[np.ndarray], pauses: Sequence[int], crossfade: int
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Puts waveforms one after the other.

    Args:
        waveforms: at least one.
        pauses: samples of silence at each join.
        crossfade: samples over which neighbours without a pause between them fade into each other, linearly; less
            where one of them is shorter than twice that.

    Returns:
        The whole, and first sample and last + 1 of each waveform in it; a border lies in the middle of its cross-fade.
    """
    whole, borders = waveforms[0].copy(), [0]
    intervals = []
    for following, pause in zip(waveforms[1:], pauses, strict=True):
        overlap = 0 if pause else min(crossfade, (len(whole) - borders[-1]) // 2, len(following) // 2)
        start = len(whole) - overlap
        if overlap:
            rising = (np.arange(overlap, dtype=np.float32) + 0.5) / overlap
            whole[start:] = whole[start:] * (1 - rising) + following[:overlap] * rising
        border = start + overlap // 2
        intervals.append((borders[-1], len(whole) if pause else border))
        borders.append(len(whole) + pause if pause else border)
        whole = np.concatenate([whole, np.zeros(pause, whole.dtype), following[overlap:]])
    return whole, [*intervals, (borders[-1], len(whole))]


def add_room(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The waveform as heard in a room, at its level; the direct sound, the strongest sample, has no delay."""
    size = 1 << (len(waveform) + len(response)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(waveform, size) * np.fft.rfft(response, size), size)
    direct = int(np.abs(response).argmax())
    heard = heard[direct : direct + len(waveform)]
    return (heard * (level(waveform) / level(heard))).astype(np.float32)


def add_noise(waveform: np.ndarray, noise: np.ndarray, ratio: float, offset: float) -> np.ndarray:
    """The waveform with noise under it.

    Args:
        waveform: speech.
        noise: repeated if it is shorter.
        ratio: of speech to noise, in dB.
        offset: where in the noise to begin, as a share of it.
    """
    heard = np.resize(np.roll(noise, -int(offset * len(noise))), len(waveform))
    gain = level(waveform) / max(level(heard), 1e-9) * 10 ** (-ratio / 20)
    return (waveform + gain * heard).astype(np.float32)


def limit_peak(waveform: np.ndarray) -> np.ndarray:
    """Scales down what would clip."""
    return waveform * np.float32(min(1.0, PEAK / np.abs(waveform).max()))
