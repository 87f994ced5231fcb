"""Trackers by name: each is told of a real run; those whose packages are not installed are skipped."""

from __future__ import annotations

import json
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from modeling_sed.frames_sed import InputError
from modeling_sed.training.trackers import checked_trackers
from tests.modeling_sed.training.conftest import train, train_here


@pytest.fixture
def run(data: Path, encoder: Path, tmp_path: Path) -> dict:
    """Options of a short run."""
    return {"dataset": data, "encoder": encoder, "output_dir": tmp_path / "run", "max_steps": 2, "run_name": "first"}


def test_tensorboard(run: dict, tmp_path: Path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    results = train_here(**run, report_to=["tensorboard"], project="emotions")
    events = event_accumulator.EventAccumulator(str(tmp_path / "run" / "emotions")).Reload()
    losses = events.Scalars("train/loss")
    assert [event.step for event in losses] == [1, 2]
    assert events.Scalars("validation/frame_error_rate")[0].value == pytest.approx(
        results["best_validation_frame_error_rate"]
    )
    (told,) = (tmp_path / "run").rglob("hparams.yml")
    assert yaml.safe_load(told.read_text())["dataset"] == run["dataset"].name


@pytest.mark.skipif(find_spec("trackio") is None, reason="trackio is not installed")
def test_trackio(run: dict, tmp_path: Path):
    options = [part for name, value in run.items() for part in (f"--{name.replace('_', '-')}", value)]
    done = train(*options, "--report-to", "trackio", "--project", "emotions", TRACKIO_DIR=str(tmp_path / "trackio"))
    assert done.returncode == 0, done.stderr
    (database,) = (tmp_path / "trackio").glob("emotions*.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT run_name, step, metrics FROM metrics ORDER BY step").fetchall()
    losses = [(name, step) for name, step, metrics in rows if "train/loss" in json.loads(metrics)]
    assert losses == [("first", 1), ("first", 2)]
    assert str(tmp_path).encode() not in database.read_bytes()


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_offline(run: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    train_here(**run, report_to=["wandb"], project="emotions")
    (written,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    content = written.read_bytes()
    assert all(name in content for name in (b"first", b"emotions", b"train/loss", b"validation/frame_error_rate"))


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch):
    assert checked_trackers(["none"]) == [] and checked_trackers(["all"]) == ["all"]
    with pytest.raises(InputError, match=r"there is no tracker 'tensorbord'; there are all, aim, tensorboard"):
        checked_trackers(["tensorbord"])
    monkeypatch.setattr("modeling_sed.training.trackers.get_available_trackers", list)
    with pytest.raises(InputError, match=r"--report-to comet_ml needs its package: `pip install comet-ml`"):
        checked_trackers(["comet_ml"])
