"""The page for other programs: its function, by HTTP and for language models (MCP)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import soundfile
from transformers import pipeline

import modeling_sed
from tests.modeling_sed.page.conftest import Server

gradio_client = pytest.importorskip("gradio_client")


def test_other_programs_get_the_segments(server: Server, model_folder: Path, tmp_path: Path):
    path = tmp_path / "call.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    client = gradio_client.Client(server.address, verbose=False, download_files=str(tmp_path / "downloads"))
    try:
        found = client.predict(gradio_client.handle_file(str(path)), api_name="/diarize")
        expected = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")(str(path))
        assert [(s["start"], s["end"], s["label"]) for s in found] == [
            (s["start"], s["end"], s["label"]) for s in expected
        ]
        path.write_text("text")
        with pytest.raises(Exception, match=r"call\.wav: not audio") as caught:
            client.predict(gradio_client.handle_file(str(path)), api_name="/diarize")
        assert str(server.folder) not in str(caught.value)
        assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/diarize"]
    finally:
        client.close()


def test_what_was_not_uploaded_is_not_read(server: Server, tmp_path: Path):
    path = tmp_path / "private.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    body = json.dumps({"data": [{"path": str(path), "meta": {"_type": "gradio.FileData"}}]}).encode()
    address = f"{server.address}gradio_api/call/diarize"
    with urlopen(Request(address, body, {"Content-Type": "application/json"})) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{address}/{event}") as answer:
        assert answer.read().decode().split("\n")[:2] == ["event: error", 'data: {"error": null}']
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{server.address}gradio_api/file={path}")


def test_language_models_find_the_tool(server: Server):
    pytest.importorskip("mcp")
    with urlopen(f"{server.address}gradio_api/mcp/schema") as answer:
        (tool,) = json.load(answer)
    assert tool["name"] == "diarize" and tool["description"].startswith("Which emotion appears when?")
    assert tool["inputSchema"]["properties"]["recording"]["description"] == "an audio file with speech."
