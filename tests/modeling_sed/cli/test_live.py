"""`live`, in processes of its own, with audio in its standard input."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from transformers import pipeline
from typer.testing import CliRunner

import modeling_sed
from modeling_sed.cli.app import app
from modeling_sed.cli.live import MovingTimeline, until_interrupted

RATE = 22_050
OPTIONS = ("--decoder", "argmax", "--window", "1", "--context", "0.2", "--device", "cpu")


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((3 * RATE, 2)) * 2**15).astype(np.int16)


def piped_wav(waveform: np.ndarray) -> bytes:
    """As ffmpeg writes it to a pipe, where it cannot go back to say how long it became."""
    file = io.BytesIO()
    soundfile.write(file, waveform, RATE, format="WAV")
    content = bytearray(file.getvalue())
    content[4:8] = content[40:44] = b"\xff" * 4
    assert content[36:40] == b"data"
    return bytes(content)


def start(*arguments: str | Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "modeling_sed", "live", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_pipe_gives_what_the_file_gives(model_folder: Path, waveform: np.ndarray):
    process = start("-", "--model", model_folder, "--format", "jsonl", *OPTIONS)
    out, errors = process.communicate(piped_wav(waveform))
    assert process.returncode == 0, errors
    found = [json.loads(line) for line in out.splitlines()]
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    audio = {"array": waveform, "sampling_rate": RATE}
    expected = diarize(audio, decoder="argmax", window=1.0, context=0.2)
    assert len(found) > 5
    assert [s | {"score": 0} for s in found] == [s | {"score": 0} for s in expected]
    assert [s["score"] for s in found] == pytest.approx([s["score"] for s in expected], abs=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_ends_neatly(model_folder: Path, waveform: np.ndarray):
    """It comes when a segment has come, while the pipe is open and says nothing more."""
    process = start("-", "--model", model_folder, *OPTIONS)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write(piped_wav(waveform))
    process.stdin.flush()
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    lines = [line.split() for line in (first + process.stdout.read()).decode().splitlines()]
    errors = process.stderr.read()
    assert process.wait() == 0 and b"Traceback" not in errors, errors
    assert lines[0][0] == "0.00" and all(left[1] == right[0] for left, right in itertools.pairwise(lines))
    assert 1 < float(lines[-1][1]) <= 3 and all(len(line) == 4 for line in lines)
    assert b"listening" in errors


def test_what_is_no_audio_is_one_line(model_folder: Path):
    process = start("-", "--model", model_folder)
    out, errors = process.communicate(b"no audio at all")
    assert process.returncode == 1 and not out
    assert errors.decode().startswith("error: standard input: not audio") and errors.count(b"\n") == 1


def test_wrong_usage(tmp_path: Path):
    for arguments, message in ((["call.wav"], "for files, use `diarize`"), (["-", "--decoder", "{"], "not JSON")):
        done = CliRunner().invoke(app, ["live", *arguments])
        assert done.exit_code == 2 and message in " ".join(done.output.replace("│", " ").split())


def test_without_a_microphone_the_remedy_comes_before_the_model(tmp_path: Path):
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError):
        done = CliRunner().invoke(app, ["live", "--model", str(tmp_path / "none")])
        assert done.exit_code == 1
        assert "error: The microphone needs" in done.output and "install" in done.output
    else:
        pytest.skip("sounddevice and PortAudio are installed")


def test_the_moving_timeline_is_one_line_of_the_last_minute(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "68")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    moving = MovingTimeline(stream)
    moving.draw([{"start": 0.0, "end": 30.0, "label": "sad"}], [{"start": 30.0, "end": 45.0, "label": "happy"}], 50.0)
    assert stream.getvalue() == "\r\x1b[K  0:50 " + "sad".ljust(30, "·") + "happy".ljust(15, "·") + " " * 15
    stream.truncate(0)
    stream.seek(0)
    moving.draw([], [{"start": 30.0, "end": 95.0, "label": "happy"}], 100.0)  # a second a column, from 40 s
    assert stream.getvalue() == "\r\x1b[K  1:40 " + "happy".ljust(55, "·") + " " * 5
    assert moving._final == []


def test_ctrl_c_waits_for_what_is_being_done():
    done = []
    for number in until_interrupted(iter(range(10))):
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
        done.append(number)
    assert done == [0, 1, 2, 3]
    with pytest.raises(KeyboardInterrupt):  # it is as before
        os.kill(os.getpid(), signal.SIGINT)

    def waiting():
        yield 0
        os.kill(os.getpid(), signal.SIGINT)
        yield 1

    assert list(until_interrupted(waiting())) == [0]
    assert list(until_interrupted(iter("ab"))) == ["a", "b"]
