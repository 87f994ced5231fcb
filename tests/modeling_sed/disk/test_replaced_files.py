"""A model's files in a folder are those of one model: the old one or the new one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modeling_sed.disk.replaced_files import finish, replace_files
from modeling_sed.disk.work_folder import held, within
from modeling_sed.frames_sed import InputError


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def replace(folder: Path, **files: str) -> None:
    with held(within(folder), folder, InputError):
        replace_files(write(within(folder) / "staged" / "run", **files), folder)
        (within(folder) / "staged").rmdir()


def test_of_a_model_that_was_trained_further_only_the_weights_are_replaced(tmp_path: Path):
    run = write(tmp_path / "run", config_json="c", code_py="p", model_safetensors="old", results_json="r")
    untouched = (run / "config.json").stat().st_ino
    replace(run, config_json="c", code_py="p", model_safetensors="new")
    assert contents(run) == {"config.json": "c", "code.py": "p", "model.safetensors": "new", "results.json": "r"}
    assert (run / "config.json").stat().st_ino == untouched
    assert {path.name for path in run.iterdir()} == set(contents(run))  # no work folder is left


@pytest.mark.parametrize("survived", range(6))
def test_a_killed_replacement_leaves_the_old_model_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
):
    old = {"config.json": "old", "code.py": "old", "model.safetensors": "old"}
    new = dict.fromkeys(old, "new")
    run = write(tmp_path / "run", config_json="old", code_py="old", model_safetensors="old")
    steps = iter(range(survived))

    def step(does):
        def die_later(*arguments, **more):
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return does(*arguments, **more)

        return die_later

    with held(within(run), run, InputError), monkeypatch.context() as patch:
        staged = write(within(run) / "staged", config_json="new", code_py="new", model_safetensors="new")
        for name in ("rename", "replace", "unlink"):
            patch.setattr(Path, name, step(getattr(Path, name)))
        try:
            replace_files(staged, run)
        except KeyboardInterrupt:
            assert survived < 5  # it is renamed, the old configuration is deleted, three files are moved
        if (within(run) / "complete").is_dir():
            before = contents(run)
            finish(run, InputError)  # as one who opens the folder meanwhile: the other process is still there
            assert contents(run) == before
    assert "config.json" not in contents(run) or contents(run) in (old, new)
    finish(run, InputError)
    assert contents(run) == (new if survived else old)
    shutil.rmtree(within(run) / "staged", ignore_errors=True)
    finish(run, InputError)
    assert contents(run) == (new if survived else old)
