"""What is distributed: a complete sdist, a wheel made of it that runs alone, metadata that registries accept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from tests.conftest import REPOSITORY

IN_WHEEL = {  # folder of the repository -> its place
    "modeling_sed": "modeling_sed",
    "configs": "modeling_sed/configs",
    "dataset_scripts": "modeling_sed/dataset_scripts",
    "metrics": "modeling_sed/metrics",
}
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv.pop(1))(sys.argv.pop(1))"


@pytest.fixture(scope="module")
def sources() -> set[str]:
    """All files of the repository, also new ones that git does not ignore."""
    if not (REPOSITORY / ".git").exists() or not shutil.which("git"):
        pytest.skip("what belongs to the repository knows only git")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in names if name and (REPOSITORY / name).is_file()}


def build(hook: str, tree: Path, folder: Path) -> Path:
    """What pip does without isolation: a hook of the build backend, in the tree."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, hook, str(folder)], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def sdist(sources: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("setuptools", "77", reason="builds with setuptools of this environment: pip install setuptools")
    folder = tmp_path_factory.mktemp("sdist")
    for name in sources:
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / "tree" / name)
    return build("build_sdist", folder / "tree", folder / "built")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from the sdist: what that lacks, the wheel lacks."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return build("build_wheel", tree, folder / "built")


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_sdist_is_the_repository(sdist: Path, sources: set[str]):
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert names >= sources
    added = {name for name in names - sources if not name.startswith("speech_emotion_diarization.egg-info/")}
    assert added == {"PKG-INFO"}


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path, sources: set[str]):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"{place}/{name.partition('/')[2]}"
        for folder, place in IN_WHEEL.items()
        for name in sources
        if name.startswith(f"{folder}/")
    }
    assert names == expected | {"train_sed.py"}
    assert "modeling_sed/py.typed" in names and "modeling_sed/configs/wavlm_large.yaml" in names


def test_what_the_metadata_say(metadata: Message):
    assert metadata["Name"] == "speech-emotion-diarization" and metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"].startswith(">=3.1") and metadata["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    addresses = [url.partition(", ")[2] for url in metadata.get_all("Project-URL")]
    assert addresses and all(url.startswith("https://") and "example" not in url for url in addresses)


def test_all_is_every_extra_but_those_under_another_licence_or_for_clusters(metadata: Message):
    extras = set(metadata.get_all("Provides-Extra"))
    (everything,) = (line for line in metadata.get_all("Requires-Dist") if re.search(r"extra == .all.$", line))
    named = set(re.search(r"\[(.*?)\]", everything)[1].split(","))
    assert named == extras - {"all", "test", "synthesis", "ray"}
    assert not any("parselmouth" in line for line in metadata.get_all("Requires-Dist") if "synthesis" not in line)


def test_registries_accept_the_metadata(sdist: Path, wheel: Path):
    pytest.importorskip("twine", reason="checks metadata: pip install twine")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout + done.stderr


def test_versions_are_the_same_everywhere():
    setup = ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    version = setup["metadata"]["version"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == version
    assert citation["preferred-citation"]["url"].endswith("2306.12991")
    assert f"## [{version}] - " in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert f"ruff>={hooks['repos'][0]['rev'].removeprefix('v')}" in setup["options.extras_require"]["test"]


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip unpacks it, to be imported from there."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, cwd: Path, *arguments: str, code: int = 0) -> str:
    """Runs Python in an empty folder, with the unpacked wheel in place of the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "HF_HOME": str(cwd / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_diarizes_and_scores(unpacked: Path, tmp_path: Path):
    soundfile.write(tmp_path / "call.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    shown = run(unpacked, tmp_path, "-m", "modeling_sed", "diarize", "call.wav", "--output", "call.json")
    assert str(REPOSITORY) not in shown
    assert "EDER" in run(unpacked, tmp_path, "-m", "modeling_sed", "score", "call.json", "call.json")


def test_one_line_loads_a_metric(unpacked: Path, tmp_path: Path):
    code = f"""
import evaluate, modeling_sed
assert modeling_sed.__file__.startswith({str(unpacked)!r})
happy = {{"start": 0.0, "end": 1.0, "label": "happy"}}
for name in ("eder", "emotion_transition_accuracy", "boundary_quality"):
    metric = evaluate.load(modeling_sed.metric_path(name))
    print(metric.compute(predictions=[[happy]], references=[[happy]], durations=[4.0]))
agreement = evaluate.load(modeling_sed.metric_path("annotator_agreement"))
print(agreement.compute(annotations=[[[happy], [happy]]], durations=[4.0]))
"""
    assert "'eder': 0.0" in run(unpacked, tmp_path, "-c", code)


def test_named_configurations_are_in_the_wheel(unpacked: Path, tmp_path: Path):
    shown = run(unpacked, tmp_path, "-m", "modeling_sed", "train", "--config", "laptop", "--help")
    assert f"Their files: {unpacked / 'modeling_sed' / 'configs'}\n" in shown and "wavlm-large" in shown
    options = ("--dataset", "none", "--output-dir", "run")
    shown = run(unpacked, tmp_path, "-m", "modeling_sed", "train", "--config", "wavlm", *options, code=1)
    assert "error: --config: there is no file wavlm; by name there are " in shown and "wavlm-large" in shown
    code = "from modeling_sed.training.model_setup import _read_encoder_config as read; print(read('wavlm_tiny.json'))"
    assert "'model_type': 'wavlm'" in run(unpacked, tmp_path, "-c", code)


def test_what_only_training_and_scoring_need_is_not_imported_by_the_pipeline(unpacked: Path, tmp_path: Path):
    """Accelerate and SciPy are, by transformers itself."""
    code = """
import sys, numpy, modeling_sed
from transformers import pipeline
pipeline("speech-emotion-diarization")({"array": numpy.zeros(16000), "sampling_rate": 16000})
others = {"datasets", "evaluate", "pyarrow", "pandas", "matplotlib", "peft", "gradio", "typer", "train_sed"}
ours = {f"modeling_sed.{name}" for name in ("annotations", "cli", "evaluation", "metrics", "training")}
print("imported:", sorted((others | ours) & set(sys.modules)))
"""
    assert "imported: []" in run(unpacked, tmp_path, "-c", code)
