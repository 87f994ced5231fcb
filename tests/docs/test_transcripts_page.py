"""docs/transcripts.md: its Python and its commands run, with the model of the package and files of the names there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from modeling_sed.recordings.transcript_files import read_transcript, write_transcript
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "transcripts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SENTENCE = {
    "start": 0.0,
    "end": 1.0,
    "text": "I told you twice.",
    "words": [{"word": "twice.", "start": 0.5, "end": 1.0}],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("transcripts").mkdir()
    for path in ("call.wav", "interview.mp3"):
        soundfile.write(path, [0.0] * 16_000, 16_000)
    for path in ("call.json", "call.srt", "transcripts/call.json", "transcripts/interview.vtt"):
        write_transcript({"segments": [SENTENCE]}, path)
    Path("call.rttm").write_text("SPEAKER call 1 0.0 1.0 <NA> <NA> anna <NA> <NA>\n", encoding="utf-8")
    return tmp_path


def test_python(folder: Path, capsys: pytest.CaptureFixture):
    names: dict = {}
    for language, code in BLOCKS:
        if language == "python":
            exec(code, names)  # one after the other, as a reader would
    assert "I told you twice." in capsys.readouterr().out
    assert read_transcript(folder / "call.vtt")["segments"][0]["text"] == SENTENCE["text"]
    assert names["transcript"]["segments"][0]["speaker"] == "anna"


def test_commands():
    commands = [line for _, block in BLOCKS for line in block.splitlines() if line.startswith("emotion-diarization")]
    assert len(commands) == 5
    for command in commands:
        done = CliRunner().invoke(app, shlex.split(command, comments=True)[1:])
        assert done.exit_code == 0 and "I told you twice." in done.stdout, (command, done.output)


def test_the_example_is_what_is_written(folder: Path):
    (shown,) = [block for _, block in BLOCKS if "-->" in block]
    path = folder / "shown.vtt"
    path.write_text(f"WEBVTT\n\n{shown}", encoding="utf-8")
    write_transcript(read_transcript(path), path)
    assert shown in path.read_text(encoding="utf-8")
    write_transcript(read_transcript(path), folder / "shown.srt")
    assert "[SPEAKER_00]: (angry 0.87) I told you twice." in (folder / "shown.srt").read_text(encoding="utf-8")
    assert json.dumps(read_transcript(folder / "shown.srt")) == json.dumps(read_transcript(path))
