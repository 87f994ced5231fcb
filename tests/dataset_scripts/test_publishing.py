"""A dataset on the Hub, and as a stream: the same rows as on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from datasets import DatasetDict

from modeling_sed.dataset_scripts.sed import SED
from tests.dataset_scripts.conftest import COMMAND, contents
from tests.local_hub import LocalHub

LOAD = """
import json, sys
from datasets import load_dataset
splits = load_dataset(sys.argv[1])
print(json.dumps({name: [[row["id"], row["segments"], len(row["audio"]["bytes"])] for row in rows]
                  for name, rows in splits.items()}))
"""


def test_published_as_parquet_and_loaded_by_name(ravdess: Path, benchmark: DatasetDict, tmp_path: Path):
    with LocalHub() as hub:
        environment = os.environ | {
            "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1",
        }  # fmt: skip
        options = ["--split_by", "speaker", "--seed", "1", "--output_dir", "out", "--push_to_hub", "someone/emotions"]
        done = subprocess.run(
            [*COMMAND, "benchmark", "--corpus", f"ravdess={ravdess}", *options],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        files = hub.repositories["datasets/someone/emotions"]
        card = files["README.md"].decode()
        assert "dataset_info" in card and "speech-emotion-diarization" in card and "validation " in card
        assert {name.split(".")[-1] for name in files} == {"md", "parquet"} | ({"gitattributes"} & {*files})
        loaded = subprocess.run(
            [sys.executable, "-c", LOAD, "someone/emotions"],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=300,
        )  # fmt: skip
        assert loaded.returncode == 0, loaded.stderr
    expected = {
        name: [[row["id"], row["segments"], len(row["audio"]["bytes"])] for row in rows.to_list()]
        for name, rows in benchmark.items()
    }
    assert json.loads(loaded.stdout) == expected


def test_streamed_without_building(ravdess: Path, benchmark: DatasetDict, tmp_path: Path):
    builder = SED("benchmark", cache_dir=str(tmp_path), corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)
    streamed = builder.as_streaming_dataset()
    assert {name: list(rows) for name, rows in streamed.items()} == contents(benchmark)
    assert not list(tmp_path.rglob("*.arrow"))
