"""From recordings as people have them to results where they want them, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.annotations.files import read_annotations


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "modeling_sed", "diarize", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, input=stdin, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder with three recordings, one of them broken, and a note."""
    folder, generator = tmp_path / "calls", np.random.default_rng(0)
    (folder / "deep").mkdir(parents=True)
    for name in ("a.wav", "deep/a.flac"):
        soundfile.write(folder / name, 0.1 * generator.standard_normal(16_000), 16_000)
    (folder / "broken.mp3").write_bytes(b"no audio")
    (folder / "notes.txt").write_text("not a recording")
    return folder


def test_a_folder_becomes_a_folder(model_folder: Path, calls: Path, tmp_path: Path):
    output = tmp_path / "out"
    arguments = ("--model", model_folder, calls, "--output", output, "--format", "srt")
    done = run(*arguments)
    assert done.returncode == 1 and done.stderr.count(b"error: ") == 1 and b"broken.mp3: not audio" in done.stderr
    assert f"2 recordings in {output}" in done.stdout.decode()
    files = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert {name for name in files if name[0] != "."} == {"a.srt", "deep/a.srt"}  # and a work folder
    (output / "a.srt").unlink()  # as a run that was killed before it leaves it
    written = (output / "deep" / "a.srt").stat().st_mtime_ns
    assert run(*arguments).returncode == 1
    assert (output / "a.srt").exists() and (output / "deep" / "a.srt").stat().st_mtime_ns == written
    other = run(*arguments[:-1], "vtt")
    assert other.returncode == 1 and b"results of a run with other options" in other.stderr


def test_the_suffix_of_a_file_says_its_format(model_folder: Path, calls: Path, tmp_path: Path):
    soundfile.write(calls / "b.wav", 0.1 * np.random.default_rng(1).standard_normal(20_000), 16_000)
    both = (calls / "a.wav", calls / "b.wav")
    found = []
    for name in ("o.json", "o.csv", "o.jsonl"):
        assert run("--model", model_folder, *both, "--output", tmp_path / name).returncode == 0
        timelines = read_annotations(tmp_path / name)
        found.append({name: [s["label"] for s in its.segments] for name, its in timelines.items()})
    assert list(found[0]) == ["a", "b"] and found[1] == found[0] and found[2] == found[0]
    refused = run("--model", model_folder, *both, "--output", tmp_path / "o.xyz")
    assert refused.returncode == 2 and b".jsonl" in refused.stderr
    refused = run("--model", model_folder, *both, "--output", tmp_path / "o.srt")
    assert refused.returncode == 2 and b"A folder as --output gets one" in b" ".join(refused.stderr.split())


def test_standard_input_is_a_recording(model_folder: Path, calls: Path):
    content = (calls / "a.wav").read_bytes()
    (given,) = json.loads(run("--model", model_folder, "-", "--format", "json", stdin=content).stdout)
    (named,) = json.loads(run("--model", model_folder, calls / "a.wav", "--format", "json").stdout)
    assert given["name"] == "-" and given["segments"] == named["segments"]
