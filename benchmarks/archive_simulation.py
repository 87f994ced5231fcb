"""100,000 hours of calls on 64 GPUs with slow machines and machines that fail: how long it takes, what is lost.

    python -m benchmarks.archive_simulation

A simulation of seconds, with stated assumptions (`Cluster`), of what `docs/scale.md` describes: Ray Data, whose tasks
of some recordings are begun anew where a worker or the driver fails, and Slurm arrays of shards, each of which goes on
with its first recording that is not done. `repeated` is the work that was done twice, `lost` and `twice` are recordings
without a result in the end, and with more than one.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

HOURS = 100_000
MEAN_MINUTES = 10.0  # of a call; log-normal
SPREAD = 1.0  # standard deviation of the logarithm
HOUR = 3600.0


@dataclass(frozen=True)
class Cluster:
    """What is assumed.

    Attributes:
        workers: GPUs.
        speed: seconds of audio that a worker hears a second. 467 is what one thread reads of MP3 at 48 kHz in stereo
            (benchmarks/README.md, measured), far below what an H100 computes.
        slow: share of the workers that are slow, at half the speed, for all of the run.
        worker_fails: hours after which a worker fails, on average (exponential); preemptible machines fail often.
        worker_back: seconds until it, or another, has loaded the model.
        driver_fails: hours after which the driver fails, on average, and with it all tasks that are running.
        driver_back: seconds until somebody has started it again.
    """

    workers: int = 64
    speed: float = 467.0
    slow: float = 0.0
    worker_fails: float = np.inf
    worker_back: float = 300.0
    driver_fails: float = np.inf
    driver_back: float = 1800.0


@dataclass
class Outcome:
    """Times in seconds; ``results (recordings,)`` counts those of each recording."""

    results: np.ndarray
    seconds: float = 0.0
    repeated: float = 0.0
    failures: int = 0


def calls(hours: float = HOURS, seed: int = 0) -> np.ndarray:
    """Durations of calls in seconds ``(recordings,)``, which last so many hours together."""
    generator = np.random.default_rng(seed)
    durations = generator.lognormal(sigma=SPREAD, size=round(hours * 60 / MEAN_MINUTES))
    return durations * hours * HOUR / durations.sum()


def simulate(durations: np.ndarray, tasks: list[np.ndarray], cluster: Cluster, resumed: bool, seed: int = 0) -> Outcome:
    """One run; workers take the tasks in order.

    Args:
        durations: of recordings, in seconds, ``(recordings,)``.
        tasks: positions of the recordings of each.
        cluster: what they run on.
        resumed: whether a task that was interrupted goes on with its first recording that has no result; otherwise its
            results count when it is done.
        seed: of what fails when.
    """
    generator = np.random.default_rng(seed)
    speeds = np.full(cluster.workers, cluster.speed)
    speeds[: round(cluster.slow * cluster.workers)] /= 2
    outcome = Outcome(np.zeros(len(durations), int))
    waiting, idle = deque(tasks), deque[int]()
    numbers = itertools.count()
    events: list[tuple[float, int, int, np.ndarray | None]] = []  # when, a number that tells them apart, worker, task

    def later(time: float, worker: int, task: np.ndarray | None = None) -> None:
        heapq.heappush(events, (time, next(numbers), worker, task))

    driver_fails = generator.exponential() * cluster.driver_fails * HOUR
    begun = 0.0  # when the driver was
    for worker in range(cluster.workers):
        later(0.0, worker)
    while events:
        now, _, worker, returned = heapq.heappop(events)
        if now >= driver_fails:
            begun = driver_fails + cluster.driver_back
            driver_fails = begun + generator.exponential() * cluster.driver_fails * HOUR
            outcome.failures += 1
        if now < begun:  # nobody hands out tasks
            later(begun, worker, returned)
            continue
        if returned is not None:
            waiting.appendleft(returned)
            if not idle:
                continue
            worker = idle.popleft()
        if not waiting:
            idle.append(worker)
            continue
        task = waiting.popleft()
        ends = now + np.cumsum(durations[task]) / speeds[worker]
        fails = now + generator.exponential() * cluster.worker_fails * HOUR
        if ends[-1] <= min(fails, driver_fails):
            outcome.results[task] += 1
            outcome.seconds = max(outcome.seconds, ends[-1])
            later(ends[-1], worker)
            continue
        stops = min(fails, driver_fails)
        done = np.searchsorted(ends, stops, side="right") if resumed else 0
        outcome.results[task[:done]] += 1
        outcome.repeated += stops - (ends[done - 1] if done else now)
        outcome.failures += fails < driver_fails
        later(stops, -1, task[done:])
        later(stops + cluster.worker_back, worker)
    return outcome


def batches(count: int, size: int) -> list[np.ndarray]:
    """Tasks of Ray Data: recordings as they come."""
    return np.split(np.arange(count), range(size, count, size))


def shards(count: int, number: int, seed: int = 0) -> list[np.ndarray]:
    """Shards, to which recordings belong by chance, as by the digests of their names."""
    of = np.random.default_rng(seed).integers(number, size=count)
    return [np.flatnonzero(of == shard) for shard in range(number)]


def main() -> None:
    """Prints the table."""
    durations = calls()
    quiet = Cluster()
    slow = replace(quiet, slow=0.05)
    failing = replace(slow, worker_fails=4.0)
    count, ideal = len(durations), durations.sum() / quiet.speed / quiet.workers / HOUR
    workers = f"{quiet.workers} workers at {quiet.speed:g} s a second"
    print(f"{HOURS:,} hours, {count:,} calls; {workers}: at least {ideal:.2f} h")
    print("                                                   hours  failures  repeated    lost   twice")
    ray, driver = batches(count, 64), replace(failing, driver_fails=3.0)
    for name, tasks, cluster, resumed in (
        ("Ray, tasks of 64 calls: nothing happens", ray, quiet, False),
        ("  1 in 20 workers at half the speed", ray, slow, False),
        ("  and each fails every 4 h, back after 5 min", ray, failing, False),
        ("  and the driver every 3 h, back after 30 min", ray, driver, False),
        ("  the same, tasks of 2,048 calls", batches(count, 2048), driver, False),
        ("Slurm, 64 shards: slow and failing workers", shards(count, 64), failing, True),
        ("  the same, 1,024 shards, 64 at a time", shards(count, 1024), failing, True),
    ):
        found = simulate(durations, tasks, cluster, resumed)
        share = found.repeated * quiet.speed / durations.sum()
        lost, twice = (found.results == 0).sum(), (found.results > 1).sum()
        print(f"{name:<48} {found.seconds / HOUR:7.2f} {found.failures:9} {100 * share:8.2f} % {lost:6} {twice:7}")


if __name__ == "__main__":
    main()
