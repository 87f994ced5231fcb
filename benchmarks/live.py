"""Live: how long after they were said segments are final, what it costs, and what a window does to both and to EDER.

    python -m benchmarks.live DATASET [SPLIT] [MODEL]

Utterances of a split of a dataset on disk (validation, unless told otherwise: windows are chosen on it), concatenated
to 5 minutes, go through `StreamingDiarizer` on one core, a tenth of a second at a time, as if they were spoken: a clock
goes on with each piece, and waits while the model computes. Printed are, for each window and context,

- the latency of segments, from their end to the moment when they are final: that of window and decoder, and the time to
  compute; segments that became final by the end of the recording do not count;
- the longest that a step took, and the real-time factor: seconds of computing for a second of audio;
- EDER, with the model's own decoder.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from transformers import pipeline

import modeling_sed
from benchmarks.windows import long_recordings
from modeling_sed.hub.bundled_model import BUNDLED_MODEL
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.recordings.streaming import StreamingDiarizer

PIECE = 0.1  # seconds
WINDOWS = ((2, 0.5), (4, 1), (6, 1), (8, 1), (8, 3), (12, 1), (16, 1), (32, 1))  # with their contexts


def speak(diarizer: StreamingDiarizer, wave: np.ndarray, rate: int) -> tuple[list[dict], list[float], list[float]]:
    """Segments, their latencies, and the seconds of each step."""
    segments: list[dict] = []
    latencies, steps, clock = [], [], 0.0
    size = round(PIECE * rate)
    for first in range(0, len(wave), size):
        piece = wave[first : first + size]
        clock = max(clock, (first + len(piece)) / rate)
        start = time.perf_counter()
        final = diarizer.step(piece)
        steps.append(time.perf_counter() - start)
        clock += steps[-1]
        latencies += [clock - segment["end"] for segment in final]
        segments += final
    return segments + diarizer.finish(), latencies, steps


def main(dataset: str, split: str = "validation", model: str = str(BUNDLED_MODEL)) -> None:
    """Prints a row for each window."""
    torch.set_num_threads(1)
    diarize = pipeline(modeling_sed.TASK, model=model, device="cpu")
    config = diarize.model.config
    (((wave, truth),), _) = long_recordings(dataset, split, 1)
    seconds = len(wave) / config.sampling_rate
    print(f"{seconds:.0f} s of {split}; decoder {config.decoder}")
    print("                    latency of segments (s)      step (s)  real-time")
    print("window context    10 %   50 %   90 %  longest   longest     factor      EDER")
    for window, context in WINDOWS:
        diarizer = StreamingDiarizer(diarize, window=window, context=context)
        speak(diarizer, wave[: 3 * window * config.sampling_rate], config.sampling_rate)  # warms up
        found, latencies, steps = speak(diarizer, wave, config.sampling_rate)
        eder = score_segments([found], [truth], [seconds])["eder"]
        shares = "".join(f"{value:7.2f}" for value in np.percentile(latencies, [10, 50, 90]))
        print(
            f"{window:>6}{context:>8} {shares}{max(latencies):9.2f}{max(steps):10.3f}{sum(steps) / seconds:11.4f}"
            f"{100 * eder:8.2f} %",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
