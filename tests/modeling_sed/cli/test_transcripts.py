"""`diarize --transcript`: what it prints and writes, and what it refuses before any work."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from modeling_sed.cli.app import app
from modeling_sed.recordings.transcript_files import read_transcript
from modeling_sed.recordings.transcripts import with_emotions

WORDS = [{"word": "So", "start": 0.25, "end": 0.5}, {"word": "2"}, {"word": "calls.", "start": 0.75, "end": 1.0}]
TRANSCRIPT = {
    "segments": [{"start": 0.25, "end": 1.0, "text": " So 2\ncalls.", "words": WORDS, "id": 7}],
    "word_segments": WORDS,
    "language": "en",
}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["diarize", *map(str, arguments)])


@pytest.fixture
def calls(tmp_path: Path) -> list[Path]:
    """Two recordings, whose transcripts lie in the folder "transcripts"."""
    (tmp_path / "transcripts").mkdir()
    for number, name in enumerate(("a", "b")):
        noise = 0.1 * np.random.default_rng(number).standard_normal(16_000)
        soundfile.write(tmp_path / f"{name}.wav", noise, 16_000)
        (tmp_path / "transcripts" / f"{name}.json").write_text(json.dumps(TRANSCRIPT), encoding="utf-8")
    return [tmp_path / "a.wav", tmp_path / "b.wav"]


def test_one_recording(model_folder: Path, calls: list[Path], tmp_path: Path):
    (tmp_path / "call.rttm").write_text("SPEAKER a 1 0.5 0.5 <NA> <NA> anna <NA> <NA>\n", encoding="utf-8")
    options = [calls[0], "--model", model_folder, "--transcript", tmp_path / "transcripts" / "a.json"]
    (timeline,) = json.loads(run(*options[:3], "--format", "json").stdout)

    done = run(*options, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == with_emotions(TRANSCRIPT, timeline["segments"])
    done = run(*options, "--turns", tmp_path / "call.rttm", "--plot", tmp_path / "timeline.png")
    name, _, line, *rest = done.stdout.splitlines()
    assert name == f"{calls[0]} (1.00 s)" and rest == [""] and (tmp_path / "timeline.png").exists()
    assert line.split()[:2] == ["0.25", "1.00"] and line.split()[-4:] == ["anna", "So", "2", "calls."]
    for kind in ("srt", "vtt"):
        (tmp_path / f"out.{kind}").write_text(run(*options, "--format", kind).stdout, encoding="utf-8")
        (sentence,) = read_transcript(tmp_path / f"out.{kind}")["segments"]
        assert sentence["text"] == "So 2\ncalls." and sentence["emotion"] in {s["label"] for s in timeline["segments"]}


def test_many_recordings(model_folder: Path, calls: list[Path], tmp_path: Path):
    options = [*calls, "--model", model_folder, "--transcript", tmp_path / "transcripts"]
    (tmp_path / "transcripts" / "b.json").write_text('[{"start": NaN, "end": 1, "text": ""}]')
    done = run(*options, "--format", "jsonl")
    assert done.exit_code == 1 and "b.json, segment 1: start must be a finite number" in done.stderr
    result = json.loads(done.stdout)
    assert result["name"] == str(calls[0]) and result["transcript"] == with_emotions(TRANSCRIPT, result["segments"])

    (tmp_path / "transcripts" / "b.json").unlink()
    done = run(*options, "--output", tmp_path / "results.jsonl")
    assert done.exit_code == 1 and f"has no transcript of {calls[1]}: b.json, .vtt or .srt" in done.stderr
    assert json.loads((tmp_path / "results.jsonl").read_text()) == result
    assert run(*options, "--output", tmp_path / "results", "--format", "vtt").exit_code == 1
    assert [path.name for path in (tmp_path / "results").glob("*.vtt")] == ["a.vtt"]
    (tmp_path / "transcripts" / "a.json").unlink()
    assert run(*options).stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.wav", "--transcript", "none.json"], "no file or folder"),
        (["a.wav", "b.wav", "--transcript", "transcripts/a.json"], "is of one recording: give a folder"),
        (
            ["a.wav", "b.wav", "--transcript", "transcripts", "--format", "vtt"],
            "the transcript of one recording; got 2",
        ),
        (["a.wav", "--transcript", "transcripts", "--format", "rttm"], "has no place for sentences"),
        (["a.wav", "--transcript", "transcripts", "--per-channel"], "not together with --per-channel"),
    ],
)
def test_what_does_not_go_together_is_refused_before_the_model_is_loaded(
    options: list[str], message: str, calls: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    done = run(*options, "--model", "no-such-model")
    assert done.exit_code == 2 and message in " ".join(done.output.replace("│", " ").split())
