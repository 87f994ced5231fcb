"""The console command, in processes of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.main import get_command
from typer.testing import CliRunner, Result

from modeling_sed.annotations import files
from modeling_sed.annotations.segments import fill_neutral
from modeling_sed.cli.app import app


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "modeling_sed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a recording.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    return path


def test_diarize_prints_json_and_draws(model_folder: Path, recording: Path, tmp_path: Path):
    picture = tmp_path / "timeline.png"
    done = run("diarize", "--model", model_folder, recording, "--format", "json", "--plot", picture)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["name"] == str(recording) and result["duration"] == 1.0
    assert result["segments"][0]["start"] == 0 and result["segments"][-1]["end"] == 1.0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_diarize_draws_each_of_several_recordings(model_folder: Path, recording: Path, tmp_path: Path):
    bad, other = tmp_path / "bad.wav", tmp_path / "other.wav"
    bad.write_text("text")
    other.write_bytes(recording.read_bytes())
    for ending in ("png", "pdf"):
        files = map(str, (recording, bad, other))
        plot = ["--plot", str(tmp_path / f"calls.{ending}")]
        done = CliRunner().invoke(app, ["diarize", "--model", str(model_folder), *files, *plot])
        assert done.exit_code == 1 and "bad.wav: not audio" in done.output
    assert sorted(path.name for path in tmp_path.glob("calls*")) == ["calls.pdf", "calls_001.png", "calls_003.png"]


def test_diarize_goes_on_after_a_bad_recording(model_folder: Path, recording: Path, tmp_path: Path):
    (tmp_path / "bad.wav").write_text("text")
    done = run("diarize", "--model", model_folder, tmp_path / "bad.wav", recording)
    assert done.returncode == 1
    assert "bad.wav: not audio" in done.stderr and "Traceback" not in done.stderr
    assert f"{recording} (1.00 s)" in done.stdout and "start      end   label" in done.stdout


def test_diarize_prints_every_format_that_score_reads(model_folder: Path, recording: Path, tmp_path: Path):
    def printed(kind: str, *recordings: Path, code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["diarize", "--model", *map(str, (model_folder, *recordings)), "--format", kind])
        assert done.exit_code == code, done.output
        return done

    plain, other = (tmp_path / name for name in ("call.wav", "other.wav"))
    for path in (plain, other):
        path.write_bytes(recording.read_bytes())
    timelines = {}
    for kind, its in files.FORMATS.items():
        path = tmp_path / f"call{its.suffixes[0]}"
        path.write_text(printed(kind, plain).stdout, encoding="utf-8")
        segments = files.read_annotations(path)["call"].segments  # the end is a sum of start and duration in RTTM
        timelines[kind] = [(s["start"], round(s["end"], 9), s["label"]) for s in segments]
        if kind in ("json", "jsonl", "csv", "rttm"):
            path.write_text(printed(kind, plain, other).stdout, encoding="utf-8")
            assert list(files.read_annotations(path)) == ["call", "other"]
        else:
            message = printed(kind, plain, other, code=2).output
            assert "hold one recording; got 2" in " ".join(message.replace("│", " ").split())
    message = printed("rttm", plain, recording, code=2).output
    assert "'a recording': names and labels in RTTM have no" in " ".join(message.replace("│", " ").split())
    assert timelines["json"] and all(timeline == timelines["json"] for timeline in timelines.values())


def test_wrong_usage_is_exit_code_2(model_folder: Path, recording: Path, tmp_path: Path):
    for arguments in (
        ["diarize", "--model", model_folder],
        ["diarize", "--model", model_folder, recording, "--dtype", "float33"],
        ["diarize", "--model", model_folder, recording, "--device", "gpu"],
        ["diarize", "--model", "no-such-model", recording, "--decoder", "no-such-decoder"],
        ["diarize", "--model", "no-such-model", recording, "--window", "-1"],
        ["nonsense"],
    ):
        done = run(*arguments)
        assert done.returncode == 2 and "Traceback" not in done.stderr


def test_what_can_be_mended_is_one_line_and_exit_code_1(model_folder: Path, recording: Path, tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    for arguments, message in (
        (["diarize", "--model", tmp_path, recording], f"error: Cannot load the model {tmp_path}: "),
        (["diarize", "--model", model_folder, recording, "--output", recording / "o.json"], "o.json cannot be written"),
        (["diarize", "--model", model_folder, "--list", tmp_path / "none.txt"], "none.txt: there is no such list"),
        (["build", "zed", "--zed", tmp_path / "no", "--output-dir", tmp_path / "out"], "neither a folder nor a ZIP"),
        (["train", "--dataset", tmp_path, "--encoder", "e", "--output-dir", tmp_path / "r"], "Cannot load the dataset"),
    ):
        done = run(*arguments)
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_the_command_says_its_version_and_every_subcommand_has_an_example():
    assert run("--version").stdout.startswith("emotion-diarization ")
    for command in get_command(app).commands:
        done = CliRunner().invoke(app, [command, "--help"])
        shown = " ".join(done.output.split())
        assert done.exit_code == 0 and re.search("Example: |accelerate launch", shown), done.output


def test_anything_else_is_a_bug_and_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(files, "read_annotations", lambda *arguments: {}["bug"])
    done = CliRunner().invoke(app, ["score", str(tmp_path), str(tmp_path)])
    assert isinstance(done.exception, KeyError)


def test_fill_neutral_fills_the_gaps():
    happy, sad = {"start": 2.0, "end": 3.0, "label": "happy"}, {"start": 0.5, "end": 1.0, "label": "sad"}
    neutral = [
        (segment["start"], segment["end"])
        for segment in fill_neutral([happy, sad], 4.0)
        if segment["label"] == "neutral"
    ]
    assert neutral == [(0.0, 0.5), (1.0, 2.0), (3.0, 4.0)]
    assert fill_neutral(fill_neutral([happy, sad], 4.0), 4.0) == fill_neutral([happy, sad], 4.0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("arguments", [("diarize", "{}", "--format", "csv"), ("live", "-")])
def test_a_full_disk_behind_standard_output_is_one_sentence(model_folder: Path, recording: Path, arguments: tuple):
    given = [*(one.format(recording) for one in arguments), "--model", str(model_folder)]
    command = [sys.executable, "-m", "modeling_sed", *given]
    with Path("/dev/full").open("w") as full, recording.open("rb") as source:
        done = subprocess.run(command, stdin=source, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.endswith("error: the output cannot be written (No space left on device).\n")
