"""What is disturbed: small inputs, the commands that read them, and what has come of a command."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from datasets import Dataset, DatasetDict
from safetensors.torch import load_file

from modeling_sed.hub.model_upload import model_upload
from tests.conftest import SMALL_ENCODER, save_model, small_model
from tests.dataset_scripts.conftest import EMOTION_NUMBERS, voice

RECORDINGS = 12
RATE = 16_000


@dataclass(frozen=True)
class Job:
    """A command.

    Attributes:
        name: in the table.
        arguments: of the command, for an output and the folder of the inputs.
        result: of an output; None if there is none. Raises an error for one that is not whole.
        output: name of what it writes; of none, its standard output counts.
        source: name of the input that it reads from standard input.
        again: what is added when it is run again.
        space: bytes of a disk on which it just has room.
        changing: folder of inputs, of which one may be exchanged while it reads them.
    """

    name: str
    arguments: Callable[[Path, Path], list[str]]
    result: Callable[[Path], Any]
    output: str = ""
    source: str | None = None
    again: Sequence[str] = ()
    space: int = 0
    changing: str | None = None


def write_inputs(folder: Path) -> None:
    """A model with random weights, recordings, a corpus, a dataset and an encoder to train."""
    save_model(small_model(), folder / "model")
    (folder / "recordings").mkdir()
    for number in range(RECORDINGS):
        write_recording(folder / "recordings" / f"{number:02d}.wav", number)
    write_recording(folder / "live.wav", 0, seconds=60)
    for actor in range(1, 5):
        (folder / "corpus" / f"Actor_{actor:02d}").mkdir(parents=True)
        for code in EMOTION_NUMBERS.values():
            for repetition in (1, 2, 3):
                name = f"03-01-{code}-01-01-{repetition:02d}-{actor:02d}.wav"
                seed = 100 * actor + 10 * int(code) + repetition
                path = folder / "corpus" / f"Actor_{actor:02d}" / name
                soundfile.write(path, voice(0.8, 90 + 15 * actor, seed), RATE)
    splits = {split: Dataset.from_list(_rows(split, count)) for split, count in _SIZES.items()}
    DatasetDict(splits).save_to_disk(folder / "dataset")
    encoder = {"model_type": "wavlm", "feat_extract_norm": "layer", **SMALL_ENCODER}
    (folder / "encoder.json").write_text(json.dumps(encoder))


_SIZES = {"train": 6, "validation": 3, "test": 3}


def _rows(split: str, count: int) -> list[dict]:
    rows = []
    for number in range(count):
        label = ("happy", "sad", "angry")[number % 3]
        wave = voice(0.6, 100 + 40 * number, number + len(split))
        samples = (np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes()
        header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
        header += b"\1\0\1\0" + RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little") + b"\2\0\x10\0"
        content = header + b"data" + len(samples).to_bytes(4, "little") + samples
        segments = [{"start": 0.2, "end": 0.6, "label": label}]
        audio = {"path": None, "bytes": content}
        rows.append({"name": f"{split}{number}", "audio": audio, "duration": 0.6, "segments": segments})
    return rows


def write_recording(path: Path, seed: int, seconds: float = 0.4) -> None:
    """Noise with a tone, of a seed."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 0.05 * generator.standard_normal(len(time)) + 0.2 * np.sin(2 * np.pi * (200 + 50 * seed) * time)
    soundfile.write(path, wave, RATE)


def _file_of_timelines(output: Path) -> Any:
    if not output.exists():
        return None
    return {Path(one["name"]).name: one["segments"] for one in json.loads(output.read_text())}


def _folder_of_timelines(output: Path) -> Any:
    files = sorted(output.glob("*.json")) if output.exists() else []
    found = [one for path in files for one in json.loads(path.read_text())]
    return {Path(one["name"]).name: one["segments"] for one in found} or None


def _dataset(output: Path) -> Any:
    if not output.exists():
        return None
    files = [*sorted(output.glob("*/*.arrow")), output / "plan.csv", output / "statistics.txt"]
    json.loads((output / "sed_dataset.json").read_text())
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _run(output: Path) -> Any:
    """A model that is there is whole at any time, but has its final weights and decoder with its results only."""
    if (output / "config.json").exists():
        json.loads((output / "config.json").read_text())
        load_file(output / "model.safetensors")
    if not (output / "report.md").exists():
        return None
    eder = json.loads((output / "results.json").read_text())["eder"]
    names = ("config.json", "model.safetensors")
    return [eder, *(hashlib.sha256((output / name).read_bytes()).hexdigest() for name in names)]


def _lines(output: Path) -> Any:
    return [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []


def jobs(hub: str, inputs: Path) -> list[Job]:
    """All of them, for a Hub at an address."""
    names = sorted(model_upload(inputs / "model", "me/model").files)

    def pushed(output: Path) -> Any:
        found = {}
        for name in names:
            with (
                suppress(urllib.error.HTTPError),
                urllib.request.urlopen(f"{hub}/me/{output.name}/resolve/main/{name}") as answer,
            ):
                found[name] = hashlib.sha256(answer.read()).hexdigest()
        assert len(found) in (0, len(names)), "a commit is all or nothing"
        return found or None

    def diarize(output: Path, given: Path) -> list[str]:
        recordings = str(given / "recordings")
        return ["diarize", recordings, "--model", str(inputs / "model"), "--output", str(output)]

    def train(output: Path, given: Path) -> list[str]:
        return [
            *("train", "--dataset", str(given / "dataset"), "--encoder", str(given / "encoder.json")),
            *("--output-dir", str(output), "--num-train-epochs", "2", "--checkpoint-minutes", "0"),
        ]

    def build(output: Path, given: Path) -> list[str]:
        corpus = f"ravdess={given / 'corpus'}"
        return ["build", "simulated", "--corpora", corpus, "--output-dir", str(output), "--num-proc", "2"]

    def push(output: Path, given: Path) -> list[str]:
        return ["push", "model", str(given / "model"), f"me/{output.name}"]

    def live(output: Path, given: Path) -> list[str]:
        return ["live", "-", "--format", "jsonl", "--model", str(given / "model"), "--window", "2", "--context", "0.5"]

    return [
        Job("build", build, _dataset, "out", space=4_000_000, changing="corpus"),
        Job("train", train, _run, "run", again=("--resume",), space=4_000_000),
        Job("diarize into a file", diarize, _file_of_timelines, "out.json", space=64_000, changing="recordings"),
        Job("diarize into a folder", diarize, _folder_of_timelines, "out", space=160_000, changing="recordings"),
        Job("push", push, pushed, "model"),
        Job("live", live, _lines, source="live.wav", space=9_000),
    ]
