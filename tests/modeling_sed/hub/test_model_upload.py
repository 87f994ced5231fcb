"""What of a model's folder is published, and what is not."""

from __future__ import annotations

import configparser
import json
import shutil
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from modeling_sed.frames_sed import InputError
from modeling_sed.hub.model_upload import ENDPOINT, model_upload
from tests.conftest import REPOSITORY

CARD = """---
model-index:
- name: run_7
  results:
  - task: {type: audio-classification}
    dataset: {type: data, name: data}
    metrics: [{type: eder, value: 0.25}]
---

# run_7

![curves](curves.png) [more](docs/more.md) <img src="./logo.svg"> [web](https://example.org/a.png) [no](../outside.txt)

pipeline("speech-emotion-diarization", model="run_7")
"""
RESULTS = {"eder": 0.25, "confidence_interval": {"eder": [0.2, 0.3]}, "date": "2026-01-02"}


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A model with what belongs to it, and much that does not."""
    folder = tmp_path / "run_7"
    shutil.copytree(model_folder, folder)
    (tmp_path / "outside.txt").write_text("private")
    for name in ("curves.png", "docs/more.md", "docs/less.md", "logo.svg", "LICENSE", "report.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text")
    for name in (
        "passwords.txt",
        ".env",
        "checkpoints/step_1/model.safetensors",
        "checkpoints/run.json",
        "logs/a/b_sed.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("private")
    (folder / "README.md").write_text(CARD)
    (folder / "results.json").write_text(json.dumps(RESULTS))
    (folder / ".eval_results").mkdir()
    (folder / ".eval_results" / "eder.yaml").write_text("[]")
    return folder


def test_only_what_a_model_consists_of_is_taken(folder: Path, model_folder: Path):
    upload = model_upload(folder, "someone/model")
    own = {path.name for path in model_folder.iterdir()} | {"README.md", "results.json", "report.md", "LICENSE"}
    shown = {"curves.png", "docs/more.md", "logo.svg"}
    assert upload.files.keys() == own | shown | {".eval_results/eder.yaml", "handler.py", "requirements.txt"}
    assert upload.left_out == [".env", "checkpoints/", "docs/less.md", "logs/", "passwords.txt"]
    assert upload.files["handler.py"] == ENDPOINT / "handler.py"
    (folder / "handler.py").write_text("# another one")
    assert model_upload(folder, "someone/model").files["handler.py"] == folder / "handler.py"


def test_the_card_calls_the_model_as_the_hub_does(folder: Path):
    card = ModelCard(model_upload(folder, "someone/model").files["README.md"].decode())
    assert card.data.model_name == "someone/model" and card.data.eval_results[0].metric_value == 0.25
    assert "# someone/model\n" in card.text and 'model="someone/model"' in card.text and "run_7" not in str(card)
    again = model_upload(folder, "someone/model").files["README.md"].decode()
    assert again == str(card)  # so that it is the same when it is pushed again
    (folder / "README.md").write_text("# By hand\n")
    assert model_upload(folder, "someone/model").files["README.md"] == b"# By hand\n"


def test_of_a_dataset_of_the_hub_the_score_is_for_its_leaderboard(folder: Path):
    files = model_upload(folder, "someone/model", dataset_id="someone/data").files
    (entry,) = parse_eval_result_entries(yaml.safe_load(files[".eval_results/eder.yaml"]))
    assert (entry.dataset_id, entry.task_id, entry.value, entry.date) == ("someone/data", "eder", 0.25, "2026-01-02")
    assert entry.source_url == "https://huggingface.co/someone/model/blob/main/report.md"
    assert ModelCard(files["README.md"].decode()).data.datasets == ["someone/data"]
    (folder / "results.json").write_text("{}")
    with pytest.raises(InputError, match=r"results\.json does not hold the results of a training"):
        model_upload(folder, "someone/model", dataset_id="someone/data")


def test_weights_in_parts_are_a_model_and_none_are_not(folder: Path):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    with pytest.raises(InputError, match=r"is not a saved model: it has no model\.safetensors"):
        model_upload(folder, "someone/model")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "model-00001-of-00001.safetensors" in model_upload(folder, "someone/model").files
    with pytest.raises(InputError, match="is not a folder"):
        model_upload(folder / "nothing", "someone/model")


def test_endpoints_and_spaces_require_what_the_package_requires():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    required = set(setup["options"]["install_requires"].split())
    assert set((ENDPOINT / "requirements.txt").read_text().split()) <= required
    space = (ENDPOINT.with_name("demo_space") / "requirements.txt").read_text().split()
    assert {line for line in space if not line.startswith("gradio")} <= required
