"""What is new, changed and the same in a repository, and that only the former two are sent, also after a push broke."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from modeling_sed.dataset_scripts.repository import RepositoryError, Upload
from tests.local_hub import LocalHub, use_here

WEIGHTS = bytes(range(256)) * 10_000  # more than one block of the digest


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with LocalHub() as hub:
        use_here(hub, tmp_path / "home", monkeypatch)
        yield hub


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(WEIGHTS)
    return path


def upload(weights: Path, card: bytes = b"# card\n") -> Upload:
    return Upload("someone/model", "model", {"README.md": card, "model.safetensors": weights}, ["secret.txt"])


def test_only_what_is_not_there_is_sent(hub: LocalHub, weights: Path):
    assert upload(weights).listing().splitlines() == [
        "model someone/model",
        "  new       README.md",
        "  new       model.safetensors",
        "  left out  secret.txt",
    ]
    assert upload(weights).push() == f"{hub.url}/someone/model"
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert sorted(hub.server.received) == sorted([digest, "models/someone/model/README.md"])
    assert set(upload(weights).states.values()) == {"same"}
    hub.server.received.clear()
    upload(weights).push()
    assert hub.server.received == []
    changed = upload(weights, b"# another card\n")
    assert changed.states == {"README.md": "changed", "model.safetensors": "same"}
    changed.push()
    assert hub.server.received == ["models/someone/model/README.md"]
    weights.write_bytes(b"?" + WEIGHTS[1:])  # as long as before
    assert upload(weights, b"# another card\n").states["model.safetensors"] == "changed"


def test_a_push_that_broke_goes_on(hub: LocalHub, weights: Path):
    hub.server.commits_to_fail = 1
    with pytest.raises(RepositoryError, match="someone/model: "):
        upload(weights).push()
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert hub.server.received == [digest] and hub.repositories["models/someone/model"] == {}
    upload(weights).push()
    assert hub.server.received == [digest, "models/someone/model/README.md"]  # the large file was not sent again
    assert hub.repositories["models/someone/model"] == {"README.md": b"# card\n", "model.safetensors": WEIGHTS}


def test_blobs_are_named_as_git_names_them(hub: LocalHub, tmp_path: Path):
    (tmp_path / "a.txt").write_bytes("Grüße\n".encode())
    done = subprocess.run(["git", "hash-object", tmp_path / "a.txt"], capture_output=True, text=True, check=True)
    one = Upload("someone/a", "model", {"a.txt": tmp_path / "a.txt"})
    one.push()
    assert Upload("someone/a", "model", {"a.txt": "Grüße\n".encode()}).states == {"a.txt": "same"}
    entry = hub.repositories["models/someone/a"]["a.txt"]
    assert hashlib.sha1(b"blob %d\0" % len(entry) + entry).hexdigest() == done.stdout.strip()


def test_without_the_hub_files_are_listed_and_not_pushed(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    assert upload(weights).states == {"README.md": "unknown", "model.safetensors": "unknown"}
    with pytest.raises(RepositoryError, match="the Hub cannot be reached"):
        upload(weights).push()
