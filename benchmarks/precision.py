"""Low precision and other runtimes beside PyTorch in fp32, on CPU: time, size, memory, and what it does to the result.

    python -m benchmarks.precision MODEL [--trained RUN DATASET] [--threads 2]

MODEL is a folder with a model of this package, or a checkpoint of SpeechBrain's recipe: speed is measured on it with
10 s of audio. Its weights may be random; then changes of the posteriors say little, and RUN, a trained model, is asked
for them on the test split of DATASET, with the EDER. Each system gets a process of its own, one after the other, and
runs once to warm up. Peak memory is that of the whole process; Linux only. bf16 is timed where the processor computes
in it, as elsewhere it takes minutes; so would fp16.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
import torch
from datasets import load_from_disk

from benchmarks.inference import write_speech_like
from modeling_sed import SEDConfig, load_speechbrain
from modeling_sed.audio_sed import load_recording
from modeling_sed.checkpoints.onnx_export import export_onnx
from modeling_sed.cli.model_loading import computes_in_bfloat16
from modeling_sed.decoding_sed import decode_argmax, merge_frames
from modeling_sed.metrics.eder.scoring import score_segments

SECONDS = 10.0
REPETITIONS = 3
CHANGES = f"{'max change':>12}{'mean':>12}{'same label':>13}"
ONNX = {"ONNX fp32": {"int8": False}, "ONNX int8": {"int8": True}}

PYTORCH = """
import torch
from transformers import pipeline
import modeling_sed
torch.set_num_threads(threads)
dtype = torch.bfloat16 if system == "bf16" else torch.float32
diarize = pipeline(modeling_sed.TASK, model=folder, dtype=dtype, device="cpu")
if system == "torch.compile":
    diarize.model.compile()
def posteriors(waveform):
    return diarize(waveform, window=None, return_scores=True)["posteriors"]
"""

WITHOUT_PYTORCH = """
sys.modules.update(torch=None, transformers=None)
sys.path.insert(0, folder)
from sed_onnx.onnx_diarizer import OnnxDiarizer
posteriors = OnnxDiarizer(folder, threads).posteriors
"""

MEASURE = """
times, found = [], {}
with np.load(recordings) as waveforms:
    for name in waveforms:
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            found[name] = posteriors(waveforms[name])
            times.append(time.perf_counter() - start)
np.savez(target, **found)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(json.dumps({"times": times[1:], "peak": int(peak) / 2**20}))
"""


def run_system(system: str, folder: Path, recordings: Path, repetitions: int, threads: int) -> dict:
    """Posteriors of each recording ``{name: (frames, labels)}``, times of the runs in seconds, peak memory in GiB."""
    target = recordings.with_name("posteriors.npz")
    names = {"system": system, "folder": str(folder), "recordings": str(recordings), "target": str(target)}
    settings = {**names, "repetitions": repetitions, "threads": threads}
    code = "import json, sys, time\nimport numpy as np\nglobals().update(json.loads(sys.argv[1]))\n"
    code += (WITHOUT_PYTORCH if system in ONNX else PYTORCH) + MEASURE
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-c", code, json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{system}: {done.stderr[-2000:]}")
    with np.load(target) as posteriors:
        return {"posteriors": dict(posteriors), **json.loads(done.stdout.strip().splitlines()[-1])}


def exported(model: Path, work: Path) -> dict[str, Path]:
    """The folder of each ONNX variant of a model."""
    folders = {}
    for system, options in ONNX.items():
        folders[system] = export_onnx(model, work / f"{model.name} {system}", **options)
    return folders


def change(posteriors: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> str:
    """Largest and mean change of a posterior, and the share of frames with the same label."""
    found, expected = (np.concatenate([item[name] for name in reference]) for item in (posteriors, reference))
    difference = np.abs(found - expected)
    same = (found.argmax(1) == expected.argmax(1)).mean()
    return f"{difference.max():>12.5f}{difference.mean():>12.6f}{100 * same:>11.2f} %"


def size(folder: Path) -> float:
    """MiB of the weights."""
    return max(file.stat().st_size for file in folder.iterdir()) / 2**20


def compare_speed(model: Path, work: Path, threads: int) -> None:
    """Prints the first table."""
    write_speech_like(work / "recording.wav", SECONDS)
    np.savez(work / "recordings.npz", ten=soundfile.read(work / "recording.wav", dtype="float32")[0])
    folders, first = exported(model, work), None
    print(f"{SECONDS:g} s of audio; medians of {REPETITIONS}; changes against the first row")
    print(
        f"{'':<14}{'seconds':>9}{'ratio':>7}{'MiB':>8}{'peak GiB':>10}{'max change':>12}{'mean':>12}{'same label':>13}"
    )
    for system in ("fp32", *(["bf16"] if computes_in_bfloat16("cpu") else []), "torch.compile", *ONNX):
        folder = folders.get(system, model)
        found = run_system(system, folder, work / "recordings.npz", REPETITIONS, threads)
        time = statistics.median(found["times"])
        first = first or (time, found["posteriors"])
        megabytes = size(folder)
        print(
            f"{system:<14}{time:>9.2f}{first[0] / time:>7.2f}{megabytes:>8.0f}{found['peak']:>10.2f}"
            f"{change(found['posteriors'], first[1])}",
            flush=True,
        )


def compare_results(run: Path, dataset: Path, work: Path, threads: int) -> None:
    """Prints the second table: posteriors and EDER of a trained model on real speech."""
    config, rows = SEDConfig.from_pretrained(run), load_from_disk(str(dataset))["test"]
    waveforms = {row["name"]: load_recording(row["audio"], config.sampling_rate).waveform for row in rows}
    np.savez(work / "recordings.npz", **waveforms)
    references, durations, names = rows["segments"], rows["duration"], rows["name"]
    folders, first, frame_times = exported(run, work), None, config.geometry.frame_times
    print(f"\n{run.name} on the {len(waveforms)} test utterances of {dataset.name}")
    print(f"{'':<14}{CHANGES}{'EDER':>10}{'difference':>12}")
    for system in ("fp32", "bf16", *ONNX):
        found = run_system(system, folders.get(system, run), work / "recordings.npz", 0, threads)["posteriors"]
        segments = [
            merge_frames(decode_argmax(found[name]), found[name], frame_times(len(waveforms[name])), config.labels)
            for name in names
        ]
        eder = 100 * score_segments(segments, references, durations, neutral_label=config.neutral_label)["eder"]
        first = first or (eder, found)
        print(f"{system:<14}{change(found, first[1])}{eder:>8.2f} %{eder - first[0]:>+12.2f}", flush=True)


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--trained", type=Path, nargs=2, metavar=("RUN", "DATASET"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"{arguments.threads} threads, {platform.machine()}")
    with tempfile.TemporaryDirectory() as work:
        model = arguments.model
        if (model / "hyperparams.yaml").is_file():
            model = Path(work) / "model"
            load_speechbrain(arguments.model).save_pretrained(model)
        compare_speed(model, Path(work), arguments.threads)
        if arguments.trained:
            compare_results(*arguments.trained, Path(work), arguments.threads)


if __name__ == "__main__":
    main()
