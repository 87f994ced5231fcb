"""Recordings in the forms that people have them in -> mono waveforms at the model's sampling rate."""

from __future__ import annotations

import io
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np
import soundfile

if TYPE_CHECKING:  # an exported model runs without torch
    import torch

try:
    import soxr
except ImportError:  # needed for other sampling rates only, so that code from the Hub runs without it
    soxr = None

DECODED_AT_ONCE = 120  # seconds; files up to this length are
BLOCK = 30  # seconds that are decoded at a time of those that are longer

UNREADABLE = (ValueError, OSError, ImportError)  # what a recording that cannot be had or read raises

AudioInput = Union[str, Path, bytes, IO[bytes], np.ndarray, "torch.Tensor", Mapping[str, Any]]


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
            is at ``sampling_rate`` already. A mapping may have ``"channel"``, the only one that is heard then, from 0.
            Files may be in any format of libsndfile (wav, flac, ogg, mp3 …); others (m4a, webm …) are read where the
            ffmpeg program is installed.
        sampling_rate: of the result, in Hz.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not audio, empty, damaged, lacks the channel, or holds NaN or infinite samples. The message
            names the file.
        ImportError: if it has another sampling rate and soxr is not installed.
    """
    name = _name_of(audio)
    waveform, original_rate = _decode(audio, sampling_rate, name)
    if waveform.ndim != 1:
        raise ValueError(f"{name}: a waveform must have one dimension (samples,); got the shape {waveform.shape}.")
    if len(waveform) == 0:
        raise ValueError(f"{name}: the recording is empty.")
    _check_finite(waveform, name)
    duration = len(waveform) / original_rate
    if original_rate != sampling_rate:
        waveform = _soxr_for(name, original_rate, sampling_rate).resample(waveform, original_rate, sampling_rate)
    return Recording(np.ascontiguousarray(waveform, dtype=np.float32), duration, name)


def load_channels(audio: AudioInput, sampling_rate: int) -> tuple[np.ndarray, int, str]:
    """Decodes a recording as it is: all channels, at its own sampling rate.

    Args:
        audio: as `load_recording` takes it; an array may be ``(samples, channels)``, too.
        sampling_rate: of a bare array, in Hz.

    Returns:
        ``(samples, channels)`` float32, the sampling rate in Hz, and what to call the recording in messages.

    Raises:
        FileNotFoundError, ValueError: as `load_recording`.
    """
    name = _name_of(audio)
    samples, original_rate = _decode(audio, sampling_rate, name, mix=False)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or samples.shape[1] > max(samples.shape[0], 1):
        raise ValueError(f"{name}: a recording must be (samples, channels); got the shape {samples.shape}.")
    if samples.size == 0:
        raise ValueError(f"{name}: the recording is empty.")
    for channel in samples.T:
        _check_finite(channel, name)
    return samples, original_rate, name


class RecordingStream:
    """A recording in blocks: files that are longer than `DECODED_AT_ONCE` never lie in memory as a whole.

    Iterating yields the blocks, ``(samples,)`` each, once.

    Args:
        audio: as `load_recording` takes it. Files of libsndfile's formats are streamed; what else is long is not.
        sampling_rate: of the blocks, in Hz.

    Attributes:
        name: what to call it in messages.
        samples: of all blocks so far.
        duration: of the original that they stand for, in seconds.
    """

    def __init__(self, audio: AudioInput, sampling_rate: int):
        self.name = _name_of(audio)
        self.samples, self.duration = 0, 0.0
        self._audio, self._channel, self._sampling_rate = audio, _channel_of(audio), sampling_rate

    def __iter__(self) -> Iterator[np.ndarray]:
        """Decodes as it goes; raises what `load_recording` raises."""
        path = _local_path(self._audio)
        try:
            file = None if path is None else soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, TypeError):  # ffmpeg may know it; TypeError: raw samples, without a header
            file = None
        if file is None or file.frames <= DECODED_AT_ONCE * file.samplerate:
            waveform, self.duration, _ = load_recording(self._audio, self._sampling_rate)
            self.samples = len(waveform)
            yield waveform
        else:
            with file:
                try:
                    for block in self._decode(file):
                        self.samples += len(block)
                        yield block
                except soundfile.LibsndfileError as error:
                    raise ValueError(
                        f"{self.name}: damaged after {self.duration:.1f} s ({error.error_string.strip()})."
                    ) from error

    def _decode(self, file: soundfile.SoundFile) -> Iterator[np.ndarray]:
        rate, read, resampler = file.samplerate, 0, None
        if rate != self._sampling_rate:
            soxr = _soxr_for(self.name, rate, self._sampling_rate)
            resampler = soxr.ResampleStream(rate, self._sampling_rate, 1)
        for samples in file.blocks(BLOCK * rate, dtype="float32", always_2d=True):
            block = _to_mono(samples, self._channel, self.name)
            _check_finite(block, self.name, read)
            read += len(block)
            self.duration = read / rate
            yield resampler.resample_chunk(block, last=False) if resampler else block
        if resampler:
            yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _local_path(audio: AudioInput) -> Path | None:
    if isinstance(audio, Mapping) and "array" not in audio and audio.get("bytes") is None:
        audio = audio.get("path")
    if isinstance(audio, str | Path) and not str(audio).startswith(("http://", "https://")) and Path(audio).is_file():
        return Path(audio)
    return None


def _check_finite(waveform: np.ndarray, name: str, first: int = 0) -> None:
    if not np.isfinite(waveform).all():
        position = int(np.flatnonzero(~np.isfinite(waveform))[0])
        value = waveform[position]
        raise ValueError(f"{name}: sample {first + position} of the recording is {value}, not a finite number.")


def _soxr_for(name: str, original_rate: int, sampling_rate: int) -> ModuleType:
    if soxr is None:
        raise ImportError(
            f"{name}: resampling from {original_rate} to {sampling_rate} Hz needs soxr: `pip install soxr`."
        )
    return soxr


def _name_of(audio: AudioInput) -> str:
    if isinstance(audio, Mapping):
        channel = _channel_of(audio)
        return str(audio.get("path") or "audio") + ("" if channel is None else f", channel {channel + 1}")
    if isinstance(audio, str | Path):
        return str(audio)
    return str(getattr(audio, "name", None) or "audio")


def _channel_of(audio: AudioInput) -> int | None:
    return audio.get("channel") if isinstance(audio, Mapping) else None


def _to_mono(samples: np.ndarray, channel: int | None, name: str) -> np.ndarray:
    """The mean of the channels ``(samples, channels)``, or one of them."""
    if channel is None:
        return samples.mean(axis=1)
    if not 0 <= channel < samples.shape[1]:
        raise ValueError(f"{name}: there is no such channel; the recording has {samples.shape[1]}.")
    return np.ascontiguousarray(samples[:, channel])


def _decode(audio: AudioInput, sampling_rate: int, name: str, mix: bool = True) -> tuple[np.ndarray, int]:
    """The waveform of any accepted input, at its own sampling rate.

    A file's has all channels unless they are to be mixed to mono, an array is as it is; if one channel is asked for,
    it is that.
    """
    channel = _channel_of(audio)
    if isinstance(audio, Mapping) and "array" in audio:
        if "sampling_rate" not in audio:
            raise ValueError(f"{name}: an array needs its sampling_rate beside it.")
        samples, rate, mix = _as_array(audio["array"]), int(audio["sampling_rate"]), False
    elif isinstance(audio, np.ndarray) or hasattr(audio, "cpu"):  # a tensor
        samples, rate, mix = _as_array(audio), sampling_rate, False
    else:
        samples, rate = _decode_bytes(_read_bytes(audio, name), sampling_rate, name)
    if channel is not None or mix:
        samples = _to_mono(samples[:, None] if samples.ndim == 1 else samples, channel, name)
    return samples, rate


def _read_bytes(audio: AudioInput, name: str) -> bytes:
    if isinstance(audio, Mapping):
        if audio.get("bytes") is None and audio.get("path") is None:
            raise ValueError(f"A mapping needs 'array' and 'sampling_rate', or 'bytes', or 'path'; got {list(audio)}.")
        audio = audio["bytes"] if audio.get("bytes") is not None else audio["path"]
    if isinstance(audio, str) and audio.startswith(("http://", "https://")):
        with urllib.request.urlopen(audio) as response:
            audio = response.read()
    elif isinstance(audio, str | Path):
        audio = Path(audio).read_bytes()
    elif hasattr(audio, "read"):
        audio = audio.read()
    if not isinstance(audio, bytes):
        raise ValueError(f"{name}: cannot read audio from {type(audio).__name__}.")
    return audio


def _decode_bytes(content: bytes, sampling_rate: int, name: str) -> tuple[np.ndarray, int]:
    """``(samples, channels)``, or ``(samples,)`` if ffmpeg has read and mixed them."""
    if not content:
        raise ValueError(f"{name}: the file is empty.")
    try:
        return soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        if not shutil.which("ffmpeg") or not find_spec("transformers"):
            raise ValueError(
                f"{name}: not audio that libsndfile reads ({error.error_string.strip()}); "
                "for formats like m4a or webm install the ffmpeg program, and transformers, which calls it."
            ) from error
    from transformers.pipelines.audio_utils import ffmpeg_read

    try:
        return ffmpeg_read(content, sampling_rate), sampling_rate
    except ValueError as error:
        raise ValueError(f"{name}: not audio that libsndfile or ffmpeg reads.") from error


def _as_array(values: Any) -> np.ndarray:
    if hasattr(values, "cpu"):  # a tensor
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float32)
