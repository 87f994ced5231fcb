"""Faults: commands that are killed, run twice at once, run out of disk, or whose input changes; and what is lost by it.

    python -m benchmarks.faults [--tries 50] [--commands build train …] [--kinds "kill -9" "two at once" …] [--seed 0]

Each try is a process of its own, of a small model and small inputs, disturbed at a random moment between its start and
its usual end. It has survived if what is there then is whole, and the same command, run again, leaves exactly what an
undisturbed one does; else it is counted as lost, and its reason is printed. Linux only; disks of a few megabytes
(tmpfs) need the superuser.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.local_hub import LocalHub


def main() -> None:
    """Prints a table: command, kind of fault, tries, survived, lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--commands", nargs="*")
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        hub = LocalHub()
        if (server := os.fork()) == 0:
            hub.server.serve_forever()
        hub.server.server_close()
        try:
            _run(options, hub.url, Path(name))
        finally:
            os.kill(server, 9)
            os.waitpid(server, 0)


def _run(options: argparse.Namespace, hub: str, folder: Path) -> None:
    caches = {"HF_HOME": str(folder / "cache"), "HF_DATASETS_CACHE": str(folder / "cache" / "datasets")}
    hub_client = {"HF_ENDPOINT": hub, "HF_TOKEN": "hf_x", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    os.environ.update(caches | hub_client | quiet)
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot
    import torch

    import train_sed  # noqa: F401

    from . import jobs, tries

    torch.set_num_threads(1)  # no threads here: they would be missing in the processes that are forked
    inputs = folder / "inputs"
    inputs.mkdir()
    jobs.write_inputs(inputs)
    print("| command | fault | tries | survived | lost |\n| --- | --- | ---: | ---: | ---: |", flush=True)
    for job in jobs.jobs(hub, inputs):
        if options.commands and job.name not in options.commands:
            continue
        known = tries.undisturbed(job, inputs, folder / "undisturbed" / job.name.replace(" ", "-"))
        for kind, disturb in tries.TRIES.items():
            if not tries.applies(kind, job) or (options.kinds and kind not in options.kinds):
                continue
            lost, begun = 0, time.monotonic()
            for number in range(options.tries):
                place = folder / "_".join(f"{job.name} {kind}".replace("-", "").split()) / str(number)
                place.mkdir(parents=True)
                try:
                    disturb(known, place, random.Random(f"{options.seed} {job.name} {kind} {number}"))
                except AssertionError as error:
                    lost += 1
                    print(f"{job.name}, {kind}, try {number}: {error}", file=sys.stderr, flush=True)
            print(f"| {job.name} | {kind} | {options.tries} | {options.tries - lost} | {lost} |", flush=True)
            print(f"  {time.monotonic() - begun:.0f} s, {known.seconds:.2f} s undisturbed", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
