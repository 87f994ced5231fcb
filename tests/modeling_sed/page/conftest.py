"""A server in a process of its own, as `emotion-diarization app` starts it, and a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 120  # seconds: gradio alone takes half a minute to import where the processor is busy
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# says whom the server asks, and otherwise is the command
SERVE = """
import sys
asked = open(sys.argv.pop(1), "w", buffering=1)
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        asked.write(f"{address[0] if isinstance(address, tuple) else address}\\n")
sys.addaudithook(watch)
from modeling_sed.cli.app import main
main()
"""


@dataclass(frozen=True)
class Server:
    """A running page.

    Attributes:
        address: of the page.
        folder: that temporary files are made in.
        asked: file with the addresses that the server has connected to.
    """

    address: str
    folder: Path
    asked: Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The command with a small model, and a limit of 1 MB; when it has ended, no upload is left."""
    pytest.importorskip("gradio")
    folder, home = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("home")
    command = ["app", "--model", model_folder, "--device", "cpu", "--port", free_port(), "--max-upload", 1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home / "asked"), *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    line = next((line for line in process.stdout if line.startswith("The page is at ")), None)
    timer.cancel()
    assert line is not None, "the server has not started"
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield Server(line.split()[4], folder, home / "asked")
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert not list(folder.glob("emotion-diarization-*"))
