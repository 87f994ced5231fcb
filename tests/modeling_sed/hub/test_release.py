"""A family on the Hub by one command: listed first, gone on with where it broke, and without a path of this machine."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from modeling_sed.dataset_scripts.build import build
from modeling_sed.hub.metric_modules import MODULES
from tests.dataset_scripts.conftest import ravdess  # noqa: F401 - a fixture of these tests, too
from tests.dataset_scripts.test_zed import zed  # noqa: F401
from tests.local_hub import LocalHub, use_here
from tests.modeling_sed.training.conftest import encoder, train_here  # noqa: F401

DATASET, MODEL, SPACE = (f"{kind}/someone/emotions" for kind in ("datasets", "models", "spaces"))


def push(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["push", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def states(listed: str) -> dict[str, set[str]]:
    """The states of the files of each repository."""
    name, found = "", {}
    for line in listed.splitlines():
        if line.startswith(" "):
            found[name].add(line.split()[0])
        elif not line.startswith("http"):
            name, found[line] = line, set()
    return found


@pytest.fixture
def family(ravdess: Path, zed: Path, encoder: Path, tmp_path: Path) -> tuple[object, ...]:  # noqa: F811
    """The options of a release: a model that was trained on a dataset with ZED, and this dataset."""
    data, run = tmp_path / "secret-place" / "emotions-2026", tmp_path / "secret-place" / "run"
    build(data, "benchmark", corpora={"ravdess": str(ravdess)}, zed=str(zed), split_by="speaker", seed=1)
    train_here(dataset=data, encoder=encoder, output_dir=run, max_steps=1, report_to=["tensorboard"])
    (run / "notes.txt").write_text("private")
    return ("--model", run, "--dataset", data)


def test_a_family_is_released(family: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    command = ("release", "someone/emotions", *family)
    repositories = ["dataset someone/emotions", *(f"space someone/{name}" for name in MODULES)]
    repositories += ["model someone/emotions", "space someone/emotions"]
    with LocalHub() as hub:
        use_here(hub, tmp_path / "home", monkeypatch)
        listed = push(*command, "--dry-run")
        assert list(states(listed)) == repositories and not hub.repositories
        assert states(listed)["model someone/emotions"] == {"new", "left"}
        assert "  left out  notes.txt" in listed and "  left out  checkpoints/" in listed

        hub.server.refused = {"app.py"}  # the first Space fails, the dataset is there
        broken = CliRunner().invoke(app, ["push", *map(str, command)])
        assert broken.exit_code == 1 and "error: someone/eder: " in broken.output
        assert set(hub.repositories) == {DATASET, "spaces/someone/eder"}
        hub.server.refused = set()
        hub.server.received.clear()
        listed = push(*command)
        assert states(listed)["dataset someone/emotions"] == {"same"} and states(listed)[repositories[1]] == {"new"}
        assert not [name for name in hub.server.received if name.startswith("datasets/")]

        hub.server.received.clear()
        assert all(found <= {"same", "left"} for found in states(push(*command)).values())
        assert hub.server.received == []
        check_that_parts_know_each_other(hub.repositories)
        check_that_nothing_tells_of_this_machine(hub.repositories, tmp_path.parent)


def check_that_parts_know_each_other(repositories: dict[str, dict[str, bytes]]) -> None:
    model, dataset = repositories[MODEL], repositories[DATASET]
    (entry,) = parse_eval_result_entries(yaml.safe_load(model[".eval_results/eder.yaml"]))
    benchmark = yaml.safe_load(dataset["eval.yaml"])
    assert entry.dataset_id == "someone/emotions" and entry.task_id == benchmark["tasks"][0]["id"]
    assert benchmark.keys() == {"name", "description", "evaluation_framework", "tasks"}
    card = ModelCard(model["README.md"].decode())
    assert card.data.datasets == ["someone/emotions"] and card.data.language == ["en"]
    assert card.data.eval_results[0].metric_value == pytest.approx(entry.value)
    assert "| ravdess | acted | en | CC BY-NC-SA 4.0 |" in card.text and 'revision="COMMIT"' in card.text
    assert "| zed | natural, annotated in time by people | en | CC BY-NC 4.0 |" in card.text
    assert 'model="someone/emotions"' in repositories[SPACE]["app.py"].decode()


def check_that_nothing_tells_of_this_machine(repositories: dict[str, dict[str, bytes]], folder: Path) -> None:
    for repository, files in repositories.items():
        for name, content in files.items():
            if name.endswith(".parquet"):  # compressed
                content = str(pyarrow.parquet.read_table(io.BytesIO(content)).drop(["audio"]).to_pylist()).encode()
            assert str(folder).encode() not in content and b"secret-place" not in content, f"{repository}/{name}"


def test_a_dataset_is_published_even_if_its_benchmark_is_refused(
    zed: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    build(tmp_path / "data", "zed", zed=str(zed))
    with LocalHub() as hub:
        use_here(hub, tmp_path / "home", monkeypatch)
        hub.server.refused = {"eval.yaml"}
        said = push("dataset", tmp_path / "data", "someone/zed")
        assert "eval.yaml could not be published, the rest is: someone/zed: " in said
        assert {"README.md", "sed_dataset.json"} < hub.repositories["datasets/someone/zed"].keys()
        listed = push("dataset", tmp_path / "data", "someone/zed", "--dry-run")
        assert "  new       eval.yaml" in listed and "  same      README.md" in listed


def test_a_demo_cannot_have_the_name_of_a_metric(model_folder: Path):
    done = CliRunner().invoke(app, ["push", "release", "someone/eder", "--model", str(model_folder), "--dry-run"])
    assert done.exit_code == 1 and "the metric eder is a Space of this name" in done.output
