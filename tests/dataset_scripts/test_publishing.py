"""A dataset on the Hub, and as a stream: the same rows as on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from datasets import DatasetDict
from huggingface_hub import DatasetCard
from huggingface_hub.errors import HfHubHTTPError, HTTPError

from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.command_line import main
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.publishing import DatasetUpload
from modeling_sed.dataset_scripts.sed import SED
from tests.dataset_scripts.conftest import COMMAND, contents
from tests.local_hub import LocalHub

LOAD = """
import json, sys
from datasets import load_dataset
splits = load_dataset(sys.argv[1])
print(json.dumps({name: [[row["name"], row["segments"], len(row["audio"]["bytes"])] for row in rows]
                  for name, rows in splits.items()}))
"""


def test_published_as_parquet_and_loaded_by_name(ravdess: Path, benchmark: DatasetDict, tmp_path: Path):
    with LocalHub() as hub:
        environment = os.environ | {
            "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1",
        }  # fmt: skip
        options = ["--split-by", "speaker", "--seed", "1", "--output-dir", "out", "--push-to-hub", "someone/emotions"]
        done = subprocess.run(
            [*COMMAND, "benchmark", "--corpora", f"ravdess={ravdess}", *options],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        files = hub.repositories["datasets/someone/emotions"]
        card = DatasetCard(files["README.md"].decode())
        assert "dataset_info" in str(card) and "validation " in card.text and card.data.language == ["en"]
        assert card.data.license == "other" and "| ravdess | acted | en | CC BY-NC-SA 4.0 |" in card.text
        assert {name.split(".")[-1] for name in files} == {"md", "parquet", "json"} | ({"gitattributes"} & {*files})
        assert not [name for name, content in files.items() if str(tmp_path.parent).encode() in content]
        loaded = subprocess.run(
            [sys.executable, "-c", LOAD, "someone/emotions"],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=300,
        )  # fmt: skip
        assert loaded.returncode == 0, loaded.stderr
    expected = {
        name: [[row["name"], row["segments"], len(row["audio"]["bytes"])] for row in rows.to_list()]
        for name, rows in benchmark.items()
    }
    assert json.loads(loaded.stdout) == expected


@pytest.mark.parametrize(
    ("repo_id", "message"),
    [
        ("someone/emotions", "someone/emotions: the token is missing"),
        ("someone/emo/tions", "'someone/emo/tions' is not of the form NAMESPACE/NAME"),
    ],
)
def test_what_cannot_be_published_is_not_built(
    ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo_id: str, message: str
):
    monkeypatch.setattr("modeling_sed.dataset_scripts.repository.get_token", lambda: None)
    options = ["--corpora", f"ravdess={ravdess}", "--output-dir", str(tmp_path / "out"), "--push-to-hub", repo_id]
    with pytest.raises(InputError, match=f"^{message}"):
        main(["simulated", *options])
    assert not (tmp_path / "out").exists()


def test_what_the_hub_answers_is_said_in_a_sentence(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: object, **options: object) -> None:
        response = SimpleNamespace(status_code=status, headers={}, request=None)
        raise HfHubHTTPError("Forbidden\nfor many reasons", response=response)

    def break_down(*arguments: object, **options: object) -> None:
        raise HTTPError("no route")

    monkeypatch.setenv("HF_TOKEN", "hf_test")
    build(tmp_path, "simulated", corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)
    dataset = DatasetUpload(tmp_path, "someone/emotions")
    dataset.__dict__["states"] = dict.fromkeys(("README.md", "sed_dataset.json"), "new")
    for status, reason in ((403, "the token may not write there"), (500, "Forbidden")):
        monkeypatch.setattr(DatasetDict, "push_to_hub", refuse)
        with pytest.raises(InputError, match=rf"^someone/emotions: {reason}.*\(status {status}\)\.$"):
            dataset.push()
    monkeypatch.setattr(DatasetDict, "push_to_hub", break_down)
    with pytest.raises(InputError, match="the Hub cannot be reached"):
        dataset.push()


def test_another_folder_is_not_published(tmp_path: Path):
    with pytest.raises(InputError, match=r"is not a dataset of this program: it has no sed_dataset\.json"):
        DatasetUpload(tmp_path, "someone/emotions")


def test_streamed_without_building(ravdess: Path, benchmark: DatasetDict, tmp_path: Path):
    builder = SED("benchmark", cache_dir=str(tmp_path), corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)
    streamed = builder.as_streaming_dataset()
    assert {name: list(rows) for name, rows in streamed.items()} == contents(benchmark)
    assert not list(tmp_path.rglob("*.arrow"))
