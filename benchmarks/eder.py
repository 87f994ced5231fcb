"""Speed of EDER: against SpeechBrain's function on the same predictions, and for a growing number of utterances.

    pip install --no-deps speechbrain==1.1.0
    python -m benchmarks.eder

Utterances last 6 s: 300 frames of 20 ms, which a system answered with some segments. SpeechBrain's function takes
the frames, ours the segments; "from frames" is ours with the merging of frames included.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from modeling_sed.metrics.eder.frame_labels import segments_from_frames
from modeling_sed.metrics.eder.scoring import score_segments
from tests.metrics.freeze_speechbrain_eder import load_speechbrain_eder

LABELS = ("neutral", "happy", "sad", "angry")
FRAMES, STRIDE, DURATION = 300, 0.02, 6.0
REPETITIONS = 5
EMOTIONS = LABELS[1:]


def random_utterances(count: int) -> tuple[list[list[str]], list[list[dict]]]:
    """Frame labels of predictions (one to seven runs), and references with one event."""
    generator = np.random.default_rng(0)
    frames, references = [], []
    for _ in range(count):
        borders = np.sort(generator.integers(0, FRAMES, generator.integers(0, 7)))
        runs = np.diff(borders, prepend=0, append=FRAMES)
        frames.append([str(label) for label in np.repeat(generator.choice(LABELS, len(runs)), runs)])
        start, end = np.sort(generator.uniform(0, DURATION, 2)).tolist()
        references.append([{"emo": str(generator.choice(EMOTIONS)), "start": start, "end": end}])
    return frames, references


def seconds(function: Callable[[], object]) -> float:
    """Median of some runs, after one that does not count."""
    function()
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare_with_peer(count: int = 10_000) -> None:
    """Prints times of both in turn, and their ratio."""
    eder = load_speechbrain_eder()
    frames, references = random_utterances(count)
    letters = [[label[0] for label in labels] for labels in frames]
    predictions = [segments_from_frames(labels, DURATION) for labels in frames]
    durations = [DURATION] * count

    def peer() -> float:
        pairs = zip(letters, references, strict=True)
        return sum(eder(labels, "id", DURATION, event, STRIDE, STRIDE) for labels, event in pairs) / count

    def ours() -> float:
        return score_segments(predictions, references, durations)["eder"]

    def ours_from_frames() -> float:
        segments = [segments_from_frames(labels, DURATION) for labels in frames]
        return score_segments(segments, references, durations)["eder"]

    print(f"{count} utterances of {DURATION:g} s; EDER {peer():.9f} (SpeechBrain), {ours():.9f} (ours)")
    baseline = seconds(peer)
    print(f"{'SpeechBrain ' + importlib.metadata.version('speechbrain'):<24}{baseline:8.3f} s")
    for name, function in (("ours, from segments", ours), ("ours, from frames", ours_from_frames)):
        elapsed = seconds(function)
        print(f"{name:<24}{elapsed:8.3f} s   {baseline / elapsed:6.1f} times as fast")


def score_many(count: int) -> None:
    """Scores by `evaluate` in batches, as a long evaluation does, and prints time and memory of this process."""
    import evaluate

    _, references = random_utterances(10_000)
    predictions = [[event | {"start": event["start"] / 2}] for (event,) in references]
    module = evaluate.load("metrics/eder")
    before, start = _peak_mebibytes(), time.perf_counter()
    for _ in range(0, count, len(references)):
        module.add_batch(predictions=predictions, references=references, durations=[DURATION] * len(references))
    module.compute()
    elapsed = time.perf_counter() - start
    print(
        f"{count:>10} utterances: {elapsed:7.2f} s, {_peak_mebibytes() - before:6.0f} MiB more at the peak", flush=True
    )


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        score_many(int(sys.argv[1]))
    else:
        print(
            f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} cores, {platform.machine()}"
        )
        compare_with_peer()
        for number in (10_000, 100_000, 1_000_000):  # each in a process of its own, for its memory
            subprocess.run([sys.executable, "-m", "benchmarks.eder", str(number)], check=True)
