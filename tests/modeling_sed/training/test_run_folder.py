"""The folder of a run: what others have put there stays, one training at a time, all files of a kind or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import DatasetDict

from modeling_sed.disk.work_folder import held, within
from modeling_sed.frames_sed import InputError
from modeling_sed.training.data import fingerprint
from modeling_sed.training.run_folder import ALWAYS_WRITTEN, RunFolder
from tests.modeling_sed.training.conftest import command, environment


def write(folder: RunFolder, **contents: str) -> None:
    with folder.replacing_files() as staged:
        for name, text in contents.items():
            (staged / name.replace("_", ".")).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def refused(path: Path, message: str, resume: bool = False, overwrite: bool = False) -> None:
    before = contents(path)
    with pytest.raises(InputError, match=message), RunFolder(path).held(resume, overwrite):
        pass
    assert contents(path) == before and not within(path).exists()


@pytest.mark.parametrize("name", ALWAYS_WRITTEN)
def test_files_of_others_are_never_written_over(tmp_path: Path, name: str):
    (tmp_path / name).write_text("mine")
    for overwrite in (False, True):
        refused(tmp_path, f"holds {name}, which no training of ours has written: move them", overwrite=overwrite)


def test_a_folder_of_others_needs_overwrite_which_leaves_it(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    refused(tmp_path, "not empty, and not the folder of a training: choose another --output-dir, or --overwrite")
    refused(tmp_path, "not empty, and not the folder of a training", resume=True)
    folder = RunFolder(tmp_path)
    with folder.held(resume=False, overwrite=True):
        write(folder, config_json="c", README_md="ours")
        folder.clear()
    assert contents(tmp_path) == {"notes.txt": "mine"}


def test_an_earlier_training_needs_resume_or_overwrite(tmp_path: Path):
    folder = RunFolder(tmp_path / "run")
    with folder.held(resume=False, overwrite=False):
        write(folder, config_json="c", model_safetensors="w")
    with pytest.raises(InputError, match="holds an earlier training: --resume it"), folder.held(False, False):
        pass
    for resume, overwrite in ((True, False), (False, True)):
        with folder.held(resume, overwrite):
            write(folder, config_json="d", model_safetensors="v")
    (tmp_path / "run" / "README.md").write_text("mine")
    with (
        pytest.raises(InputError, match=r"README\.md is there, but not of a training; move it"),
        folder.held(True, False),
    ):
        pass
    assert contents(tmp_path / "run") == {"config.json": "d", "model.safetensors": "v", "README.md": "mine"}


def test_a_file_that_comes_meanwhile_is_not_written_over(tmp_path: Path):
    folder = RunFolder(tmp_path)
    with folder.held(resume=False, overwrite=False):
        write(folder, config_json="c", model_safetensors="w")
        (tmp_path / "README.md").write_text("mine")
        with pytest.raises(InputError, match=r"README\.md is there, but not of this training"):
            write(folder, README_md="ours", report_md="r")
    assert contents(tmp_path) == {"config.json": "c", "model.safetensors": "w", "README.md": "mine"}


def test_a_run_that_is_refused_leaves_no_folder(tmp_path: Path):
    folder = RunFolder(tmp_path / "a" / "run")
    with pytest.raises(KeyError), folder.held(resume=False, overwrite=False):
        raise KeyError
    assert not folder.path.exists()
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="run cannot be written"),
        RunFolder(tmp_path / "file" / "run").held(False, False),
    ):
        pass


def test_what_was_killed_between_two_moves_is_ended(tmp_path: Path):
    folder = RunFolder(tmp_path)
    with folder.held(resume=False, overwrite=False):
        write(folder, config_json="c", model_safetensors="w")
    complete = within(tmp_path) / "complete"
    complete.mkdir()
    (tmp_path / "config.json").unlink()
    (complete / "config.json").write_text("d")
    (tmp_path / "model.safetensors").write_text("v")
    with folder.held(resume=True, overwrite=False):
        assert contents(tmp_path) == {"config.json": "d", "model.safetensors": "v"} and not complete.exists()


def test_of_two_trainings_the_second_is_refused(data: Path, encoder: Path, tmp_path: Path):
    run = tmp_path / "run"
    arguments = command("--dataset", data, "--encoder", encoder, "--output-dir", run, "--overwrite")
    with held(within(run), run, InputError):
        done = subprocess.run(arguments, capture_output=True, text=True, env=environment(), check=False)
    named = f"train_sed.py: {run} is being written by another process (process {os.getpid()} on "
    assert done.returncode == 1 and named in done.stderr and "Traceback" not in done.stderr
    assert not list(run.iterdir())


def test_a_fingerprint_is_of_what_is_trained_on(data: Path, tmp_path: Path):
    splits = DatasetDict.load_from_disk(data)
    splits.save_to_disk(tmp_path / "copy")
    same = DatasetDict.load_from_disk(tmp_path / "copy")
    assert fingerprint(splits) == fingerprint(same)
    row = splits["train"][0]
    for change in (
        {"duration": row["duration"] + 0.1},
        {"segments": []},
        {"audio": {"path": None, "bytes": row["audio"]["bytes"] + b"\0"}},
    ):
        rows = splits["train"].map(lambda _, number, change=change: change if number == 0 else {}, with_indices=True)
        assert fingerprint({**splits, "train": rows}) != fingerprint(splits)
    assert fingerprint({**splits, "train": splits["train"].to_iterable_dataset()}) != fingerprint(splits)


FILL = """
import resource, sys, torch
from safetensors.torch import save_file
from modeling_sed.training.run_folder import RunFolder
folder = RunFolder(sys.argv[1])
tensors = {"weight": torch.zeros(100_000)}
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
with folder.held(resume=False, overwrite=False), folder.replacing_files() as staged:
    if sys.argv[2] == "torch":
        torch.save(tensors, staged / "model.safetensors")
    else:
        save_file(tensors, staged / "model.safetensors")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
@pytest.mark.parametrize("size", [2_000, 200_000])
@pytest.mark.parametrize("library", ["torch", "safetensors"])
def test_tensors_on_a_full_disk_are_one_sentence(tmp_path: Path, library: str, size: int):
    arguments = [sys.executable, "-c", FILL, str(tmp_path / "run"), library, str(size)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert "InputError: " in done.stderr and "run cannot be written (" in done.stderr
    assert not (tmp_path / "run").exists()
