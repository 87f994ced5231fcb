"""An archive of short files on Ray Data beside a loop in one process: cost of a recording, workers, memory.

    python -m benchmarks.archive [COUNT]

COUNT (10,000) files of 0.5 s, and a model with random weights that is so small that what is measured is the rest:
opening and decoding files, and Ray. `CPU` is the time of all processes, start included; `a recording`, what one more
costs, against the row before of the same workers. `GiB` are resident in the actor that has most, after a quarter of the
time and at the end: it is the same if memory does not grow with their number. Ray runs on this machine, with as
many CPUs as there are workers, and one to read and write. Linux only.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch

from modeling_sed import SEDConfig, SEDForAudioFrameClassification, SpeechEmotionDiarizationPipeline

DIFFERENT = 100  # files; the others are links to them
BATCH = 64
ENCODER = {
    **{"model_type": "wavlm", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"intermediate_size": 64, "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16},
    **{"num_conv_pos_embedding_groups": 4, "feat_extract_norm": "layer", "do_stable_layer_norm": True},
}


def make(folder: Path, count: int) -> list[str]:
    """A model and recordings in a folder; returns the names of these."""
    torch.manual_seed(0)
    model = SEDForAudioFrameClassification(SEDConfig(encoder_config=ENCODER))
    extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    SpeechEmotionDiarizationPipeline(model=model, feature_extractor=extractor).save_pretrained(folder / "model")
    generator = np.random.default_rng(0)
    names = [folder / f"{number}.wav" for number in range(count)]
    for number, name in enumerate(names):
        if number < DIFFERENT:
            soundfile.write(name, 0.1 * generator.standard_normal(8_000), 16_000)
        else:
            name.hardlink_to(names[number % DIFFERENT])
    return [str(name) for name in names]


class Watch(threading.Thread):
    """Samples what this process and those that it has started use."""

    def __init__(self, on_ray: bool):
        super().__init__(daemon=True)
        self.on_ray, self.cpu = on_ray, 0.0
        self.samples: list[float] = []

    def run(self) -> None:
        while True:
            self.sample()
            time.sleep(0.5)

    def sample(self) -> None:
        """Notes CPU seconds so far, and the memory of the largest actor."""
        cpu, largest = 0.0, 0
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
            with suppress(psutil.Error):  # it has just ended
                cpu += sum(process.cpu_times()[:4])  # its own, and those of children that have ended
                if not self.on_ray or "MapBatches" in " ".join(process.cmdline()):
                    largest = max(largest, process.memory_info().rss)
        self.cpu = max(self.cpu, cpu)
        if largest:
            self.samples.append(largest / 2**30)


def measure(names: list[str], workers: int, folder: Path) -> dict[str, float]:
    """Diarizes recordings, on Ray or (no workers) in this process."""
    from modeling_sed.archive.table_diarizer import TableDiarizer

    output = Path(tempfile.mkdtemp(dir=folder)) / "out"
    watch, options = Watch(workers > 0), {"model": str(folder / "model"), "device": "cpu"}
    start = time.perf_counter()
    watch.start()
    if workers:
        on_ray(names, workers, options, output, watch)
        rows = pq.read_table(output)
    else:
        torch.set_num_threads(1)
        diarize, table = TableDiarizer(**options), pa.table({"recording": names})
        rows = pa.concat_tables(diarize(table.slice(first, BATCH)) for first in range(0, len(names), BATCH))
        watch.sample()
    wall = time.perf_counter() - start
    assert sorted(set(rows["recording"].to_pylist())) == sorted(names) and rows["error"].null_count == len(rows)
    return {"wall": wall, "cpu": watch.cpu, "quarter": watch.samples[len(watch.samples) // 4], "end": watch.samples[-1]}


def on_ray(names: list[str], workers: int, options: dict, output: Path, watch: Watch) -> None:
    """As `examples/archive_with_ray.py`."""
    import ray

    from modeling_sed.archive.table_diarizer import TableDiarizer

    ray.init(num_cpus=workers + 1, include_dashboard=False, object_store_memory=2**27, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = None
    (
        ray.data.from_arrow(pa.table({"recording": names}))
        .repartition(target_num_rows_per_block=BATCH)
        .map_batches(
            TableDiarizer,
            fn_constructor_kwargs=options,
            batch_format="pyarrow",
            batch_size=BATCH,
            compute=ray.data.ActorPoolStrategy(size=workers),
        )
        .write_parquet(str(output))
    )
    watch.sample()  # before its processes end
    ray.shutdown()


def main() -> None:
    """Prints the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; files of 0.5 s, tasks of {BATCH}")
    print("workers  recordings    wall (s)     CPU (s)  a recording (ms)   GiB at 1/4   GiB at end")
    runs = [*((0, count // share) for share in (100, 10)), *((1, count // share) for share in (100, 10, 1)), (2, count)]
    before: dict[int, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as work:
        names = make(Path(work), count)
        for workers, files in runs:
            with multiprocessing.get_context("spawn").Pool(1) as pool:  # a process of its own
                found = pool.apply(measure, (names[:files], workers, Path(work)))
                pool.close()
                pool.join()
            more = ""
            if workers in before:
                fewer, cost = before[workers]
                more = f"{1000 * (found['cpu'] - cost) / (files - fewer):.1f}"
            before[workers] = files, found["cpu"]
            print(
                f"{workers or 'no Ray':>7} {files:11,} {found['wall']:11.1f} {found['cpu']:11.1f} {more:>17} "
                f"{found['quarter']:12.2f} {found['end']:12.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
