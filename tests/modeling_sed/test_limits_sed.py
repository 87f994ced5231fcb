"""Limits of recordings, and addresses whose servers do what servers should not do."""

from __future__ import annotations

import io
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from transformers import pipeline

import modeling_sed
from modeling_sed import InputError
from modeling_sed.audio_sed import load_recording
from modeling_sed.limits_sed import AudioLimits, _is_public, _Redirections, check_limit, download
from tests.modeling_sed.audio_containers import tones

WAVE = tones(0.5, 1, 16_000)[:, 0]


def test_the_environment_changes_limits(monkeypatch: pytest.MonkeyPatch):
    assert AudioLimits.in_force() == AudioLimits(64, 768_000, 2**31, 3600, 30)
    monkeypatch.setenv("SED_LIMITS", "channels=128, download_bytes=8e9")
    assert AudioLimits.in_force() == AudioLimits(channels=128, download_bytes=8e9)
    assert load_recording(np.zeros((1_000, 128)), 16_000).duration == 1_000 / 16_000
    with pytest.raises(
        InputError, match=r"a.wav: 129 channels; channels is limited to 128: SED_LIMITS=channels=129 in"
    ):
        check_limit("channels", 129, "a.wav", "channels")
    for wrong in ("channels", "channels=many", "channels=0", "channels=nan", "chanels=3", "=3"):
        monkeypatch.setenv("SED_LIMITS", wrong)
        with pytest.raises(InputError, match=r"^SED_LIMITS=.*: must be NAME=NUMBER of channels, sampling_rate, "):
            AudioLimits.in_force()


class Hostile(BaseHTTPRequestHandler):
    """Good recordings at /good and /with…, trouble elsewhere."""

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def redirect(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.end_headers()

    def drip(self, content: bytes) -> None:
        for byte in content:
            if self.server.is_over:
                return
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def do_GET(self) -> None:
        file = io.BytesIO()
        soundfile.write(file, WAVE, 16_000, format="WAV", subtype="FLOAT")
        content, path = file.getvalue(), self.path
        if path.startswith("/moved/"):
            self.redirect(path.removeprefix("/moved/").replace("_", ":", 1))
        elif path.startswith("/loop"):
            self.redirect(f"/loop?{time.time()}")
        elif path == "/nothing":
            self.wfile.write(b"garbage\r\n\r\n")
        elif path == "/silent":
            time.sleep(3)
        elif path == "/slow-answer":
            self.drip(b"HTTP/1.0 200 OK\r\n" + 1_000 * b"X-Time: 1\r\n")
        else:
            self.send_response(404 if path == "/missing" else 200)
            if path not in ("/slow", "/forever"):
                self.send_header("Content-Length", str(10**12 if path == "/huge" else len(content)))
            self.end_headers()
            if path == "/slow":
                self.drip(1_000 * content)
            while path == "/forever" and not self.server.is_over:
                self.wfile.write(bytes(2**16))
            self.wfile.write(content[: len(content) // 2] if path == "/half" else content)


@pytest.fixture
def server() -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    http.daemon_threads, http.is_over = True, False
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.is_over = True
    http.shutdown()
    http.server_close()


def test_addresses(server: str, monkeypatch: pytest.MonkeyPatch, model_folder: Path):
    """Each has a reason of its own, and the others go on."""
    monkeypatch.setenv("SED_LIMITS", "download_bytes=1e6 download_seconds=1.5 answer_seconds=1")
    for good in ("good", "with a space, ü.wav", "moved//good", f"moved/{server}/good"):
        np.testing.assert_array_equal(load_recording(f"{server}/{good}", 16_000).waveform, WAVE)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    reasons = {
        f"{server}/half": "ended 16040 bytes too early",
        f"{server}/missing": "HTTP Error 404",
        f"{server}/moved/file_///etc/passwd": "cannot be downloaded",
        f"{server}/moved/ftp_//127.0.0.1/a.wav": "not by https",
        f"{server}/moved/{nobody}/a.wav": "which is in a private network",
        f"{server}/moved/http_//[": "cannot be downloaded",
        f"{server}/loop": "more than 5 redirections",
        f"{server}/nothing": "cannot be downloaded",
        f"{server}/forever": "download_bytes is limited to 1000000: SED_LIMITS=download_bytes=1",
        f"{server}/huge": "1000000000000 bytes to download; download_bytes is limited to 1000000",
        f"{server}/silent": "no answer within 1 s",
        f"{server}/slow-answer": "no answer within 1 s",
        f"{server}/slow": "not downloaded yet; download_seconds is limited to 1.5: SED_LIMITS=download_seconds=3 in",
        f"{nobody}/a.wav": "refused",
        "http://": "cannot be downloaded",
        "http://[": "cannot be downloaded",
        "http://127.0.0.1:99999/": "cannot be downloaded",
    }
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder))
    *found, last = diarize([*reasons, f"{server}/good"], return_exceptions=True)
    for (url, reason), error in zip(reasons.items(), found, strict=True):
        assert isinstance(error, InputError) and str(error).startswith(url) and reason in str(error), str(error)
        assert "\n" not in str(error)
    assert last == diarize(WAVE)


def test_what_is_public():
    for place in (
        "http://127.0.0.1/",
        "http://10.1.2.3",
        "http://169.254.169.254/latest",
        "http://[::1]:80",
        "http://localhost",
    ):
        assert not _is_public(urlsplit(place))
    assert _is_public(urlsplit("https://8.8.8.8/a.wav"))


def test_redirections_stay_encrypted():
    def redirected(before: str, after: str) -> object:
        return _Redirections().redirect_request(urllib.request.Request(before), None, 302, "", {}, after)

    for after in ("http://8.8.8.8/b.wav", "http://10.0.0.1/a.wav"):
        with pytest.raises(OSError, match="not by https"):
            redirected("https://10.0.0.1/a.wav", after)
    for before, after in (
        ("http://8.8.8.8/a.wav", "http://10.0.0.1/a.wav"),
        ("https://10.0.0.1/a.wav", "https://10.0.0.1:8443/a.wav"),
    ):
        with pytest.raises(OSError, match="which is in a private network"):
            redirected(before, after)
    for before, after in (
        ("http://10.0.0.1/a.wav", "https://10.0.0.1/b.wav"),
        ("http://10.0.0.1:8000/a.wav", "http://10.0.0.1:8000/b.wav"),
        ("https://10.0.0.1/a.wav", "https://8.8.8.8/a.wav"),
    ):
        assert redirected(before, after).full_url == after


def test_the_address_is_not_opened_by_ffmpeg(server: str):
    """Only http and https, and only by `download`."""
    for address in ("ftp://127.0.0.1/a.wav", "hls+http://127.0.0.1/a.m3u8", "udp://127.0.0.1:9", "gopher://127.0.0.1/"):
        with pytest.raises(InputError, match="only http and https"):
            load_recording(address, 16_000)
    assert download(f"{server}/good", "good").read(4) == b"RIFF"
