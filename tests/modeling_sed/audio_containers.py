"""Audio files of all kinds, written by PyAV: what recorders, phones and web calls leave."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
PITCHES = (440, 660, 880, 60, 1100, 1320)  # Hz, of each channel; the fourth of 5.1 carries low frequencies only
# suffix, ffmpeg's format and codec; seconds by which an encoder may lengthen a recording
CONTAINERS = {
    "mp3": ("mp3", "mp3", "libmp3lame", 0.1),
    "ogg vorbis": ("ogg", "ogg", None, 0.1),  # by libsndfile: PyAV's ffmpeg decodes it only
    "ogg opus": ("opus", "ogg", "libopus", 0.1),
    "m4a": ("m4a", "mp4", "aac", 0.1),
    "m4a alac": ("m4a", "mp4", "alac", 0.0),
    "mov": ("mov", "mov", "pcm_s16le", 0.0),
    "webm": ("webm", "webm", "libopus", 0.1),
    "mkv flac": ("mkv", "matroska", "flac", 0.0),
    "flac": ("flac", "flac", "flac", 0.0),
    "wav": ("wav", "wav", "pcm_s16le", 0.0),
    "aiff": ("aiff", "aiff", "pcm_s16be", 0.0),
    "w64": ("w64", "w64", "pcm_s16le", 0.0),
    "au": ("au", "au", "pcm_s16be", 0.0),
    "caf": ("caf", "caf", "pcm_s16le", 0.0),
    "aac": ("aac", "adts", "aac", 0.15),
    "ts": ("ts", "mpegts", "aac", 0.15),
    "avi": ("avi", "avi", "pcm_s16le", 0.0),
}


def tones(seconds: float, channels: int = 1, rate: int = 48_000) -> np.ndarray:
    """A tone of its own in each channel, ``(samples, channels)`` float32."""
    time = np.arange(max(round(seconds * rate), 1)) / rate
    return np.stack([0.3 * np.sin(2 * np.pi * pitch * time) for pitch in PITCHES[:channels]], 1).astype(np.float32)


def write(path: Path, samples: np.ndarray, kind: str, rate: int = 48_000, pauses: dict[float, float] | None = None):
    """Encodes ``(samples, channels)``.

    Args:
        path: of the file.
        samples: what to encode.
        kind: one of `CONTAINERS`.
        rate: in Hz.
        pauses: where in the samples, in seconds, the clock jumps ahead by how many seconds.
    """
    _, container_format, codec, _ = CONTAINERS[kind]
    channels, size = samples.shape[1], rate // 50
    if codec is None:
        with soundfile.SoundFile(path, "w", rate, channels) as file:
            for first in range(0, len(samples), rate):  # libsndfile's encoder does not survive much at a time
                file.write(samples[first : first + rate])
        return
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate, layout=LAYOUTS[channels])
        shift = 0
        for first in range(0, len(samples), size):
            shift += sum(round(rate * jump) for start, jump in (pauses or {}).items() if first == round(rate * start))
            block = np.ascontiguousarray(samples[first : first + size].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=LAYOUTS[channels])
            frame.sample_rate, frame.pts = rate, first + shift
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
