"""The console command, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.annotations.segments import fill_neutral


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "modeling_sed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a recording.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    return path


def test_diarize_prints_json_and_draws(model_folder: Path, recording: Path, tmp_path: Path):
    picture = tmp_path / "pictures" / "timeline.png"
    done = run("diarize", "--model", model_folder, recording, "--format", "json", "--plot", picture)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["name"] == str(recording) and result["duration"] == 1.0
    assert result["segments"][0]["start"] == 0 and result["segments"][-1]["end"] == 1.0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_diarize_goes_on_after_a_bad_recording(model_folder: Path, recording: Path, tmp_path: Path):
    (tmp_path / "bad.wav").write_text("text")
    done = run("diarize", "--model", model_folder, tmp_path / "bad.wav", recording)
    assert done.returncode == 1
    assert "bad.wav: not audio" in done.stderr and "Traceback" not in done.stderr
    assert f"{recording} (1.00 s)" in done.stdout and "start      end   label" in done.stdout


def test_wrong_usage_is_exit_code_2(model_folder: Path, recording: Path, tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    for arguments in (
        ["diarize", "--model", model_folder],
        ["diarize", "--model", tmp_path, recording],
        ["nonsense"],
    ):
        done = run(*arguments)
        assert done.returncode == 2 and "Traceback" not in done.stderr


def test_fill_neutral_fills_the_gaps():
    happy, sad = {"start": 2.0, "end": 3.0, "label": "happy"}, {"start": 0.5, "end": 1.0, "label": "sad"}
    neutral = [
        (segment["start"], segment["end"])
        for segment in fill_neutral([happy, sad], 4.0)
        if segment["label"] == "neutral"
    ]
    assert neutral == [(0.0, 0.5), (1.0, 2.0), (3.0, 4.0)]
    assert fill_neutral(fill_neutral([happy, sad], 4.0), 4.0) == fill_neutral([happy, sad], 4.0)
