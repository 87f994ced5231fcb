"""A build that was killed, or ran out of disk, loses nothing: the same call goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modeling_sed.dataset_scripts import build as build_module
from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.builder import ROWS_AT_ONCE
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
