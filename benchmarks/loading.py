"""Loading a model beside SpeechBrain: time until it is ready, and peak memory of the process.

    python -m benchmarks.loading CHECKPOINT PEER_PYTHON

CHECKPOINT is a folder with a checkpoint of SpeechBrain's recipe, such as the released large one; PEER_PYTHON is a
Python that has speechbrain==1.1.0 with its requirements, and transformers. Imports are not timed, files are in the
system's cache, nothing is asked of the Hub. Each is loaded three times, in turn. Linux only.
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

import torch
import transformers

from modeling_sed.checkpoints.speechbrain import convert_speechbrain

REPETITIONS = 3

PEER = """
from speechbrain.inference.diarization import Speech_Emotion_Diarization
def load(source, work):
    return Speech_Emotion_Diarization.from_hparams(source=source, savedir=work + "/save").mods.wav2vec2
"""

CONVERTED = """
import modeling_sed
from transformers import AutoModelForAudioFrameClassification
def load(source, work):
    return AutoModelForAudioFrameClassification.from_pretrained(work + "/converted")
"""

DIRECT = """
import modeling_sed
def load(source, work):
    return modeling_sed.load_speechbrain(source).model
"""

MEASURE = """
import json, sys, time
import torch
def peak_memory():  # of this process alone; what getrusage says begins with the peak of its parent
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
before = peak_memory()
start = time.perf_counter()
model = load(*sys.argv[1:])
with torch.no_grad():
    total = sum(parameter.double().sum().item() for parameter in model.parameters())  # all of it has been read
elapsed = time.perf_counter() - start
size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
peak = peak_memory() - before
print(json.dumps({"seconds": elapsed, "peak": peak / 2**20, "size": size / 2**30}))
"""


def main(checkpoint: str, peer_python: str) -> None:
    """Prints a row for each way."""
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    print(f"{os.cpu_count()} cores, {platform.machine()}; medians of {REPETITIONS}")
    ways = {
        "SpeechBrain": (peer_python, PEER),
        "from_pretrained, converted": (sys.executable, CONVERTED),
        "load_speechbrain": (sys.executable, DIRECT),
    }
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    found = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as work:
        convert_speechbrain(checkpoint, Path(work) / "converted")
        for _ in range(REPETITIONS):
            for name, (python, code) in ways.items():
                command = [python, "-c", code + MEASURE, checkpoint, work]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
                found[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
    size = found["SpeechBrain"][0]["size"]
    print(f"{size:.2f} GiB of weights; memory above that of the imports")
    print(f"{'':<30}{'seconds':>9}{'ratio':>8}{'peak GiB':>11}{'of the weights':>16}")
    for name, runs in found.items():
        seconds, peak = (statistics.median(run[key] for run in runs) for key in ("seconds", "peak"))
        ratio = statistics.median(run["seconds"] for run in found["SpeechBrain"]) / seconds
        print(f"{name:<30}{seconds:>9.2f}{ratio:>8.2f}{peak:>11.2f}{peak / size:>16.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
