"""A build that was killed, or ran out of disk, loses nothing: the same call goes on where it stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from datasets import load_from_disk

from modeling_sed.dataset_scripts import build as build_module
from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.builder import ROWS_AT_ONCE
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.simulation import PlannedUtterance
from modeling_sed.disk.work_folder import LOCK, MARKER, OWNER, SIGNATURE, beside, held
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
    rendered = beside(tmp_path / "out") / "rendered"
    while len(list(rendered.glob("*/*.arrow"))) < 3:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    kept = len(list(rendered.glob("*/*.arrow")))

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
    assert f"{beside(tmp_path / 'out')} keeps what was rendered; the same call goes on with it" in errors
    assert not (tmp_path / "out").exists()

    names = count_rendered(monkeypatch)
    total = sum(map(len, build(tmp_path / "out", **options).values()))
    assert len(names) < total / 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_other_options_left_is_not_used(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    process = start(options | {"output_dir": str(tmp_path / "out"), "crossfade": 0.01, "hours": 0.3})
    while not list((beside(tmp_path / "out") / "rendered").glob("*/*.arrow")):
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
            assert re.search(
                rf"InputError: {tmp_path / 'out'} is being written by another process \(process \d+ on ", error
            )
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert contents(load_from_disk(str(tmp_path / "out"))) == contents(build(tmp_path / "alone", **options))


def test_a_lock_is_kept_by_the_living_only(ravdess: Path, tmp_path: Path):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    out = tmp_path / "out"
    with (
        held(beside(out), out, InputError),
        pytest.raises(InputError, match=rf"out is being written by another process \(process {os.getpid()} on "),
    ):
        build(out, **options)
    assert list(tmp_path.iterdir()) == []
    beside(out).mkdir()
    for name, text in ((MARKER, SIGNATURE), (LOCK, ""), (OWNER, "{")):  # as a build leaves it that died
        (beside(out) / name).write_text(text)
    build(out, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with held(beside(out), out, InputError):
        build(out, **options)  # what is there needs no lock


@pytest.mark.parametrize("names", [["thesis.txt"], ["dataset"], ["sed_dataset.json", "thesis.txt"]])
def test_a_folder_of_the_user_is_no_work_folder(ravdess: Path, tmp_path: Path, names: list[str]):
    work = beside(tmp_path / "out")
    work.mkdir()
    for name in names:
        (work / name).write_text("all of it")
    with pytest.raises(InputError, match=rf"is needed as a work folder, but holds other files \({', '.join(names)}\)"):
        build(tmp_path / "out", "simulated", corpora={"ravdess": str(ravdess)})
    assert {path.name: path.read_text() for path in work.iterdir()} == dict.fromkeys(names, "all of it")
    assert list(tmp_path.iterdir()) == [work]


def test_what_a_user_has_put_into_a_work_folder_or_a_dataset_stays(ravdess: Path, tmp_path: Path):
    options = {"config_name": "simulated", "corpora": {"ravdess": str(ravdess)}}
    work = beside(tmp_path / "out")
    with held(work, tmp_path / "out", InputError):
        (work / "thesis.txt").write_text("all of it")
    build(tmp_path / "out", **options)
    assert (work / "thesis.txt").read_text() == "all of it"
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"files that no build has written \(notes\.txt\), which --overwrite would"):
        build(tmp_path / "out", **options, seed=1, overwrite=True)
    (tmp_path / "out" / "notes.txt").unlink()
    other = contents(build(tmp_path / "out", **options, seed=1, overwrite=True))
    assert other == contents(build(tmp_path / "alone", **options, seed=1))


def test_a_corpus_that_changes_while_it_is_read_is_not_built(
    ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    corpus = Path(shutil.copytree(ravdess, tmp_path / "corpus"))

    def save(*arguments):
        original(*arguments)
        os.utime(next(corpus.rglob("*.wav")), ns=(0, 0))

    original = build_module._save
    monkeypatch.setattr(build_module, "_save", save)
    with pytest.raises(InputError, match="the corpora changed while they were read; build again"):
        build(tmp_path / "out", "simulated", corpora={"ravdess": str(corpus)})
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
    with pytest.raises(InputError, match=r"lies in .*corpus, where nothing is written"):
        build(corpus / "out", "simulated", corpora={"ravdess": str(corpus)})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")
def test_no_process_of_a_pool_outlives_a_killed_one(tmp_path: Path):
    code = (
        "from modeling_sed.dataset_scripts.processes import process_pool\n"
        "with process_pool(2) as pool: print(*set(pool.map(work, range(8))), flush=True); input()"
    )
    script = "import os, time\ndef work(number):\n    time.sleep(0.1)\n    return os.getpid()\n" + code
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    workers = list(map(int, process.stdout.readline().split()))
    assert workers and all(map(psutil.pid_exists, workers))
    process.kill()
    process.wait()
    while any(psutil.pid_exists(pid) for pid in workers):
        time.sleep(0.1)
