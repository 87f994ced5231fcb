"""Recordings in the forms that people have them in -> mono waveforms at the model's sampling rate."""

from __future__ import annotations

import io
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import soundfile
import torch
from transformers.pipelines.audio_utils import ffmpeg_read

try:
    import soxr
except ImportError:  # needed for other sampling rates only, so that code from the Hub runs without it
    soxr = None

AudioInput = str | Path | bytes | IO[bytes] | np.ndarray | torch.Tensor | Mapping[str, Any]


class Recording(NamedTuple):
    """A decoded recording."""

    waveform: np.ndarray  # (samples,), float32
    duration: float  # of the original, in seconds
    name: str  # what to call it in messages


def load_recording(audio: AudioInput, sampling_rate: int) -> Recording:
    """Decodes, mixes to mono and resamples a recording.

    Args:
        audio: a path, a URL, the bytes of a file, an open binary file, a mapping ``{"array": (samples,),
            "sampling_rate": Hz}`` or ``{"path", "bytes"}`` as datasets has them, or a bare ``(samples,)`` array that
            is at ``sampling_rate`` already. Files may be in any format of libsndfile (wav, flac, ogg, mp3 …); others
            (m4a, webm …) are read where the ffmpeg program is installed.
        sampling_rate: of the result, in Hz.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not audio, empty, or holds NaN or infinite samples. The message names the file.
        ImportError: if it has another sampling rate and soxr is not installed.
    """
    name = _name_of(audio)
    waveform, original_rate = _decode(audio, sampling_rate, name)
    if waveform.ndim != 1:
        raise ValueError(f"{name}: a waveform must have one dimension (samples,); got the shape {waveform.shape}.")
    if len(waveform) == 0:
        raise ValueError(f"{name}: the recording is empty.")
    if not np.isfinite(waveform).all():
        position = int(np.flatnonzero(~np.isfinite(waveform))[0])
        raise ValueError(f"{name}: sample {position} of the recording is {waveform[position]}, not a finite number.")
    duration = len(waveform) / original_rate
    if original_rate != sampling_rate:
        if soxr is None:
            raise ImportError(
                f"{name}: resampling from {original_rate} to {sampling_rate} Hz needs soxr: `pip install soxr`."
            )
        waveform = soxr.resample(waveform, original_rate, sampling_rate)
    return Recording(np.ascontiguousarray(waveform, dtype=np.float32), duration, name)


def _name_of(audio: AudioInput) -> str:
    if isinstance(audio, Mapping):
        return str(audio.get("path") or "audio")
    if isinstance(audio, str | Path):
        return str(audio)
    return str(getattr(audio, "name", None) or "audio")


def _decode(audio: AudioInput, sampling_rate: int, name: str) -> tuple[np.ndarray, int]:
    """The waveform of any accepted input, at its own sampling rate."""
    if isinstance(audio, Mapping):
        if "array" in audio:
            if "sampling_rate" not in audio:
                raise ValueError(f"{name}: an array needs its sampling_rate beside it.")
            return _as_array(audio["array"]), int(audio["sampling_rate"])
        if audio.get("bytes") is None and audio.get("path") is None:
            raise ValueError(f"A mapping needs 'array' and 'sampling_rate', or 'bytes', or 'path'; got {list(audio)}.")
        audio = audio["bytes"] if audio.get("bytes") is not None else audio["path"]
    if isinstance(audio, np.ndarray | torch.Tensor):
        return _as_array(audio), sampling_rate
    if isinstance(audio, str) and audio.startswith(("http://", "https://")):
        with urllib.request.urlopen(audio) as response:
            audio = response.read()
    elif isinstance(audio, str | Path):
        audio = Path(audio).read_bytes()
    elif hasattr(audio, "read"):
        audio = audio.read()
    if not isinstance(audio, bytes):
        raise ValueError(f"{name}: cannot read audio from {type(audio).__name__}.")
    return _decode_bytes(audio, sampling_rate, name)


def _decode_bytes(content: bytes, sampling_rate: int, name: str) -> tuple[np.ndarray, int]:
    if not content:
        raise ValueError(f"{name}: the file is empty.")
    try:
        samples, original_rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
        return samples.mean(axis=1), original_rate
    except soundfile.LibsndfileError as error:
        if not shutil.which("ffmpeg"):
            raise ValueError(
                f"{name}: not audio that libsndfile reads ({error.error_string.strip()}); "
                "for formats like m4a or webm install the ffmpeg program."
            ) from error
    try:
        return ffmpeg_read(content, sampling_rate), sampling_rate
    except ValueError as error:
        raise ValueError(f"{name}: not audio that libsndfile or ffmpeg reads.") from error


def _as_array(values: Any) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float32)
