"""A model's files in a folder: those of one model, or no model."""

from __future__ import annotations

from pathlib import Path

import pytest

from modeling_sed.training.model_files import replace_model


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_of_a_model_that_was_trained_further_only_the_weights_are_replaced(tmp_path: Path):
    run = write(tmp_path / "run", config_json="c", code_py="p", model_safetensors="old", results_json="r")
    untouched = (run / "config.json").stat().st_ino
    replace_model(write(tmp_path / "new", config_json="c", code_py="p", model_safetensors="new"), run)
    assert contents(run) == {"config.json": "c", "code.py": "p", "model.safetensors": "new", "results.json": "r"}
    assert (run / "config.json").stat().st_ino == untouched


@pytest.mark.parametrize("survived", range(4))
def test_a_killed_replacement_leaves_one_model_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int):
    old = {"config.json": "old", "code.py": "old", "model.safetensors": "old"}
    run = write(tmp_path / "run", config_json="old", code_py="old", model_safetensors="old")
    new = write(tmp_path / "new", config_json="new", code_py="new", model_safetensors="new")
    replace, moved = Path.replace, []

    def die_later(path: Path, target: Path) -> Path:
        if len(moved) == survived:
            raise KeyboardInterrupt
        moved.append(path)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", die_later)
    if survived < 3:
        with pytest.raises(KeyboardInterrupt):
            replace_model(new, run)
    else:
        replace_model(new, run)
    found = contents(run)
    assert "config.json" not in found or found in (old, dict.fromkeys(old, "new"))
    assert ("config.json" in found) == (survived == 3)
