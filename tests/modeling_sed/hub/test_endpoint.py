"""The handler of Inference Endpoints, called beside a model in a process that has not this package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from transformers import pipeline

import modeling_sed
from modeling_sed.hub.model_upload import model_upload
from tests.modeling_sed.hub.test_round_trip import WITHOUT_THIS_PACKAGE

CALL = """
import base64, importlib.util, json
from pathlib import Path
folder, recording, address = sys.argv[1:]
specification = importlib.util.spec_from_file_location("handler", f"{folder}/handler.py")
handler = importlib.util.module_from_spec(specification)
specification.loader.exec_module(handler)
endpoint = handler.EndpointHandler(folder)
audio = Path(recording).read_bytes()

def refused(inputs, **parameters):
    try:
        endpoint({"inputs": inputs, "parameters": parameters})
    except ValueError as error:
        return str(error)

print(json.dumps({
    "bytes": endpoint({"inputs": audio}),
    "base64": endpoint({"inputs": base64.b64encode(audio).decode(), "parameters": {"decoder": "argmax"}}),
    "address": endpoint({"inputs": address, "parameters": {"return_scores": True}}),
    "refused": [refused(recording), refused(None), refused(b"text"), refused(audio, decoder="nonsense")],
}))
"""


@pytest.fixture
def address(tmp_path: Path):
    """Of a server of the folder ``web``."""
    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path / "web"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_request_is_answered(model_folder: Path, tmp_path: Path, address: str):
    folder, recording = tmp_path / "repository", tmp_path / "web" / "call.wav"
    soundfile.write(recording, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    folder.mkdir()
    for name, path in model_upload(model_folder, "someone/model").files.items():
        shutil.copy(path, folder / name)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THIS_PACKAGE + CALL, folder, recording, f"{address}/call.wav"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    expected = {
        "bytes": diarize(str(recording)),
        "base64": diarize(str(recording), decoder="argmax"),
        "address": diarize(str(recording), return_scores=True),
    }
    for name, found in (("bytes", answers["bytes"]), ("base64", answers["base64"])):
        assert [(s["start"], s["end"], s["label"]) for s in found] == [
            (s["start"], s["end"], s["label"]) for s in expected[name]
        ]
    scores = answers["address"]
    assert scores["segments"] == answers["bytes"] and scores["frame_times"][-1] == 1.0
    np.testing.assert_allclose(scores["posteriors"], expected["address"]["posteriors"], atol=1e-5)
    path, nothing, text, decoder = answers["refused"]
    assert path == nothing == "inputs: neither the bytes of an audio file, nor these in base64, nor an address."
    assert "not audio" in text and "nonsense" in decoder
