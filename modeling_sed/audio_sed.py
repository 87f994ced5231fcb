"""A recording in any of the forms that people have it in -> mono samples at the model's sampling rate, in windows.

A recording is decoded block by block (`RecordingStream`); `cut_recording` makes overlapping windows of the blocks, so
that a recording of any length takes bounded memory, and time linear in its length. Of the frames that two neighbouring
windows share, each window contributes those that are further from its own edges. Windows begin at whole frames, so that
the frames of all windows together are exactly those of the recording. The last window is what remains, more than twice
the context.
"""

from __future__ import annotations

import http.client
import io
import shutil
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np
import soundfile

from .errors_sed import InputError, MissingFileError, import_library
from .frames_sed import FrameGeometry

if TYPE_CHECKING:  # an exported model runs without torch
    import torch

DECODED_AT_ONCE = 120  # seconds; files up to this length are
BLOCK = 30  # seconds that are decoded at a time

AudioInput = Union[str, Path, bytes, IO[bytes], np.ndarray, "torch.Tensor", Mapping[str, Any]]


class Recording(NamedTuple):
    """A decoded recording."""

    waveform: np.ndarray  # (samples,), float32
    duration: float  # of the original, in seconds
    name: str  # what to call it in messages


def load_recording(audio: AudioInput, sampling_rate: int) -> Recording:
    """Decodes, mixes to mono and resamples a recording as a whole.

    Args:
        audio: a path, a URL, the bytes of a file, an open binary file, a mapping ``{"array": (samples,),
            "sampling_rate": Hz}`` or ``{"path", "bytes"}`` as datasets has them, or a bare ``(samples,)`` array that
            is at ``sampling_rate`` already. A mapping may have ``"channel"``, the only channel to be heard, from 0.
            Files may be in any format of libsndfile (wav, flac, ogg, mp3 …); others (m4a, webm …) are read if the
            ffmpeg program is installed.
        sampling_rate: of the result, in Hz.

    Raises:
        InputError: if it does not exist, is not audio, empty, damaged, lacks the channel, or holds NaN or infinite
            samples, or needs soxr for resampling, which is not installed. The message names the file.
    """
    name = _name_of(audio)
    rate, _, blocks = _open(audio, sampling_rate, name)
    mono = [_mono(block, _channel_of(audio), name) for block in _checked(blocks, name)]
    return Recording(*_resample(np.concatenate(mono), rate, sampling_rate, name), name)


def _resample(waveform: np.ndarray, rate: int, sampling_rate: int, name: str) -> tuple[np.ndarray, float]:
    """A whole waveform at another rate, and the duration of the original in seconds."""
    duration = len(waveform) / rate
    if rate != sampling_rate:
        waveform = _soxr(name, rate, sampling_rate).resample(waveform, rate, sampling_rate)
    return np.ascontiguousarray(waveform, dtype=np.float32), duration


def load_channels(audio: AudioInput, sampling_rate: int) -> tuple[np.ndarray, int, str]:
    """Decodes a recording as it is: all channels, at its own sampling rate.

    Args:
        audio: as `load_recording` takes it; an array may be ``(samples, channels)``, too.
        sampling_rate: of a bare array, in Hz.

    Returns:
        ``(samples, channels)`` float32, the sampling rate in Hz, and what to call the recording in messages.

    Raises:
        InputError: as `load_recording`.
    """
    name = _name_of(audio)
    rate, _, blocks = _open(audio, sampling_rate, name, channels_apart=True)
    return np.concatenate(list(_checked(blocks, name))), rate, name


