"""The audio door: files of every kind, pipes, and lists of recordings."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from modeling_sed.audio_files_sed import open_pipe
from modeling_sed.audio_sed import RecordingStream
from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.sources import Recordings
from tests.broken_recordings import RATE, encoded, in_container, noise

MAX_DURATION = 60.0  # seconds; of what headers claim, which is silence where there is nothing


def targets() -> dict[str, Callable[[bytes], None]]:
    return {**{f"audio-{kind}": hear for kind in SEEDS}, "audio-pipe": pipe, "audio-list": file_list}


def seeds() -> dict[str, list[bytes]]:
    files = {f"audio-{kind}": make() for kind, make in SEEDS.items()}
    everything = [content for contents in files.values() for content in contents]
    lists = [b"a.wav\nhttp://[::1]/a b.wav\n-\n", "ü.wav\r\n".encode("utf-16"), b"\xef\xbb\xbf/dev/zero\rcaf\xe9.wav"]
    return {**files, "audio-pipe": everything, "audio-list": lists}


def hear(content: bytes) -> None:
    """A file gives finite samples within the limit, or is refused."""
    stream, samples = RecordingStream(content, RATE, MAX_DURATION), 0
    with contextlib.suppress(InputError):
        for block in stream:
            assert block.dtype == np.float32 and block.ndim == 1 and np.isfinite(block).all()
            samples += len(block)
        assert samples == stream.samples and 0 < stream.duration <= MAX_DURATION
        assert abs(samples - stream.duration * RATE) <= 1


def pipe(content: bytes) -> None:
    """The same of what cannot be rewound, for as long as somebody listens."""
    with contextlib.suppress(InputError):
        rate, blocks = open_pipe(io.BytesIO(content), "a pipe")
        heard = 0
        for block in blocks:
            assert block.dtype == np.float32 and block.ndim == 2
            heard += len(block)
            if heard > MAX_DURATION * rate:
                break


def file_list(content: bytes) -> None:
    """Names, none of them empty, each once."""
    with tempfile.NamedTemporaryFile() as file, contextlib.suppress(InputError):
        Path(file.name).write_bytes(content)
        names = Recordings.of_list(Path(file.name)).names
        assert all(names) and len(set(names)) == len(names)


def _sound(channels: int = 1) -> np.ndarray:
    return noise(0.2, channels)


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "wav": lambda: [
        *(encoded("WAV", subtype, _sound()) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW")),
        *(encoded("WAV", subtype, _sound()) for subtype in ("IMA_ADPCM", "MS_ADPCM", "GSM610")),
        *(encoded(kind, None, _sound(2)) for kind in ("WAVEX", "RF64", "W64")),
    ],
    "plain": lambda: [encoded(kind, None, _sound(2)) for kind in ("AIFF", "AU", "CAF", "NIST", "VOC", "IRCAM")],
    "flac": lambda: [encoded("FLAC", None, _sound(channels)) for channels in (1, 6)],
    "ogg": lambda: [encoded("OGG", None, _sound()), encoded("OGG", "OPUS", _sound())],
    "mp3": lambda: [encoded("MP3", None, noise(0.5)), in_container("mp3", "libmp3lame")],
    "mp4": lambda: [in_container("mp4", "aac"), in_container("mov", "pcm_s16le"), in_container("mp4", "mpeg4")],
    "matroska": lambda: [in_container("webm", "libopus"), in_container("matroska", "pcm_s16le")],
    "others": lambda: [
        *(in_container("adts", "aac"), in_container("mpegts", "aac"), in_container("avi", "pcm_s16le")),
        *(in_container("asf", "aac"), in_container("flv", "aac")),
    ],
}
