"""A build that was killed, or ran out of disk, loses nothing: the same call goes on where it stopped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from datasets import load_from_disk
from filelock import FileLock

from modeling_sed.dataset_scripts import build as build_module
from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.builder import ROWS_AT_ONCE
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.simulation import PlannedUtterance
from tests.dataset_scripts.conftest import contents

BUILD = """
import json, resource, sys
from modeling_sed.dataset_scripts.build import build
options, largest_file = json.loads(sys.argv[1])
if largest_file:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
build(**options)
"""


def start(options: dict, largest_file: int | None = None) -> subprocess.Popen:
    command = [sys.executable, "-c", BUILD, json.dumps([options, largest_file])]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def count_rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names = []

    def render(utterance: PlannedUtterance) -> dict:
        names.append(utterance.name)
        return original(utterance)

    original = build_module.render
    monkeypatch.setattr(build_module, "render", render)
    return names


def test_a_killed_build_goes_on(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}, "hours": 0.3}
    process = start(options | {"output_dir": str(tmp_path / "out")})
    rendered = tmp_path / "out.partial" / "rendered"
    while len(list(rendered.glob("*.arrow"))) < 3:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    kept = len(list(rendered.glob("*.arrow")))

    names = count_rendered(monkeypatch)
    splits = build(tmp_path / "out", **options)
    total = sum(map(len, splits.values()))
    # at most one of the kept batches was a short one, the last of its split
    assert len(names) < total - (kept - 1) * ROWS_AT_ONCE
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    names.clear()
    assert contents(build(tmp_path / "never broken", **options)) == contents(splits)
    assert len(names) == total


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_loses_nothing(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}, "hours": 0.2}
    process = start(options | {"output_dir": str(tmp_path / "out")}, largest_file=8_000_000)
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0 and "File too large" in errors  # the split's own file is larger than a batch's
    assert f"{tmp_path / 'out'}.partial keeps what was rendered; the same call goes on with it" in errors
    assert not (tmp_path / "out").exists()

    names = count_rendered(monkeypatch)
    total = sum(map(len, build(tmp_path / "out", **options).values()))
    assert len(names) < total / 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_other_options_left_is_not_used(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    process = start(options | {"output_dir": str(tmp_path / "out"), "crossfade": 0.01, "hours": 0.3})
    while not list((tmp_path / "out.partial" / "rendered").glob("*.arrow")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.kill()
    process.wait()
    names = count_rendered(monkeypatch)
    splits = build(tmp_path / "out", **options)
    assert len(names) == sum(map(len, splits.values()))


def test_three_builds_at_once(ravdess: Path, tmp_path: Path):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}, "hours": 0.3}
    processes = [start(options | {"output_dir": str(tmp_path / "out")}) for _ in range(3)]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    ended = [error for process, error in zip(processes, errors, strict=True) if process.returncode == 0]
    assert ended  # one that comes when the first has ended finds the dataset
    for process, error in zip(processes, errors, strict=True):
        if process.returncode:
            assert re.search(rf"InputError: {tmp_path / 'out'} is being built by another process", error)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert contents(load_from_disk(str(tmp_path / "out"))) == contents(build(tmp_path / "alone", **options))


def test_a_lock_is_kept_by_the_living_only(ravdess: Path, tmp_path: Path):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    lock = tmp_path / "out.partial.lock"
    with FileLock(lock), pytest.raises(InputError, match="out is being built by another process; wait for it"):
        build(tmp_path / "out", **options)
    assert not (tmp_path / "out.partial").exists()
    lock.touch()  # as a build leaves it that died
    build(tmp_path / "out", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with FileLock(lock):
        build(tmp_path / "out", **options)  # what is there needs no lock


@pytest.mark.parametrize("names", [["thesis.txt"], ["dataset"], ["sed_dataset.json", "thesis.txt"]])
def test_a_folder_of_the_user_is_no_work_folder(ravdess: Path, tmp_path: Path, names: list[str]):
    work = tmp_path / "out.partial"
    work.mkdir()
    for name in names:
        (work / name).write_text("all of it")
    with pytest.raises(InputError, match=r"out\.partial is needed for building, but holds other files; move it"):
        build(tmp_path / "out", "simulated", corpora={"ravdess": str(ravdess)})
    assert {path.name: path.read_text() for path in work.iterdir()} == dict.fromkeys(names, "all of it")
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial"]


def test_a_dataset_is_no_work_folder(ravdess: Path, tmp_path: Path):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    first = build(tmp_path / "out.partial", **options)
    with pytest.raises(InputError, match=r"out\.partial is needed for building, but holds other files"):
        build(tmp_path / "out", **options)
    assert contents(load_from_disk(str(tmp_path / "out.partial"))) == contents(first)