class RecordingStream:
    """A recording in blocks: files that are longer than `DECODED_AT_ONCE` are never in memory as a whole.

    Iterating yields the blocks, ``(samples,)`` each, once.

    Args:
        audio: as `load_recording` takes it. Files of libsndfile's formats are streamed, other long ones are not.
        sampling_rate: of the blocks, in Hz.

    Attributes:
        name: what to call it in messages.
        samples: of all blocks so far.
        duration: of the original that they stand for, in seconds.
    """

    def __init__(self, audio: AudioInput, sampling_rate: int):
        self.name = _name_of(audio)
        self.samples, self.duration = 0, 0.0
        self._audio, self._sampling_rate = audio, sampling_rate

    def __iter__(self) -> Iterator[np.ndarray]:
        """Decodes as it goes; raises what `load_recording` raises."""
        rate, is_long, blocks = _open(self._audio, self._sampling_rate, self.name)
        mono = (_mono(block, _channel_of(self._audio), self.name) for block in _checked(blocks, self.name))
        if is_long:
            yield from self._stream(mono, rate)
        else:
            waveform, self.duration = _resample(np.concatenate(list(mono)), rate, self._sampling_rate, self.name)
            self.samples = len(waveform)
            yield waveform

    def _stream(self, blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        resampler, read = None, 0
        if rate != self._sampling_rate:
            resampler = _soxr(self.name, rate, self._sampling_rate).ResampleStream(rate, self._sampling_rate, 1)
        for block in blocks:
            read += len(block)
            self.duration = read / rate
            resampled = resampler.resample_chunk(block, last=False) if resampler else block
            self.samples += len(resampled)
            yield resampled
        if resampler:
            rest = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
            self.samples += len(rest)
            yield rest


def _open(
    audio: AudioInput, sampling_rate: int, name: str, channels_apart: bool = False
) -> tuple[int, bool, Iterator[np.ndarray]]:
    """Sampling rate in Hz, whether it is a long file to be streamed, and the blocks ``(samples, channels)``."""
    if isinstance(audio, Mapping) and "array" in audio:
        if "sampling_rate" not in audio:
            raise InputError(f"{name}: an array needs its sampling_rate beside it.")
        samples, rate = _as_array(audio["array"]), int(audio["sampling_rate"])
        return rate, False, iter([_with_channels(samples, name, channels_apart or _channel_of(audio) is not None)])
    if isinstance(audio, np.ndarray) or hasattr(audio, "cpu"):  # a tensor
        return sampling_rate, False, iter([_with_channels(_as_array(audio), name, channels_apart)])
    path = local_path(audio)
    try:
        if path is None:
            content = _read_bytes(audio, name)
            file = soundfile.SoundFile(io.BytesIO(content))
        else:
            file = soundfile.SoundFile(path)
    except TypeError as error:  # raw samples, whose format nobody knows
        raise InputError(f"{name}: a file without a header cannot be read.") from error
    except soundfile.LibsndfileError as error:
        content = _read_bytes(audio, name)
        if not content:
            raise InputError(f"{name}: the file is empty.") from error
        return sampling_rate, False, iter([_decode_by_ffmpeg(content, sampling_rate, name, error)])
    is_long = path is not None and file.frames > DECODED_AT_ONCE * file.samplerate
    return file.samplerate, is_long, _blocks(file, name)


def _blocks(file: soundfile.SoundFile, name: str) -> Iterator[np.ndarray]:
    read = 0
    with file:
        try:
            # not `file.blocks`: where a file ends early, that goes on with what is left in its buffer
            while len(samples := file.read(BLOCK * file.samplerate, dtype="float32", always_2d=True)):
                read += len(samples)
                yield samples
        except soundfile.LibsndfileError as error:
            reason = error.error_string.strip()
            raise InputError(f"{name}: damaged after {read / file.samplerate:.1f} s ({reason}).") from error


def _checked(blocks: Iterator[np.ndarray], name: str) -> Iterator[np.ndarray]:
    """The same blocks; all samples are finite numbers, and there are some."""
    read = 0
    for samples in blocks:
        finite = np.isfinite(samples)
        if not finite.all():
            row, channel = np.argwhere(~finite)[0]
            value = samples[row, channel]
            raise InputError(f"{name}: sample {read + row} of the recording is {value}, not a finite number.")
        read += len(samples)
        yield samples
    if not read:
        raise InputError(f"{name}: the recording is empty.")


def _with_channels(samples: np.ndarray, name: str, may_have_channels: bool) -> np.ndarray:
    """An array as ``(samples, channels)``."""
    if samples.ndim == 2 and may_have_channels and samples.shape[1] <= max(samples.shape[0], 1):
        return samples
    if samples.ndim == 1:
        return samples[:, None]
    form = "(samples, channels)" if may_have_channels else "one dimension (samples,)"
    raise InputError(f"{name}: a waveform must have {form}; got the shape {samples.shape}.")


def _mono(samples: np.ndarray, channel: int | None, name: str) -> np.ndarray:
    """The mean of the channels ``(samples, channels)``, or one of them."""
    if channel is None:
        return samples.mean(axis=1)
    if not 0 <= channel < samples.shape[1]:
        raise InputError(f"{name}: there is no such channel; the recording has {samples.shape[1]}.")
    return np.ascontiguousarray(samples[:, channel])


def local_path(audio: AudioInput) -> Path | None:
    """The file that a recording lies in, where it lies in one."""
    if isinstance(audio, Mapping) and "array" not in audio and audio.get("bytes") is None:
        audio = audio.get("path")
    if isinstance(audio, str | Path) and not str(audio).startswith(("http://", "https://")) and Path(audio).is_file():
        return Path(audio)
    return None


def _read_bytes(audio: AudioInput, name: str) -> bytes:
    if isinstance(audio, Mapping):
        if audio.get("bytes") is None and audio.get("path") is None:
            raise InputError(f"A mapping needs 'array' and 'sampling_rate', or 'bytes', or 'path'; got {list(audio)}.")
        audio = audio["bytes"] if audio.get("bytes") is not None else audio["path"]
    try:
        if isinstance(audio, str) and audio.startswith(("http://", "https://")):
            with urllib.request.urlopen(audio) as response:
                return response.read()
        if isinstance(audio, str | Path):
            return Path(audio).read_bytes()
    except FileNotFoundError as error:
        raise MissingFileError(f"{name}: there is no such file.") from error
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"{name}: cannot be read ({error}).") from error
    if hasattr(audio, "read"):
        audio = audio.read()
    if not isinstance(audio, bytes):
        raise InputError(f"{name}: cannot read audio from {type(audio).__name__}.")
    return audio


