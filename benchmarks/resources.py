"""Memory and open files over a long recording, many short ones, and a list, after a tenth of the work and at the end.

    python -m benchmarks.resources

The model has a few thousand weights, so that minutes suffice; what a larger one needs besides does not grow with the
number or length of recordings. Linux only.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch

from modeling_sed import SEDConfig, SEDForAudioFrameClassification, SpeechEmotionDiarizationPipeline
from modeling_sed.recordings.diarization import diarize_recordings
from modeling_sed.recordings.sources import Recordings

RATE, SECONDS = 16_000, 1.0
WARM = 0.1  # of the work, after which memory is looked at for the first time


def small_pipeline() -> SpeechEmotionDiarizationPipeline:
    """A pipeline with random weights."""
    layers = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
    positions = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    encoder = {"model_type": "wavlm", "conv_dim": (8,) * 7, **layers, **positions}
    model = SEDForAudioFrameClassification(SEDConfig(encoder_config=encoder)).eval()
    feature_extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    return SpeechEmotionDiarizationPipeline(model=model, feature_extractor=feature_extractor, device="cpu")


def used() -> tuple[int, int]:
    """The most memory that this process has had so far, in MiB, and its open files."""
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return round(peak / 1024), len(list(Path("/proc/self/fd").iterdir()))


def measured(title: str, steps: Iterator[object], total: int) -> None:
    """Prints a row of a table: what is in use after the first steps, and at the end."""
    begin, first = time.monotonic(), None
    for number, _ in enumerate(steps, start=1):
        if first is None and number >= WARM * total:
            first = used()
    assert number == total and first is not None, (number, total)
    (early, files), (late, files_late) = first, used()
    seconds = time.monotonic() - begin
    print(f"| {title} | {seconds:.0f} s | {early} → {late} MiB | {files} → {files_late} |", flush=True)


def write_noise(path: Path, seconds: float) -> Path:
    """A FLAC file."""
    generator = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(max(int(seconds / 60), 1)):
            file.write(0.1 * generator.standard_normal(round(min(seconds, 60) * RATE)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=3.0, help="of the long recording")
    parser.add_argument("--files", type=int, default=2_000, help="short ones in one call")
    parser.add_argument("--lines", type=int, default=10_000, help="of the list")
    given = parser.parse_args()
    torch.set_num_threads(1)
    diarize = small_pipeline()
    print("| work | time | peak memory | open files |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = write_noise(folder / "long.flac", 3600 * given.hours)
        minute = write_noise(folder / "minute.flac", 60.0)
        measured(
            f"one of {given.hours:g} h, after ten of a minute",
            diarize(str(path) for path in [*10 * [minute], long]),
            11,
        )

        one = write_noise(folder / "one.flac", SECONDS)
        paths = [folder / f"{number}.flac" for number in range(max(given.files, given.lines))]
        for path in paths:
            os.link(one, path)
        found = diarize(str(path) for path in paths[: given.files])
        measured(f"{given.files} files in one call", found, given.files)

        (folder / "list.txt").write_text("\n".join(map(str, paths[: given.lines])))
        recordings = Recordings.of_list(folder / "list.txt")
        found = diarize_recordings(diarize, recordings, range(given.lines), print)
        measured(f"a list of {given.lines} lines", found, given.lines)


if __name__ == "__main__":
    main()
