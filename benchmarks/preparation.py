"""Time from recordings to simulated utterances: the builder, and the authors' scripts on the same folder.

    pip install --no-deps pydub webrtcvad-wheels
    python -m benchmarks.preparation RAVDESS_DIR RECIPE_DIR

RECIPE_DIR is recipes/ZaionEmotionDataset/emotion_diarization of SpeechBrain's repository. Both get RAVDESS as 16 kHz
wav files in a temporary folder (the authors' scripts read nothing else, and write into it). One process each, unless
it says otherwise.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

from modeling_sed.dataset_scripts.corpora.recording import audio_files
from modeling_sed.dataset_scripts.simulation import plan_utterances, render
from modeling_sed.dataset_scripts.sources import find_sources
from modeling_sed.dataset_scripts.waveforms import SAMPLING_RATE, read_waveform

REPOSITORY = Path(__file__).resolve().parents[1]

# Of SpeechBrain itself the scripts need a logger only; their folder is called like a library that is installed here.
AUTHORS = """
import logging, sys, types
for name in ("speechbrain", "speechbrain.utils", "speechbrain.utils.logger"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["speechbrain.utils.logger"].get_logger = logging.getLogger
sys.modules["datasets"] = types.ModuleType("datasets")
sys.modules["datasets"].__path__ = ["datasets"]
from datasets.prepare_RAVDESS import prepare_ravdess
prepare_ravdess(sys.argv[1], sys.argv[2])
"""


def copy_as_wav(source: Path, target: Path) -> None:
    """All recordings of the corpus, in its layout."""
    for path in audio_files(source):
        copy = (target / path.relative_to(source)).with_suffix(".wav")
        copy.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(copy, read_waveform(path), SAMPLING_RATE)


def seconds(command: list[str], **options: object) -> float:
    """How long a process takes, its start included."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - start


def compare_with_authors(corpus: Path, recipe: Path, work: Path) -> None:
    """Prints both times and their ratio."""
    command = [
        sys.executable,
        str(REPOSITORY / "dataset_scripts" / "sed.py"),
        "simulated",
        "--corpora",
        f"ravdess={corpus}",
    ]
    environment = {**os.environ, "HF_DATASETS_CACHE": str(work / "cache")}
    ours = seconds([*command, "--output-dir", str(work / "ours")], env=environment)
    again = seconds([*command, "--seed", "1", "--output-dir", str(work / "again")], env=environment)
    every = ["--num-proc", str(os.cpu_count()), "--output-dir", str(work / "every")]
    parallel = seconds([*command, *every], env=environment | {"HF_DATASETS_CACHE": str(work / "cache of every")})
    theirs = seconds([sys.executable, "-c", AUTHORS, str(corpus), str(work / "theirs.json")], cwd=recipe)
    made = len(json.loads((work / "theirs.json").read_text()))
    print(f"authors' scripts        {theirs:7.1f} s  ({made} utterances)")
    print(f"builder                 {ours:7.1f} s  {theirs / ours:6.1f} times as fast")
    print(f"builder, all cores      {parallel:7.1f} s  {theirs / parallel:6.1f} times as fast")
    print(f"builder, another seed   {again:7.1f} s  {theirs / again:6.1f} times as fast (remembers where speech is)")


def measure_throughput(corpus: Path, work: Path) -> None:
    """Prints minutes of audio a second for both steps, in one process."""
    start = time.perf_counter()
    sources = find_sources("ravdess", corpus, cache_file=work / "throughput.sqlite")
    elapsed = time.perf_counter() - start
    paths = [source.recording.path for source in sources]
    minutes = sum(soundfile.info(path).duration for path in paths) / 60
    print(f"decode and find speech  {minutes / elapsed:7.1f} min of recordings a second")
    plan = plan_utterances(sources, 0, "train")
    start = time.perf_counter()
    minutes = sum(render(utterance)["duration"] for utterance in plan) / 60
    print(f"render                  {minutes / (time.perf_counter() - start):7.1f} min of utterances a second")


def main(source: str, recipe: str) -> None:
    """Runs all of it."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        copy_as_wav(Path(source), work / "RAVDESS")
        measure_throughput(work / "RAVDESS", work)
        compare_with_authors(work / "RAVDESS", Path(recipe), work)


if __name__ == "__main__":
    main(*sys.argv[1:])