def _decode_by_ffmpeg(content: bytes, sampling_rate: int, name: str, reason: soundfile.LibsndfileError) -> np.ndarray:
    """``(samples, 1)``: ffmpeg mixes and resamples."""
    if not shutil.which("ffmpeg") or not find_spec("transformers"):
        raise InputError(
            f"{name}: not audio that libsndfile reads ({reason.error_string.strip()}); "
            "for formats like m4a or webm install the ffmpeg program, and transformers, which calls it."
        ) from reason
    from transformers.pipelines.audio_utils import ffmpeg_read

    try:
        return ffmpeg_read(content, sampling_rate)[:, None]
    except ValueError as error:
        raise InputError(f"{name}: not audio that libsndfile or ffmpeg reads.") from error


def _as_array(values: Any) -> np.ndarray:
    if hasattr(values, "cpu"):  # a tensor
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float32)


def _soxr(name: str, rate: int, sampling_rate: int) -> Any:
    return import_library("soxr", f"{name}: resampling from {rate} to {sampling_rate} Hz", "soxr")


def _name_of(audio: AudioInput) -> str:
    if isinstance(audio, Mapping):
        channel = _channel_of(audio)
        return str(audio.get("path") or "audio") + ("" if channel is None else f", channel {channel + 1}")
    if isinstance(audio, str | Path):
        return str(audio)
    return str(getattr(audio, "name", None) or "audio")


def _channel_of(audio: AudioInput) -> int | None:
    return audio.get("channel") if isinstance(audio, Mapping) else None


@dataclass(frozen=True)
class Window:
    """A stretch of a recording, and which of its frames count.

    Attributes:
        waveform: ``(samples,)``.
        first: the first frame of the window that counts.
        last: the one after the last that does.
        is_last: whether the recording ends with it.
    """

    waveform: np.ndarray
    first: int
    last: int
    is_last: bool


def cut_recording(
    stream: RecordingStream, geometry: FrameGeometry, window: float | None, context: float
) -> Iterator[Window]:
    """`cut_windows` of a recording, with ``window`` and ``context`` in seconds.

    Raises:
        InputError: as `cut_windows`, or if the recording is shorter than one frame.
    """
    rate = geometry.sampling_rate
    samples = None if window is None else round(window * rate)
    for part in cut_windows(stream, geometry, samples, round(context * rate)):
        if part.last <= part.first:
            raise InputError(
                f"{stream.name}: {stream.duration:.4f} s of audio is shorter than one frame "
                f"({geometry.receptive_field / rate:.3f} s)."
            )
        yield part


def cut_windows(
    blocks: Iterable[np.ndarray], geometry: FrameGeometry, window: int | None, context: int
) -> Iterator[Window]:
    """Cuts a recording that comes in blocks; holds no more than a block and a window of it.

    Args:
        blocks: consecutive stretches of the waveform, ``(samples,)`` each.
        geometry: of the model.
        window: samples of a window; None for the whole recording in one.
        context: samples on either side whose frames are left to the neighbouring window.

    Raises:
        InputError: if the context leaves nothing of a window, or is shorter than two frames.
    """
    hop = geometry.hop
    if window is not None:
        window, context = window // hop * hop, context // hop * hop
        if not 2 * hop <= context < window // 2:
            raise InputError(
                f"A window of {window / geometry.sampling_rate:g} s with a context of "
                f"{context / geometry.sampling_rate:g} s on both sides leaves no frames between."
            )
    waiting, start, done = np.zeros(0, np.float32), 0, 0  # samples, the frame they begin with, frames accounted for
    for block in blocks:
        waiting = np.concatenate([waiting, block]) if len(waiting) else block
        while window is not None and len(waiting) > window:
            border = start + (window - context) // hop
            yield Window(waiting[:window], done - start, border - start, is_last=False)
            waiting, start, done = waiting[window - 2 * context :], start + (window - 2 * context) // hop, border
    yield Window(waiting, done - start, geometry.frame_count(len(waiting)), is_last=True)
