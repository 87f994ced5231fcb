"""What a run leaves tells of no folder of this machine, and where its data are from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
from datasets import Dataset, load_from_disk
from datasets.arrow_writer import ArrowWriter

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.provenance import data_origin, public_name, public_options
from tests.conftest import small_model
from tests.modeling_sed.training.conftest import train_here


def test_paths_become_names_and_hub_ids_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "seed_1").mkdir(parents=True)
    assert public_name("data/seed_1") == public_name(str(tmp_path / "data" / "seed_1")) == "seed_1"
    assert public_name("data/seed_1/..") == "data" and public_name(".") == tmp_path.name
    assert public_name("microsoft/wavlm-large") == "microsoft/wavlm-large"
    assert public_name("/nowhere/private/data") == public_name("~/nowhere/data") == "data"


def test_options_are_told_without_paths(options: TrainingOptions):
    told = public_options(
        replace(options, augment_noises="/home/anna/noises", dataset="/home/anna/data_{seed}", seed=3)
    )
    assert told["augment_noises"] == "noises" and told["dataset"] == "data_3" and told["augment_rooms"] is None
    assert told["output_dir"] == "run" and told["encoder"] == "tiny.json"


def test_corpora_and_commit_of_a_dataset_of_the_hub_are_known(options: TrainingOptions, tmp_path: Path):
    file = tmp_path / ("ab" * 20) / "data-test.arrow"  # as `datasets` caches it
    file.parent.mkdir()
    with ArrowWriter(path=str(file)) as writer:
        writer.write_table(pyarrow.table({"corpus": ["ravdess", "nemo", "ravdess"]}))
        writer.finalize()
    rows = Dataset.from_file(str(file))
    origin = data_origin(replace(options, dataset="someone/data"), {"test": rows})
    assert origin == {
        "name": "someone/data",
        "hub_id": "someone/data",
        "revision": "ab" * 20,
        "digest": None,
        "corpora": {"test": ["nemo", "ravdess"]},
    }


def test_nothing_that_training_leaves_tells_of_this_machine(data: Path, tmp_path: Path):
    """But for the checkpoints, which are compared with the options when a run is resumed, and are not published."""
    splits = load_from_disk(str(data))
    folder = tmp_path / "private" / "place"
    splits.save_to_disk(folder / "emotions")
    pretrained = folder / "encoder"
    small_model().encoder.save_pretrained(pretrained)
    train_here(
        dataset=folder / "emotions",
        encoder=pretrained,
        output_dir=folder / "run",
        max_steps=1,
        report_to=["tensorboard"],
    )
    left = [path for path in (folder / "run").rglob("*") if path.is_file() and "checkpoints" not in path.parts]
    assert {"README.md", "results.json", "report.md", "config.json", "hparams.yml"} <= {path.name for path in left}
    assert [path.name for path in left if str(tmp_path).encode() in path.read_bytes()] == []
    results = json.loads((folder / "run" / "results.json").read_text())
    assert results["options"]["dataset"] == results["data"]["name"] == "emotions"
    assert results["options"]["encoder"] == "encoder" and results["encoder_hub_id"] is None
    card = (folder / "run" / "README.md").read_text()
    assert "trained on `emotions`" in card and "does not say which corpora" in card
