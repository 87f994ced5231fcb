"""Which voice activity detector the builder should use: agreement with the energy of studio recordings, and speed.

    pip install --no-deps silero-vad==6.2.3
    python -m benchmarks.speech_activity RAVDESS_DIR

Where a recording was made in a studio, as RAVDESS was, speech is where there is energy: the reference is a frame of
10 ms within 35 dB of the loudest, gaps of up to 0.1 s closed. Then noise is added at 20 dB, where energy alone says
nothing any more, and the detectors are held against the same reference.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from tqdm import tqdm

from modeling_sed.dataset_scripts import speech_activity
from modeling_sed.dataset_scripts.acoustics import add_noise
from modeling_sed.dataset_scripts.corpora import read_corpus
from modeling_sed.dataset_scripts.corpora.recording import EMOTIONS
from modeling_sed.dataset_scripts.waveforms import SAMPLING_RATE, read_waveform

FRAME = speech_activity.FRAME
BELOW_LOUDEST = 35  # dB
EVERY = 4  # of the recordings


def by_energy(waveform: np.ndarray) -> np.ndarray:
    """The reference: boolean, one a frame of 10 ms."""
    frames = waveform[: len(waveform) // FRAME * FRAME].reshape(-1, FRAME)
    decibels = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
    loud = decibels > np.percentile(decibels, 99) - BELOW_LOUDEST
    grown = np.convolve(loud, np.ones(11))[5:-5] > 0.5  # closing: grow by 5 frames, shrink by 5
    return np.convolve(grown, np.ones(11))[5:-5] > 10.5


def by_webrtc(mode: int) -> Callable[[np.ndarray], np.ndarray]:
    """WebRTC's detector, as the builder calls it, without the builder's margins."""

    def detect(waveform: np.ndarray) -> np.ndarray:
        return speech_activity.detect_speech(waveform, mode)

    return detect


def by_silero() -> Callable[[np.ndarray], np.ndarray]:
    """Silero's detector with its defaults, without padding."""
    from silero_vad import get_speech_timestamps, load_silero_vad

    model = load_silero_vad()

    def detect(waveform: np.ndarray) -> np.ndarray:
        found = np.zeros(len(waveform) // FRAME, dtype=bool)
        for stretch in get_speech_timestamps(torch.from_numpy(waveform), model, speech_pad_ms=0):
            found[stretch["start"] // FRAME : stretch["end"] // FRAME] = True
        return found

    return detect


def main(folder: str) -> None:
    """Prints a table: missed speech, false speech and speed of each detector, on clean and noisy recordings."""
    recordings = [r for r in read_corpus("ravdess", folder).recordings if r.label in EMOTIONS][::EVERY]
    clean = [read_waveform(recording.path) for recording in recordings]
    generator = np.random.default_rng(0)
    noise = generator.standard_normal(SAMPLING_RATE).astype(np.float32)
    noisy = [add_noise(waveform, noise, 20, generator.random()) for waveform in clean]
    reference = [by_energy(waveform) for waveform in clean]
    minutes = sum(map(len, clean)) / SAMPLING_RATE / 60
    print(f"{len(clean)} recordings, {minutes:.1f} min; Python {platform.python_version()}, torch {torch.__version__}")
    print(f"{'detector':<16}{'missed':>10}{'false':>10}{'missed, noisy':>16}{'false, noisy':>16}{'min a second':>16}")
    detectors = {f"webrtc, mode {mode}": by_webrtc(mode) for mode in range(4)} | {"silero": by_silero()}
    for name, detect in detectors.items():
        rates, start = [], time.perf_counter()
        for waveforms in (clean, noisy):
            found = [detect(waveform) for waveform in tqdm(waveforms, name, leave=False)]
            pairs = [(f[: len(r)], r[: len(f)]) for f, r in zip(found, reference, strict=True)]
            speech = sum(r.sum() for _, r in pairs)
            silence = sum((~r).sum() for _, r in pairs)
            rates += [sum((r & ~f).sum() for f, r in pairs) / speech, sum((f & ~r).sum() for f, r in pairs) / silence]
        speed = 2 * minutes / (time.perf_counter() - start)
        row = "".join(f"{100 * rate:>{width - 2}.1f} %" for rate, width in zip(rates, (10, 10, 16, 16), strict=True))
        print(f"{name:<16}{row}{speed:>16.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
