"""Windows against whole recordings: how many frames agree, and which of the two is nearer to the truth.

    python -m benchmarks.windows MODEL DATASET [--split validation] [--recordings 3] [--windows 10 20 32 45 60] …

The utterances of a split of a dataset on disk (validation, unless told otherwise: windows are chosen on it) are
concatenated in random order: into recordings of 5 minutes whose speaker changes with every utterance, and into one of
each speaker, of 5 minutes where there is so much. Printed are the share of frames whose most probable label is that of
the whole recording (where the encoder hears no more than 30 s: of the longest window), the share of the time to which
the model's decoder gives the same label, and EDER with that decoder.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
import random
import time
from collections.abc import Iterable, Iterator

import numpy as np
import soundfile
from datasets import Dataset, load_from_disk
from transformers import pipeline

import modeling_sed
from benchmarks.inference import share_equal
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.pipeline_sed import SpeechEmotionDiarizationPipeline

SECONDS = 300

Recordings = list[tuple[np.ndarray, list[dict]]]  # waveforms (samples,) at 16 kHz, and their true segments


def long_recordings(dataset: str, split: str, count: int) -> tuple[Recordings, Recordings]:
    """``count`` recordings of changing speakers, and one of each speaker."""
    rows = load_from_disk(dataset)[split]
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    speakers = rows["speaker"]
    of_speaker = [[row for row in order if speakers[row] == speaker] for speaker in sorted(set(speakers))]
    return list(concatenate(rows, [order] * count)), list(concatenate(rows, of_speaker))


def concatenate(rows: Dataset, orders: Iterable[list[int]]) -> Iterator[tuple[np.ndarray, list[dict]]]:
    """A recording of each order; takes the rows that are in it out of the order."""
    for order in orders:
        waves, segments, samples = [], [], 0
        while order and samples < SECONDS * 16_000:
            row = rows[order.pop()]
            wave, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
            start = samples / 16_000
            segments += [s | {"start": s["start"] + start, "end": s["end"] + start} for s in row["segments"]]
            waves.append(wave)
            samples += len(wave)
        yield np.concatenate(waves), segments


def main() -> None:
    """Prints a table for each kind of recordings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("dataset", metavar="DATASET")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--recordings", type=int, default=3, help="of changing speakers")
    parser.add_argument("--windows", type=float, nargs="+", default=[10, 20, 32, 45, 60], help="in seconds")
    parser.add_argument("--contexts", type=float, nargs="+", default=[1, 2], help="in seconds")
    given = parser.parse_args()
    diarize = pipeline(modeling_sed.TASK, model=given.model, device="cpu")
    config = diarize.model.config
    longest = config.encoder_family.longest_input(config.encoder_config)
    first = None if math.isinf(longest) else longest
    print(f"{given.split}; decoder {config.decoder}")
    for recordings, kind in zip(
        long_recordings(given.dataset, given.split, given.recordings), ("changing speakers", "one speaker"), strict=True
    ):
        minutes = sum(len(wave) for wave, _ in recordings) / 60 / 16_000
        print(f"\n{len(recordings)} recordings of {kind}, {minutes:.1f} minutes")
        compare(diarize, recordings, [(first, 1.0), *itertools.product(given.windows, given.contexts)])


def compare(
    diarize: SpeechEmotionDiarizationPipeline, recordings: Recordings, choices: list[tuple[float | None, float]]
) -> None:
    """Prints a row for each window and context, in seconds; the others are compared with the first."""
    durations = [len(wave) / 16_000 for wave, _ in recordings]
    first: list[dict] = []
    print(f"{'window':>8}{'context':>9}{'frames':>11}{'segments':>11}{'EDER':>10}{'seconds':>10}")
    for window, context in choices:
        start = time.perf_counter()
        found = diarize([wave for wave, _ in recordings], window=window, context=context, return_scores=True)
        seconds = time.perf_counter() - start
        first = first or found
        pairs = list(zip(found, first, strict=True))
        frames = np.mean([(a["posteriors"].argmax(1) == b["posteriors"].argmax(1)).mean() for a, b in pairs])
        agree = np.mean([share_equal(_triples(a), _triples(b), d) for (a, b), d in zip(pairs, durations, strict=True)])
        scores = score_segments([result["segments"] for result in found], [truth for _, truth in recordings], durations)
        eder = scores["eder"]
        print(
            f"{window or 'whole':>8}{context:>9g}{100 * frames:>9.2f} %{100 * agree:>9.2f} %{100 * eder:>8.2f} %"
            f"{seconds:>10.1f}",
            flush=True,
        )


def _triples(result: dict) -> list[tuple[float, float, str]]:
    return [(segment["start"], segment["end"], segment["label"]) for segment in result["segments"]]


if __name__ == "__main__":
    main()
