"""The Space that is pushed runs where this package is not installed: what it needs of it lies beside it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from modeling_sed.hub.demo import write_demo
from tests.local_hub import LocalHub
from tests.modeling_sed.hub.test_round_trip import WITHOUT_THIS_PACKAGE, Machine
from tests.modeling_sed.page.conftest import PATIENCE, free_port
from tests.modeling_sed.page.mcp_client import as_data, call_tool

gradio_client = pytest.importorskip("gradio_client")

RUN = """
import runpy
sys.path.insert(0, sys.argv[1])  # as where a script is run
runpy.run_path(f"{sys.argv[1]}/app.py", run_name="__main__")
"""


def test_a_demo_says_which_model_it_is_of(tmp_path: Path):
    write_demo("someone/round-trip", tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"README.md", "app.py", "requirements.txt", "modeling_sed/page/timeline.js"} <= files
    assert not [name for name in files if "__pycache__" in name or name.endswith(".safetensors")]
    assert 'model="someone/round-trip"' in (tmp_path / "app.py").read_text()
    assert "(https://huggingface.co/someone/round-trip)" in (tmp_path / "README.md").read_text()


def test_a_pushed_demo_diarizes_for_people_and_for_language_models(model_folder: Path, tmp_path: Path):
    recording = tmp_path / "call.wav"
    soundfile.write(recording, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    port = free_port()
    with LocalHub() as hub:
        here, there = Machine(tmp_path / "here", hub), Machine(tmp_path / "there", hub)
        for arguments in (("model", model_folder, "someone/m"), ("space", "someone/m", "someone/demo")):
            done = here.push(*arguments)
            assert done.returncode == 0, done.stderr
        for name, content in hub.repositories["spaces/someone/demo"].items():
            path = tmp_path / "space" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        environment = {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_THIS_PACKAGE + RUN, str(tmp_path / "space")],
            cwd=there.home,
            env=there.environment | environment,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/", process)
            client = gradio_client.Client(f"http://127.0.0.1:{port}", verbose=False)
            found = client.predict(gradio_client.handle_file(str(recording)), api_name="/diarize")
            client.close()
            elsewhere = f"{hub.url}/someone/m/resolve/main/README.md"  # which only the machine of the Space reaches
            asked_before = set(hub.server.asked_for)
            tools, answers = call_tool(f"http://127.0.0.1:{port}/", as_data(recording), elsewhere)
        finally:
            process.terminate()
            process.wait(PATIENCE)
    local = here.run("-m", "modeling_sed", "diarize", "--model", model_folder, recording, "--format", "json")
    assert [s["label"] for s in found] == [s["label"] for s in json.loads(local.stdout)[0]["segments"]]
    (refused, told), (refused_elsewhere, _) = answers
    assert tools == ["diarize"] and not refused and refused_elsewhere
    assert [(s["start"], s["end"], s["label"]) for s in ast.literal_eval(told)] == [
        (s["start"], s["end"], s["label"]) for s in found
    ]
    assert hub.server.asked_for == asked_before


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Until a server answers; fails if it ends first, or takes too long."""
    pause = threading.Event()
    for _ in range(PATIENCE):
        assert process.poll() is None, "the server has ended"
        try:
            urlopen(address).close()
            return
        except URLError:
            pause.wait(1)
    raise AssertionError("the server does not answer")
