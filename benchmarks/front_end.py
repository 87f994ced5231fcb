"""What each front-end processor does to EDER under noise, reverberation and pauses, better or worse.

    pip install '.[enhancement]'
    python -m benchmarks.front_end MODEL DATASET --limit 100

MODEL is a trained one, DATASET a folder of dataset_scripts/sed.py. Every row is a condition, every column a processor
before the same model; behind a difference that a paired bootstrap over utterances (95 %) does not explain by chance
stands + (better) or - (worse). Noise: white; pink (equal power an octave); babble (six voices of the training split at
once). Rooms: noise that decays exponentially by 60 dB in the time given (Polack's model), as strong as the direct
sound. Pauses: two seconds of faint noise before and after the utterance, which training never has.
"""

from __future__ import annotations

import argparse
import io
import platform
from collections.abc import Callable

import numpy as np
import soundfile
import torch
import transformers
from datasets import Dataset, load_from_disk
from tqdm import tqdm
from transformers import pipeline

import modeling_sed
from modeling_sed.dataset_scripts.acoustics import add_noise, add_room, level
from modeling_sed.dataset_scripts.speech_activity import speech_intervals
from modeling_sed.dataset_scripts.waveforms import SAMPLING_RATE
from modeling_sed.front_end.processors import PROCESSORS, front_end_of
from modeling_sed.front_end.signals import FrontEnd, diarize_with
from modeling_sed.metrics.eder.bootstrap import compare_systems
from modeling_sed.metrics.eder.scoring import score_segments

RATIOS = (20, 10, 5)  # of speech to noise, in dB
DECAYS = (0.3, 0.6, 0.9)  # seconds by 60 dB
PAUSE = 2.0  # seconds
FAINT = 10 ** (-60 / 20)  # of full scale, of the noise in pauses
VOICES = 6  # of babble
NOISE_SECONDS = 30

Condition = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def waveform_of(row: dict) -> np.ndarray:
    return soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")[0]


def pink_noise(generator: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(generator.standard_normal(NOISE_SECONDS * SAMPLING_RATE))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)))


def babble(voices: Dataset, generator: np.random.Generator) -> np.ndarray:
    """Six voices, each going on from one utterance to the next, at equal levels."""
    samples, total = NOISE_SECONDS * SAMPLING_RATE, 0.0
    for _ in range(VOICES):
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < samples:
            part = waveform_of(voices[int(generator.integers(len(voices)))])
            parts.append(part / level(part))
        total = total + np.concatenate(parts)[:samples]
    return total


def room(seconds: float, generator: np.random.Generator) -> np.ndarray:
    samples = round(seconds * SAMPLING_RATE)
    response = generator.standard_normal(samples) * 10 ** (-3 * np.arange(samples) / samples)
    response[0] = 0
    response /= np.sqrt(np.square(response).sum())
    response[0] = 1
    return response


def with_pauses(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    samples = round(PAUSE * SAMPLING_RATE)
    whole = np.concatenate([np.zeros(samples, np.float32), waveform, np.zeros(samples, np.float32)])
    return whole + FAINT * generator.standard_normal(len(whole), dtype=np.float32)


def conditions(voices: Dataset) -> dict[str, Condition]:
    """The ways to change an utterance, by the names of the table's rows."""
    generator = np.random.default_rng(0)
    noises = {
        "white": generator.standard_normal(NOISE_SECONDS * SAMPLING_RATE),
        "pink": pink_noise(generator),
        "babble": babble(voices, generator),
    }
    found: dict[str, Condition] = {"clean": lambda waveform, _: waveform}
    for name, noise in noises.items():
        for ratio in RATIOS:
            found[f"{name} noise, {ratio} dB"] = lambda waveform, generator, noise=noise, ratio=ratio: add_noise(
                waveform, noise, ratio, generator.random()
            )
    for seconds in DECAYS:
        found[f"room, {seconds:g} s"] = lambda waveform, generator, seconds=seconds: add_room(
            waveform, room(seconds, generator)
        )
    found["pauses"] = with_pauses
    return found


def score(rows: list[dict], change: Condition, front_end: FrontEnd, diarize: Callable) -> dict[str, list[float]]:
    """Each utterance's EDER; the same utterance is changed alike for every front end."""
    predictions, references, durations = [], [], []
    for number, row in enumerate(rows):
        waveform = change(row["waveform"], np.random.default_rng(number))
        added = (len(waveform) - len(row["waveform"])) / SAMPLING_RATE
        references.append([s | {"start": s["start"] + added / 2, "end": s["end"] + added / 2} for s in row["segments"]])
        durations.append(len(waveform) / SAMPLING_RATE)
        predictions.append(diarize_with(front_end, diarize, waveform, decoder="argmax"))
    return score_segments(predictions, references, durations, per_utterance=True)["per_utterance"]


def main() -> None:
    """Prints the table as it is computed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=100, help="utterances, evenly spread over the split")
    parser.add_argument("--processors", nargs="+", default=list(PROCESSORS), choices=list(PROCESSORS))
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    diarize = pipeline(modeling_sed.TASK, model=arguments.model, device="cpu")
    dataset = load_from_disk(arguments.dataset)
    split = dataset[arguments.split]
    chosen = np.linspace(0, len(split) - 1, min(arguments.limit, len(split))).round().astype(int)
    rows = [{"waveform": waveform_of(row), "segments": row["segments"]} for row in split.select(chosen)]
    front_ends = {name: front_end_of([name], speech_intervals) for name in arguments.processors}

    print(f"Python {platform.python_version()}, torch {torch.__version__}")
    print(f"EDER (%) of {len(rows)} utterances of the split {arguments.split}")
    print(f"{'':<20}{'none':>8}" + "".join(f"{name:>15}" for name in front_ends), flush=True)
    for condition, change in conditions(dataset["train"]).items():
        plain = score(rows, change, FrontEnd(), diarize)
        line = f"{condition:<20}{100 * np.mean(plain['eder']):>8.1f}"
        for front_end in tqdm(front_ends.values(), condition, leave=False):
            rates = score(rows, change, front_end, diarize)
            low, high = compare_systems(rates, plain)["interval"]
            mark = "+" if high < 0 else "-" if low > 0 else " "
            line += f"{100 * np.mean(rates['eder']):>13.1f} {mark}"
        print(line.rstrip(), flush=True)


if __name__ == "__main__":
    main()
