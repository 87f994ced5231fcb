"""Windows against whole recordings: how many frames agree, and which of the two is nearer to the truth.

    python -m benchmarks.windows MODEL DATASET [SPLIT] [RECORDINGS]

The utterances of a split of a dataset on disk (validation, unless told otherwise: windows are chosen on it) are
concatenated in random order into recordings of 5 minutes, RECORDINGS of them (4). Printed are the share of frames whose
most probable label is that of the whole recording, the share of the time to which the model's decoder gives the same
label, and EDER with that decoder.
"""

from __future__ import annotations

import io
import random
import sys
import time
from collections.abc import Iterator

import numpy as np
import soundfile
from datasets import load_from_disk
from transformers import pipeline

import modeling_sed
from benchmarks.inference import share_equal
from modeling_sed.metrics.eder.scoring import score_segments

SECONDS = 300
WINDOWS = (10, 20, 30, 60)
CONTEXTS = (1, 2, 4)


def long_recordings(dataset: str, split: str, count: int) -> Iterator[tuple[np.ndarray, list[dict]]]:
    """Waveforms ``(samples,)`` at 16 kHz, and their true segments."""
    rows = load_from_disk(dataset)[split]
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    for _ in range(count):
        waves, segments, samples = [], [], 0
        while samples < SECONDS * 16_000:
            row = rows[order.pop()]
            wave, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
            start = samples / 16_000
            segments += [s | {"start": s["start"] + start, "end": s["end"] + start} for s in row["segments"]]
            waves.append(wave)
            samples += len(wave)
        yield np.concatenate(waves), segments


def main(model: str, dataset: str, split: str = "validation", count: str = "4") -> None:
    """Prints a row for each window and context."""
    recordings = list(long_recordings(dataset, split, int(count)))
    durations = [len(wave) / 16_000 for wave, _ in recordings]
    diarize = pipeline(modeling_sed.TASK, model=model, device="cpu")
    whole: list[dict] = []
    print(f"{len(recordings)} recordings of 5 minutes, {split}; decoder {diarize.model.config.decoder}")
    print(f"{'window':>8}{'context':>9}{'frames':>11}{'segments':>11}{'EDER':>10}{'seconds':>10}")
    for window, context in [(None, 0), *((w, c) for w in WINDOWS for c in CONTEXTS)]:
        start = time.perf_counter()
        found = diarize([wave for wave, _ in recordings], window=window, context=context or 1, return_scores=True)
        seconds = time.perf_counter() - start
        whole = whole or found
        pairs = list(zip(found, whole, strict=True))
        frames = np.mean([(a["posteriors"].argmax(1) == b["posteriors"].argmax(1)).mean() for a, b in pairs])
        agree = np.mean([share_equal(_triples(a), _triples(b), d) for (a, b), d in zip(pairs, durations, strict=True)])
        eder = score_segments([result["segments"] for result in found], [truth for _, truth in recordings], durations)
        print(
            f"{window or 'whole':>8}{context:>9}{100 * frames:>9.2f} %{100 * agree:>9.2f} %{100 * eder['eder']:>8.2f} %"
            f"{seconds:>10.1f}",
            flush=True,
        )


def _triples(result: dict) -> list[tuple[float, float, str]]:
    return [(segment["start"], segment["end"], segment["label"]) for segment in result["segments"]]


if __name__ == "__main__":
    main(*sys.argv[1:])
