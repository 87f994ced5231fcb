"""The model that comes with the package: its size, its speed, its memory, and what it makes of sounds without speech.

    python -m benchmarks.bundled_model

Speed is that of one core on ten minutes of synthesised sound, and that of a whole process on 10 s. Linux only (peak
memory).
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import torch
from transformers import pipeline

import modeling_sed
from modeling_sed.hub.bundled_model import BUNDLED_MODEL

RATE = 16_000


def sounds_without_speech(seconds: float = 20.0, seed: int = 0) -> Mapping[str, np.ndarray]:
    """Silence, hum, noises, tones and music by name, each ``(samples,)`` at 16 kHz."""
    generator = np.random.default_rng(seed)
    time_axis = np.arange(round(seconds * RATE)) / RATE
    white = generator.standard_normal(len(time_axis))
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(np.fft.rfftfreq(len(white)), 1e-4))
    pink = np.fft.irfft(spectrum, len(white))
    hum = sum(np.sin(2 * np.pi * 50 * harmonic * time_axis) / harmonic for harmonic in range(1, 6))
    found = {
        "digital silence": np.zeros(len(time_axis)),
        "faint noise": 1e-4 * white,
        "white noise": 0.1 * white,
        "pink noise": 0.1 * pink / pink.std(),
        "hum, 50 Hz": 0.1 * hum,
        "tone, 440 Hz": 0.2 * np.sin(2 * np.pi * 440 * time_axis),
        "music": 0.1 * _music(time_axis, generator),
    }
    return {name: wave.astype(np.float32) for name, wave in found.items()}


def _music(time_axis: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Triads of plucked strings, two a second, over a bass."""
    wave = np.zeros_like(time_axis)
    for beat in range(int(2 * time_axis[-1]) + 1):
        since = time_axis - beat / 2
        envelope = np.where(since >= 0, np.exp(-4 * np.maximum(since, 0)), 0)
        root = 110 * 2 ** (generator.choice([0, 3, 5, 7, 10]) / 12)
        for ratio in (0.5, 1, 1.25, 1.5):
            for harmonic in range(1, 5):
                wave += envelope * np.sin(2 * np.pi * root * ratio * harmonic * time_axis) / harmonic**2
    return wave / np.abs(wave).max()


def main() -> None:
    """Prints the figures."""
    size = sum(path.stat().st_size for path in BUNDLED_MODEL.iterdir())
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    print(f"{os.cpu_count()} cores, {platform.machine()}; Python {platform.python_version()}, {libraries}")
    print(f"size of the model's files          {size / 1e6:8.1f} MB")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "music.wav"
        soundfile.write(path, sounds_without_speech(10.0)["music"], RATE)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "modeling_sed", "diarize", path], check=True, capture_output=True)
        print(f"a process that diarizes 10 s       {time.perf_counter() - start:8.2f} s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"  its peak memory                  {peak:8.0f} MiB")

    torch.set_num_threads(1)
    diarize = pipeline(modeling_sed.TASK, model=str(BUNDLED_MODEL))
    ten_minutes = np.tile(sounds_without_speech()["pink noise"], 30)
    diarize(ten_minutes[: 60 * RATE])
    start = time.perf_counter()
    diarize(ten_minutes)
    print(f"real-time factor of one core       {(time.perf_counter() - start) / 600:8.4f}")

    print("sounds without speech: share of the frames that are neutral, and their mean probability")
    neutral = diarize.model.config.labels.index(diarize.model.config.neutral_label)
    for name, wave in sounds_without_speech().items():
        posteriors = diarize(wave, return_scores=True)["posteriors"]
        share = (posteriors.argmax(axis=1) == neutral).mean()
        print(f"  {name:<32} {100 * share:7.1f} % {posteriors[:, neutral].mean():8.2f}")


if __name__ == "__main__":
    main()
