"""Ray Data on a real cluster of two nodes, on this machine: processes are killed, and no row is lost or comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from modeling_sed.archive.table_diarizer import TableDiarizer
from tests.conftest import REPOSITORY

ray = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
EXAMPLE = REPOSITORY / "examples" / "archive_with_ray.py"
COUNT = 24
STORE = 80 * 2**20  # bytes of each node's object store, which holds names and segments only


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_USAGE_STATS_ENABLED", "RAY_DATA_DISABLE_PROGRESS_BARS", "HF_HUB_OFFLINE"):
            patch.setenv(name, "0" if name == "RAY_USAGE_STATS_ENABLED" else "1")
        found = Cluster()
        for _ in range(2):
            found.add_node(num_cpus=2, object_store_memory=STORE, include_dashboard=False)
        yield found.address
        ray.shutdown()
        found.shutdown()


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Recordings, of which one is broken and one is missing."""
    folder, generator = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    for number in range(COUNT - 2):
        soundfile.write(folder / f"{number}.wav", 0.1 * generator.standard_normal(4_000 + 100 * number), 16_000)
    (folder / f"{COUNT - 2}.wav").write_text("text")
    return [str(folder / f"{number}.wav") for number in range(COUNT)]


@pytest.fixture(scope="module")
def expected(names: list[str], model_folder: Path) -> list[dict]:
    return rows(TableDiarizer(str(model_folder), device="cpu")(pa.table({"recording": names})))


def rows(table: pa.Table) -> list[dict]:
    return table.sort_by([("recording", "ascending"), ("start", "ascending")]).to_pylist()


def test_a_killed_run_goes_on(cluster: str, names: list[str], expected: list[dict], model_folder: Path, tmp_path: Path):
    """The program that users copy, killed when some results are there; the second run does the others."""
    (tmp_path / "recordings.csv").write_text("\n".join(["recording", *names, ""]))
    command = [sys.executable, EXAMPLE, "recordings.csv", "out", "--model", model_folder, "--workers", "2"]
    environment = {**os.environ, "RAY_ADDRESS": cluster}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--batch", "1"], cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    committed = tmp_path / "out.checkpoint"
    while len([path for path in committed.glob("*.parquet") if "pending" not in path.name]) < 2:
        assert process.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(2)  # what its workers were writing when they were told that it is gone
    before = {path.name for path in committed.iterdir()}
    assert len(before) < COUNT

    done = subprocess.run([*command, "--batch", "8"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert rows(pq.read_table(tmp_path / "out")) == expected
    finished = pq.read_table(committed)["recording"].to_pylist()
    assert set(finished) == set(names)
    assert {name for name in before if "pending" not in name} <= {path.name for path in committed.iterdir()}


def test_an_actor_that_is_killed_in_the_middle(
    cluster: str, names: list[str], expected: list[dict], model_folder: Path, tmp_path: Path
):
    """Its task is done again by another: the same rows, once."""

    class Killed(TableDiarizer):
        def __call__(self, recordings: pa.Table) -> pa.Table:
            found = super().__call__(recordings)
            heard = recordings["recording"].to_pylist()
            with (tmp_path / "tasks").open("a") as file:
                file.write(f"{os.getpid()} {' '.join(heard)}\n")
            if names[10] in heard and not (tmp_path / "killed").exists():
                (tmp_path / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return found

    ray.init(address=cluster, log_to_driver=False, logging_level="error")
    found = (
        ray.data.from_arrow(pa.table({"recording": names}))
        .repartition(target_num_rows_per_block=4)
        .map_batches(
            Killed,
            fn_constructor_kwargs={"model": str(model_folder), "device": "cpu"},
            batch_format="pyarrow",
            batch_size=4,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=2),
        )
    )
    assert rows(pa.concat_tables(ray.get(found.to_arrow_refs()))) == expected
    tasks = [line.split() for line in (tmp_path / "tasks").read_text().splitlines()]
    again = [pid for pid, *heard in tasks if names[10] in heard]
    assert (tmp_path / "killed").exists() and len(set(again)) == len(again) == 2
