"""Files that are called like recordings and are none, each in a way of its own."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import av
import numpy as np
import soundfile

RATE = 16_000


def noise(seconds: float, channels: int = 1) -> np.ndarray:
    """``(samples, channels)``."""
    return 0.1 * np.random.default_rng(0).standard_normal((round(seconds * RATE), channels)).astype(np.float32)


def encoded(kind: str, subtype: str | None = None, samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    """A file of a format of soundfile's."""
    buffer = io.BytesIO()
    soundfile.write(buffer, noise(1.0) if samples is None else samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def in_container(kind: str, codec: str) -> bytes:
    """A second of sound in a container of ffmpeg's; for a video codec, of pictures without sound."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        if codec == "mpeg4":
            stream = container.add_stream(codec, rate=5, width=32, height=32, pix_fmt="yuv420p")
            frames = [av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24") for _ in range(5)]
        else:
            stream = container.add_stream(codec, rate=RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(noise(1.0).T, format="fltp", layout="mono")
            frame.sample_rate = RATE
            frames = [frame]
        for frame in (*frames, None):
            container.mux(stream.encode(frame))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("call.wav", encoded("WAV"))
    return buffer.getvalue()


def with_rate(rate: int) -> bytes:
    """A wav file whose header names this rate."""
    content = bytearray(encoded("WAV"))
    content[24:28] = struct.pack("<I", rate)
    return bytes(content)


def write_broken(folder: Path) -> list[Path]:
    """Writes 22 files that cannot be diarized; returns their paths."""
    not_a_number, infinite = noise(1.0), noise(1.0)
    not_a_number[100], infinite[100] = np.nan, np.inf
    files = {
        "empty.wav": b"",
        "text.wav": b"This is not a recording.",
        "page.mp3": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "table.ogg": b"name,start,end,label\n" * 100,
        "picture.flac": b"\x89PNG\r\n\x1a\n" + bytes(500),
        "document.wav": b"%PDF-1.7\n" + bytes(500),
        "archive.flac": zipped(),
        "random.opus": np.random.default_rng(1).bytes(5_000),
        "zeros.mp3": bytes(5_000),
        "header only.wav": encoded("WAV")[:20],
        "header only.flac": encoded("FLAC")[:42],
        "header only.ogg": encoded("OGG")[:40],
        "no samples.wav": encoded("WAV", samples=noise(0.0)),
        "ten samples.wav": encoded("WAV", samples=noise(10 / RATE)),
        "not a number.wav": encoded("WAV", "FLOAT", not_a_number),
        "infinite.wav": encoded("WAV", "FLOAT", infinite),
        "rate 0.wav": with_rate(0),
        "rate 1.wav": with_rate(1),
        "rate 4 GHz.wav": with_rate(2**32 - 1),
        "65 channels.wav": encoded("WAV", samples=noise(0.1, 65)),
        "without sound.mp4": in_container("mp4", "mpeg4"),
        "no index.m4a": in_container("mp4", "aac")[:1_000],
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
