"""Emotion timelines beside SpeechBrain's, on the same weights: time, memory, and the distance to the machine's limit.

    python -m benchmarks.inference CHECKPOINT PEER_PYTHON 10 60 120 300 3600 batch

CHECKPOINT is a folder with a checkpoint of SpeechBrain's recipe, such as the released large one; PEER_PYTHON is a
Python that has speechbrain==1.1.0 with its requirements, and transformers. Then lengths in seconds, or `batch`: 32
recordings of 2 to 15 s, all at once.

For each of them every system gets a process of its own, which loads the model, warms up on 10 s, and then waits: the
systems are asked in turn, as often as `REPETITIONS` says. Memory is that process's peak while it works, less what it
held when it had imported its libraries: weights are a part of it. No process may have more memory than the machine has.
"""

from __future__ import annotations

import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import transformers
from transformers import PreTrainedConfig

from benchmarks.roofline import Machine, Work, encoder_work
from modeling_sed import SEDConfig
from modeling_sed.checkpoints.onnx_export import export_onnx
from modeling_sed.checkpoints.speechbrain import convert_speechbrain

REPETITIONS = {10: 5, 60: 2}  # by seconds of audio; otherwise once

PEER = """
import torch, transformers
from speechbrain.inference.diarization import Speech_Emotion_Diarization
imported = memory("VmRSS")
model = Speech_Emotion_Diarization.from_hparams(source=sys.argv[1], savedir=sys.argv[2] + "/save")
version = transformers.__version__
def run(paths):
    if len(paths) == 1:
        found = model.diarize_file(paths[0])
    else:
        waves = [model.load_audio(path) for path in paths]
        lengths = torch.tensor([len(wave) for wave in waves])
        found = model.diarize_batch(torch.nn.utils.rnn.pad_sequence(waves, True), lengths / lengths.max(), paths)
    return [[[s["start"], s["end"], s["emotion"]] for s in found[path]] for path in paths]
"""

OURS = """
import modeling_sed, transformers
imported = memory("VmRSS")
pipeline = modeling_sed.load_speechbrain(sys.argv[1])
version = transformers.__version__
def run(paths):
    found = pipeline(paths, **json.loads(sys.argv[3]))
    return [[[s["start"], s["end"], s["label"][0]] for s in segments] for segments in found]
"""

INT8 = """
import numpy, onnxruntime, soundfile
imported = memory("VmRSS")
sys.path.insert(0, sys.argv[3])
from diarize_onnx import diarize
version = "ONNX Runtime"
def run(paths):
    return [[[s["start"], s["end"], s["label"][0]] for s in diarize(path)] for path in paths]
"""

SERVE = """
run(json.loads(sys.stdin.readline()))
print(json.dumps({"version": version}), file=answers, flush=True)
for line in sys.stdin:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew: loading may have needed more
    start = time.perf_counter()
    segments = run(json.loads(line))
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, memory("VmHWM") - imported, segments]), file=answers, flush=True)
"""

START = """
import json, os, sys, time
answers = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
def memory(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 2**20
"""

SYSTEMS = {"SpeechBrain": PEER, "ours, whole file": OURS, "ours, windows": OURS, "ours, ONNX int8": INT8}
OPTIONS: dict[str, Any] = {"ours, whole file": {"window": None}}
# seconds of audio; longer whole files take minutes, and int8 takes as long for each second
LONGEST = {"ours, whole file": 60, "ours, ONNX int8": 60}


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


