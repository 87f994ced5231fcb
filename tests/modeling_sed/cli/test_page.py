"""`emotion-diarization app`: what it refuses. What it shows is tested in tests/modeling_sed/page."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from tests.modeling_sed.cli.test_app import run


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    done = CliRunner().invoke(app, ["app"])
    assert done.exit_code == 1 and done.stderr.splitlines()[-1] == "error: The page needs gradio: `pip install gradio`."
    assert "model:" not in done.stderr  # before any work


def test_a_port_that_is_taken_is_named(model_folder: Path):
    pytest.importorskip("gradio")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("app", "--model", model_folder, "--port", port)
    assert done.returncode == 2 and f"--port {port}" in done.stderr and "Traceback" not in done.stderr


def test_the_size_of_uploads_is_limited():
    assert CliRunner().invoke(app, ["app", "--max-upload", "0"]).exit_code == 2
