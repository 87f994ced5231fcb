"""The simulation of an archive: nothing is lost, whatever fails; without failures, its times can be worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.archive_simulation import HOUR, Cluster, batches, calls, shards, simulate

TWO = Cluster(workers=2, speed=10.0)


def test_workers_take_the_next_task():
    durations = np.array([10.0, 20.0, 30.0, 40.0])
    # one hears 10 and 30 s in 1 + 3 s, the other 20 and 40 s in 2 + 4 s
    found = simulate(durations, batches(4, 1), TWO, resumed=False)
    assert found.seconds == 6.0 and found.repeated == 0.0 and found.failures == 0
    # in tasks of two: 30 s take 3 s, 70 s take 7 s
    assert simulate(durations, batches(4, 2), TWO, resumed=False).seconds == 7.0
    # the first is slow: 10 and 30 s in 2 + 6 s, while the other hears 20 and 40 s in 2 + 4 s
    assert simulate(durations, batches(4, 1), replace(TWO, slow=0.5), resumed=False).seconds == 8.0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.floats(1.0, 5_000.0), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(1, 5),
    st.sampled_from([0.02, 0.1, np.inf]),
    st.sampled_from([0.05, np.inf]),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_every_recording_has_one_result(
    durations: list[float],
    size: int,
    workers: int,
    worker_fails: float,
    driver_fails: float,
    resumed: bool,
    seed: int,
):
    cluster = Cluster(workers, 1_000.0, 0.4, worker_fails, 10.0, driver_fails, 60.0)
    lengths = np.array(durations)
    found = simulate(lengths, batches(len(lengths), size), cluster, resumed, seed)
    assert (found.results == 1).all()
    assert found.seconds >= lengths.sum() / 1_000 / workers * (1 - 1e-9)
    assert found.repeated == 0 or found.failures > 0


def test_the_stated_archive():
    durations = calls(hours=1_000.0)
    assert len(durations) == 6_000 and durations.sum() == pytest.approx(1_000 * HOUR)
    assert [len(task) for task in batches(10, 4)] == [4, 4, 2]
    assert sorted(np.concatenate(shards(100, 7))) == list(range(100))
    cluster = Cluster(slow=0.05, worker_fails=0.2, driver_fails=0.1)
    whole, small = (simulate(durations, batches(6_000, size), cluster, False) for size in (64, 8))
    assert small.repeated < whole.repeated  # what a failure costs is a task
