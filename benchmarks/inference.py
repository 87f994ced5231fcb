"""Emotion timelines beside SpeechBrain's, on the same weights: time, real-time factor and peak memory by length.

    python -m benchmarks.inference CHECKPOINT PEER_PYTHON 10 60 300

CHECKPOINT is a folder with a checkpoint of SpeechBrain's recipe, such as the released large one; PEER_PYTHON is a
Python that has speechbrain==1.1.0 with its requirements, and transformers; the numbers are seconds of audio. Every
system gets a process of its own for every length, one after the other, runs once to warm up and then as often as asked
for. Peak memory is that of the whole process.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
import transformers

REPETITIONS = 2

PEER = """
from speechbrain.inference.diarization import Speech_Emotion_Diarization
model = Speech_Emotion_Diarization.from_hparams(source=sys.argv[1], savedir=sys.argv[2] + "/save")
def run(path):
    return [[s["start"], s["end"], s["emotion"]] for s in model.diarize_file(path)[path]]
"""

OURS = """
import modeling_sed
pipeline = modeling_sed.load_speechbrain(sys.argv[1])
def run(path):
    return [[s["start"], s["end"], s["label"][0]] for s in pipeline(path, **json.loads(sys.argv[5]))]
"""

MEASURE = """
times = []
for _ in range(int(sys.argv[4]) + 1):
    start = time.perf_counter()
    segments = run(sys.argv[3])
    times.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"times": times[1:], "peak": peak, "segments": segments}))
"""

SYSTEMS = {
    "SpeechBrain": None,
    "ours, whole file": {"window": None},
    "ours, windows": {},
}


def write_speech_like(path: Path, seconds: float) -> None:
    """Tones and noise that change every quarter of a second."""
    generator, time = np.random.default_rng(0), np.arange(4000) / 16_000
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for number in range(round(4 * seconds)):
            tone = np.sin(2 * np.pi * generator.uniform(90, 400) * time)
            file.write((0.2 * tone, 0.1 * generator.standard_normal(4000), 0.01 * tone)[number % 3])


def share_equal(first: list, second: list, seconds: float) -> float:
    """Share of 20 ms frames with the same label."""
    middles = np.arange(0.01, seconds, 0.02)
    labels = []
    for segments in (first, second):
        starts = np.array([start for start, _, _ in segments])
        labels.append(np.array([label for _, _, label in segments])[np.searchsorted(starts, middles, "right") - 1])
    return float((labels[0] == labels[1]).mean())


def main(checkpoint: str, peer_python: str, *lengths: str) -> None:
    """Prints a row for each length and system."""
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    print(f"{os.cpu_count()} cores, {platform.machine()}; fp32; medians of {REPETITIONS}")
    print(f"{'audio':>7}  {'system':<20}{'seconds':>9}{'rtf':>8}{'ratio':>8}{'peak GiB':>10}{'same frames':>13}")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    for seconds in map(float, lengths):
        first = None
        with tempfile.TemporaryDirectory() as work:
            recording = Path(work) / "recording.wav"
            write_speech_like(recording, seconds)
            for name, options in SYSTEMS.items():
                python, code = (peer_python, PEER) if options is None else (sys.executable, OURS)
                code = "import json, resource, sys, time\n" + code + MEASURE
                command = [python, "-c", code, checkpoint, work, str(recording), str(REPETITIONS), json.dumps(options)]
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
                if done.returncode == -9:
                    print(f"{seconds:>5g} s  {name:<20}  out of memory", flush=True)
                    continue
                if done.returncode:
                    raise RuntimeError(done.stderr)
                found = json.loads(done.stdout.strip().splitlines()[-1])
                time = statistics.median(found["times"])
                first = first or (time, found["segments"])
                same = share_equal(first[1], found["segments"], seconds)
                print(
                    f"{seconds:>5g} s  {name:<20}{time:>9.2f}{time / seconds:>8.3f}{first[0] / time:>8.2f}"
                    f"{found['peak']:>10.2f}{100 * same:>11.1f} %",
                    flush=True,
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