class System:
    """A process that has loaded the model, and answers."""

    def __init__(self, python: str, code: str, checkpoint: str, work: str, argument: str):
        limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._process = subprocess.Popen(
            [python, "-c", START + code + SERVE, checkpoint, work, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(Path(work) / "messages.txt").open("w"),
            text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
        warm_up = Path(work) / "warm_up.wav"
        write_speech_like(warm_up, 10)
        self.version = self._ask([str(warm_up)])["version"]

    def run(self, paths: list[Path]) -> list | None:
        """Seconds, peak memory in GiB, and segments of each recording; None where memory does not suffice."""
        return self._ask([str(path) for path in paths])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, paths: list[str]) -> Any:
        try:
            self._process.stdin.write(json.dumps(paths) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return json.loads(answer) if answer else self._failure()

    def _failure(self) -> None:
        self._process.wait()
        messages = Path(self._process.args[-2], "messages.txt").read_text()
        if self._process.returncode != -9 and "allocate memory" not in messages:
            raise RuntimeError(messages)


def measure(
    paths: list[Path],
    seconds: list[float],
    repetitions: int,
    least: float,
    checkpoint: str,
    peer_python: str,
    exported: str,
) -> None:
    """Prints a row for each system. ``least`` are the seconds that the machine needs for exact whole files in fp32."""
    with tempfile.TemporaryDirectory() as work:
        systems = {}
        for name, code in SYSTEMS.items():
            if len(paths) == 1 and seconds[0] > LONGEST.get(name, math.inf):
                continue
            if len(paths) > 1 and name == "ours, whole file":
                continue  # these are so short that it is the same as the next
            folder = Path(work) / str(len(systems))
            folder.mkdir()
            python = peer_python if code == PEER else sys.executable
            argument = exported if code == INT8 else json.dumps(OPTIONS.get(name, {}))
            systems[name] = System(python, code, checkpoint, str(folder), argument)
        answers: dict[str, list] = {name: [] for name in systems}
        for _ in range(repetitions):
            for name, system in systems.items():
                if None not in answers[name]:
                    answers[name].append(system.run(paths))
        alone = [systems["ours, windows"].run([path])[2][0] for path in paths] if len(paths) > 1 else None
        for system in systems.values():
            system.close()
    total, first = sum(seconds), None
    for name, found in answers.items():
        label = f"{name} ({systems[name].version})" if SYSTEMS[name] == PEER else name
        row = f"{'32 files' if alone else f'{total:g} s':>8}  {label:<22}"
        if None in found:
            print(row + "  out of memory", flush=True)
            continue
        time, segments = statistics.median(answer[0] for answer in found), found[-1][2]
        first = first or (time, segments)
        pairs = zip(segments, alone or first[1], seconds, strict=True)
        same = sum(share_equal(one, other, length) * length for one, other, length in pairs) / total
        print(
            f"{row}{time:>9.2f}{time / total:>8.3f}{first[0] / time:>8.2f}{least / time:>10.2f}"
            f"{max(answer[1] for answer in found):>10.2f}{100 * same:>11.1f} %",
            flush=True,
        )


def main(checkpoint: str, peer_python: str, *lengths: str) -> None:
    """Prints a row for each length and system."""
    machine = Machine.measure()
    exported = tempfile.TemporaryDirectory()
    model, config = _export(checkpoint, Path(exported.name))
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    print(
        f"{os.cpu_count()} cores, {platform.machine()}; fp32; measured: {machine.operations / 1e9:.0f} billion "
        f"operations a second, {machine.bytes / 1e9:.1f} GB a second"
    )
    print(f"{'audio':>8}  {'system':<22}{'seconds':>9}{'rtf':>8}{'ratio':>8}{'roofline':>10}{'GiB':>10}  same frames")
    for length in lengths:
        with tempfile.TemporaryDirectory() as folder:
            seconds = (
                [float(length)] if length != "batch" else list(np.random.default_rng(1).uniform(2, 15, 32).round(2))
            )
            paths = [Path(folder) / f"{number}.wav" for number in range(len(seconds))]
            for path, duration in zip(paths, seconds, strict=True):
                write_speech_like(path, duration)
            works: list[Work] = [encoder_work(config, soundfile.info(path).frames) for path in paths]
            least = sum(machine.least_seconds(work) for work in works)
            repetitions = REPETITIONS.get(seconds[0], 1)
            measure(paths, seconds, repetitions, least, checkpoint, peer_python, str(model))


def _export(checkpoint: str, folder: Path) -> tuple[Path, PreTrainedConfig]:
    """The model in int8 for ONNX Runtime, and its encoder's configuration."""
    converted = convert_speechbrain(checkpoint, folder / "converted")
    return export_onnx(converted, folder / "int8", int8=True), SEDConfig.from_pretrained(converted).encoder_config


if __name__ == "__main__":
    main(*sys.argv[1:])
