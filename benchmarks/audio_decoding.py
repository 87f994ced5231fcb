"""Reading recordings: time beside the decoding library alone, and peak memory of an hour.

    python -m benchmarks.audio_decoding

Ten minutes of speech-like noise in each format are read block by block by `RecordingStream`, as the pipeline does, and
by nothing but the library that decodes them; each five times, in turn, by one thread. Files are in the system's
cache. Then a process of its own reads an hour of MP3. Linux only.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile

from modeling_sed.audio_sed import RecordingStream

MINUTES, REPETITIONS = 10, 5
BLOCK = 2**20  # samples that libsndfile is asked for at once

MEMORY = """
import sys
from modeling_sed.audio_sed import RecordingStream
import av, soundfile, soxr
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
before = peak()
stream = RecordingStream(sys.argv[1], 16_000)
for block in stream:
    pass
print(f"{stream.duration:.2f} s: {peak():.1f} MiB in all, {peak() - before:.1f} MiB beyond the libraries")
"""


def noise(seconds: float, rate: int, channels: int) -> np.ndarray:
    """Noise whose power falls with frequency, as that of speech does: ``(samples, channels)`` float32."""
    generator = np.random.default_rng(0)
    waves = np.fft.rfft(generator.standard_normal((round(seconds * rate), channels)), axis=0)
    waves /= np.maximum(np.arange(len(waves)) * rate / (2 * len(waves)), 100)[:, None]  # flat below 100 Hz
    samples = np.fft.irfft(waves, axis=0)
    return (samples / (3 * np.abs(samples).max())).astype(np.float32)


def write(path: Path, seconds: float, rate: int, channels: int) -> None:
    """Noise in the format of the name, a second at a time: libsndfile's encoders do not survive much more."""
    samples = noise(seconds, rate, channels)
    with soundfile.SoundFile(path, "w", rate, channels) as file:
        for first in range(0, len(samples), rate):
            file.write(samples[first : first + rate])


def ours(path: Path, rate: int) -> int:
    """Number of samples."""
    return sum(map(len, RecordingStream(path, rate)))


def by_soundfile(path: Path, rate: int) -> int:
    """The same, by libsndfile alone, which has to know the format."""
    with soundfile.SoundFile(path) as file:
        return sum(map(len, file.blocks(BLOCK // file.channels, dtype="float32", always_2d=True)))


def by_pyav(path: Path, rate: int) -> int:
    """The same, by ffmpeg's libraries alone."""
    with av.open(str(path)) as container:
        return sum(frame.to_ndarray().size // len(frame.layout.channels) for frame in container.decode(audio=0))


def seconds_of(read: Callable[[Path, int], int], path: Path, rate: int) -> tuple[float, int]:
    """How long it takes, and how many samples come out."""
    start = time.perf_counter()
    samples = read(path, rate)
    return time.perf_counter() - start, samples


def main() -> None:
    """Prints a row for each format, and a line about memory."""
    versions = f"PyAV {av.__version__}, soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__})"
    print(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"{MINUTES} minutes of audio; medians of {REPETITIONS}, in seconds; ratio: library alone / ours")
    print(f"{'':<26}{'ours':>8}{'soundfile':>11}{'ratio':>7}{'PyAV':>8}{'ratio':>7}  samples")
    with tempfile.TemporaryDirectory() as folder:
        for name, rate, channels in (
            *(("a.wav", 16_000, 1), ("b.wav", 48_000, 2), ("a.flac", 16_000, 1), ("b.flac", 48_000, 2)),
            *(("a.mp3", 16_000, 1), ("b.mp3", 48_000, 2), ("a.ogg", 16_000, 1)),
        ):
            path = Path(folder) / name
            write(path, 60 * MINUTES, rate, channels)
            runs = [
                [seconds_of(read, path, rate) for read in (ours, by_soundfile, by_pyav)] for _ in range(REPETITIONS)
            ]
            medians = [statistics.median(run[way][0] for run in runs) for way in range(3)]
            mine, sndfile, pyav = medians
            samples = ", ".join(str(count) for count in dict.fromkeys(count for _, count in runs[0]))
            title = f"{path.suffix[1:]}, {rate / 1000:g} kHz, {channels} ch."
            alone = f"{sndfile:>11.3f}{sndfile / mine:>7.2f}{pyav:>8.3f}{pyav / mine:>7.2f}"
            print(f"{title:<26}{mine:>8.3f}{alone}  {samples}")
        path = Path(folder) / "hour.mp3"
        write(path, 3_600, 16_000, 1)
        command = [sys.executable, "-c", MEMORY, str(path)]
        print(f"An hour of MP3, {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()}")


if __name__ == "__main__":
    main()
