"""A recording in any of the forms that people have it in -> mono samples at the model's sampling rate, in windows.

It is read block by block, in bounded memory. What cannot be used is refused by name: see `load_recording`.
"""

from __future__ import annotations

import io
import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np

from .audio_files_sed import open_file
from .audio_forms_sed import STORAGES, open_storage
from .frames_sed import (
    FrameGeometry,
    InputError,
    InputWarning,
    MissingFileError,
    Window,
    cut_windows,
    import_library,
)
from .limits_sed import check_limit, download

if TYPE_CHECKING:  # an exported model runs without torch
    import torch

LOWEST_RATE = 1_000  # Hz; headers of less are wrong, and whole days of 1 Hz would be a few kilobytes
MAX_DURATION = 24 * 3600.0  # seconds; longer recordings are refused unless asked for
LOUDEST = 2.0**31  # of full scale; that of 32 bits, in floats that nobody has scaled; no sound is louder
SHORT, DROWNING = 1_000, 0.5  # samples of a block, and the share of its energy that one of them may have
CANCELLED = 0.1  # a mix to mono that is so much softer than the loudest channel has lost it

AudioInput = Union[str, Path, bytes, IO[bytes], np.ndarray, "torch.Tensor", Mapping[str, Any]]


class Recording(NamedTuple):
    """A decoded recording."""

    waveform: np.ndarray  # (samples,), float32
    duration: float  # of the original, in seconds
    name: str  # what to call it in messages


def load_recording(
    audio: AudioInput,
    sampling_rate: int,
    max_duration: float = MAX_DURATION,
    start: float = 0.0,
    end: float | None = None,
) -> Recording:
    """Decodes, mixes to mono and resamples a recording, or a part of it.

    Args:
        audio: a path, an address (http, https, or a storage: s3, gs, az, hf …), the bytes of a file, an open binary
            file, a mapping ``{"array": (samples,), "sampling_rate": Hz}`` (or ``"raw"``), or ``{"path", "bytes"}``,
            datasets' decoded audio, or a bare ``(samples,)`` array or tensor that is at ``sampling_rate`` already. With
            channels, it is ``(samples, channels)`` or ``(channels, samples)``: the longer axis is that of time.
            Integers are taken as fractions of their type's range. A mapping may have ``"channel"``, the only channel to
            be heard, from 0; all are mixed otherwise.
        sampling_rate: of the result, in Hz.
        max_duration: in seconds; longer recordings are refused.
        start: of the part, in seconds. What is before it is decoded, too, as only that is exact in every format.
        end: of the part, in seconds; that of the recording by default, or where it ends earlier.

    Raises:
        InputError: if it does not exist, is not audio, empty (or has nothing between ``start`` and ``end``), longer
            than the limit, lacks the channel, has an impossible sampling rate or number of channels, holds NaN or
            infinite samples, or needs a library that is not installed. The message names the recording.
    """
    stream = RecordingStream(audio, sampling_rate, max_duration, start, end)
    waveform = np.concatenate(list(stream))
    return Recording(waveform, stream.duration, stream.name)


def load_channels(
    audio: AudioInput, sampling_rate: int, max_duration: float = MAX_DURATION
) -> tuple[np.ndarray, int, str]:
    """Decodes a recording as it is: all channels, at its own sampling rate.

    Args:
        audio: as `load_recording` takes it.
        sampling_rate: of a bare array, in Hz.
        max_duration: in seconds; longer recordings are refused.

    Returns:
        ``(samples, channels)`` float32, the sampling rate in Hz, and what to call the recording in messages.

    Raises:
        InputError: as `load_recording`.
    """
    name = name_of(audio)
    rate, blocks = _open(audio, sampling_rate, name, max_duration)
    return np.concatenate(list(blocks)), rate, name


def load_mono(audio: AudioInput, sampling_rate: int, max_duration: float = MAX_DURATION) -> tuple[np.ndarray, int, str]:
    """Decodes a recording and mixes it to mono, ``(samples,)``; else as `load_channels`."""
    name, channel = name_of(audio), _channel_of(audio)
    rate, blocks = _open(audio, sampling_rate, name, max_duration)
    return np.concatenate([_mono(block, channel, name) for block in blocks]), rate, name


def count_channels(audio: AudioInput) -> int:
    """Number of channels of a recording; raises what `load_recording` raises."""
    _, blocks = _open(audio, LOWEST_RATE, name_of(audio))
    return next(blocks).shape[1]


class RecordingStream:
    """A recording in blocks, which are decoded as they are needed, so that it never lies in memory as a whole.

    Iterating yields the blocks, ``(samples,)`` float32 each, once; it raises what `load_recording` raises.

    Args:
        audio: as `load_recording` takes it.
        sampling_rate: of the blocks, in Hz.
        max_duration: in seconds; longer recordings are refused.
        start, end: of the part that is wanted, as `load_recording` takes them.

    Attributes:
        name: what to call it in messages.
        samples: of all blocks so far.
        duration: of the original that they stand for, in seconds.
    """

    def __init__(
        self,
        audio: AudioInput,
        sampling_rate: int,
        max_duration: float = MAX_DURATION,
        start: float = 0.0,
        end: float | None = None,
    ):
        self.name = name_of(audio)
        self.samples, self.duration = 0, 0.0
        self._audio, self._sampling_rate, self._max_duration = audio, sampling_rate, max_duration
        self._start, self._end = start, math.inf if end is None else end
        if not 0 <= self._start < self._end:
            raise InputError(f"{self.name}: no part of a recording is from {start} to {end} s.")

    def __iter__(self) -> Iterator[np.ndarray]:
        rate, blocks = _open(self._audio, self._sampling_rate, self.name, self._max_duration)
        channel, resampler, read = _channel_of(self._audio), None, 0
        if rate != self._sampling_rate:
            soxr = import_library("soxr", f"{self.name}: resampling from {rate} to {self._sampling_rate} Hz", "soxr")
            resampler = soxr.ResampleStream(rate, self._sampling_rate, 1)
        for samples in _between(blocks, self._start * rate, self._end * rate):
            block = _mono(samples, channel, self.name)
            read += len(block)
            self.duration = read / rate
            yield self._count(resampler.resample_chunk(block, last=False) if resampler else block)
        if not read:
            raise InputError(f"{self.name}: the recording has ended at {self._start:g} s.")
        if resampler:
            yield self._count(resampler.resample_chunk(np.zeros(0, np.float32), last=True))

    def _count(self, block: np.ndarray) -> np.ndarray:
        self.samples += len(block)
        return block


def cut_recording(
    stream: RecordingStream, geometry: FrameGeometry, window: float | None, context: float
) -> Iterator[Window]:
    """`cut_windows` of a recording, with ``window`` and ``context`` in seconds.

    Raises:
        InputError: as `cut_windows`, or if the recording is shorter than one frame.
    """
    for part in cut_windows(stream, geometry, *samples_of_window(window, context, geometry.sampling_rate)):
        check_window(part, geometry, stream.name, stream.duration)
        yield part


def samples_of_window(window: float | None, context: float, sampling_rate: int) -> tuple[int | None, int]:
    """A window and its context, in samples instead of seconds."""
    if not all(map(math.isfinite, (window or 0.0, context))):
        raise InputError(f"A window and its context are numbers of seconds; got {window} and {context}.")
    return None if window is None else round(window * sampling_rate), round(context * sampling_rate)


def check_window(part: Window, geometry: FrameGeometry, name: str, duration: float) -> None:
    """Refuses what has no frame: the only window of a recording, ``duration`` seconds of it."""
    if part.last <= part.first:
        raise InputError(
            f"{name}: {duration:.4f} s of audio is shorter than one frame "
            f"({geometry.receptive_field / geometry.sampling_rate:.3f} s)."
        )


def _open(
    audio: AudioInput, sampling_rate: int, name: str, max_duration: float = MAX_DURATION
) -> tuple[int, Iterator[np.ndarray]]:
    """Sampling rate in Hz, and blocks ``(samples, channels)`` of float32, of a recording that can be used."""
    rate, blocks = _source(audio, sampling_rate, name)
    check_rate(rate, name)
    return rate, _checked(blocks, rate, name, max_duration)


def check_rate(rate: float, name: str) -> None:
    """Refuses a sampling rate, in Hz, that no recording has."""
    if not rate >= LOWEST_RATE:
        raise InputError(f"{name}: a sampling rate of {rate} Hz; speech needs {LOWEST_RATE} Hz at least.")
    check_limit("sampling_rate", rate, name, "Hz")


def check_samples(samples: np.ndarray, first: int, name: str) -> None:
    """Refuses ``(samples, channels)`` that cannot be sound, by number, and warns of one that drowns the others.

    Args:
        samples: of a recording.
        first: number of the first of them in the recording.
        name: of the recording.

    Raises:
        InputError: if one is NaN, infinite or beyond `LOUDEST`, or there are too many channels.
    """
    check_limit("channels", samples.shape[1], name, "channels")
    peak = max(samples.max(initial=0.0), -samples.min(initial=0.0))  # NaN if there is one
    if peak <= 1:
        return
    if not peak <= LOUDEST:
        row, channel = np.argwhere(~(np.abs(samples) <= LOUDEST))[0]
        place, value = f"sample {first + row} of the recording", samples[row, channel]
        raise InputError(f"{name}: {place} is {value:g}; full scale is 1, and {LOUDEST:g} the most.")
    if len(samples) > SHORT and peak**2 > DROWNING * np.vdot(samples, samples):
        place = f"sample {first + np.abs(samples).max(axis=1).argmax()} of the recording"
        message = f"{name}: {place} is {peak:g}, louder than all around it together, which may not be heard."
        warnings.warn(message, InputWarning, stacklevel=2)


def _source(audio: AudioInput, sampling_rate: int, name: str) -> tuple[int, Iterator[np.ndarray]]:
    """The same, before anybody has looked at it."""
    if hasattr(audio, "get_all_samples"):  # an AudioDecoder of torchcodec, as datasets has it
        decoded = audio.get_all_samples()
        return int(decoded.sample_rate), iter([_as_samples(decoded.data.T, name)])
    if isinstance(audio, Mapping) and (key := next((key for key in ("array", "raw") if key in audio), None)):
        if "sampling_rate" not in audio:
            raise InputError(f"{name}: an array needs its sampling_rate beside it.")
        try:
            rate = int(audio["sampling_rate"])
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{name}: a sampling rate of {audio['sampling_rate']!r:.80}, not a number.") from error
        return rate, iter([_as_samples(audio[key], name)])
    if isinstance(audio, np.ndarray) or hasattr(audio, "cpu"):  # a tensor
        return sampling_rate, iter([_as_samples(audio, name)])
    try:
        return open_file(_file_of(audio, name), name)
    except FileNotFoundError as error:
        raise MissingFileError(f"{name}: there is no such file.") from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error}).") from error


def _as_samples(values: Any, name: str) -> np.ndarray:
    """An array or tensor as ``(samples, channels)`` floats, as `as_floats` makes them; time is the longer axis."""
    values = as_floats(values, name)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise InputError(f"{name}: a waveform must be (samples,) or (samples, channels); got {values.shape}.")
    return values.T if 0 < values.shape[0] < values.shape[1] else values


def as_floats(values: Any, name: str) -> np.ndarray:
    """An array or tensor of floats, in single precision at least; integers are fractions of their type's range."""
    if hasattr(values, "cpu"):  # a tensor; numpy has no bfloat16
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    try:
        values = np.asarray(values)
    except (TypeError, ValueError) as error:  # lists in lists of several lengths
        raise InputError(f"{name}: not an array of samples ({error}).") from error
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 4:
        full_scale = 2.0 ** (8 * values.dtype.itemsize - 1)
        values = values / full_scale - (values.dtype.kind == "u")
    if values.dtype.kind != "f":
        raise InputError(f"{name}: a waveform must be floats or integers of at most 32 bits; got {values.dtype}.")
    return values.astype(np.float32) if values.dtype.itemsize < 4 else values


def _file_of(audio: AudioInput, name: str) -> Path | IO[bytes]:
    """A file, or something that can be read and rewound like one."""
    if isinstance(audio, Mapping):
        if audio.get("bytes") is None and audio.get("path") is None:
            raise InputError(f"A mapping needs 'array' and 'sampling_rate', or 'bytes', or 'path'; got {list(audio)}.")
        if audio.get("bytes") is None and "bytes" in audio and "://" in str(audio["path"]):
            raise InputError(f"{name}: a row of a dataset may not name an address; keep the file's bytes in the row.")
        audio = audio["bytes"] if audio.get("bytes") is not None else audio["path"]
    if isinstance(audio, str) and (scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", audio)):
        if scheme[1].lower() in STORAGES:
            return open_storage(audio, name)
        if scheme[1].lower() not in ("http", "https"):
            raise InputError(f"{name}: only http and https addresses are read, and {', '.join(STORAGES)}.")
        return download(audio, name)
    if isinstance(audio, str | Path):
        audio = os.path.expanduser(audio)  # noqa: PTH111 - which leaves a file alone whose name begins with ~
        if "\0" in str(audio):
            raise InputError(f"{name!r:.80}: no file has such a name.")
        if Path(audio).exists() and not Path(audio).is_file():  # a pipe or a device may never end
            raise InputError(f"{name}: not a file, but a folder, a pipe or a device; standard input is called -.")
        return Path(audio)
    if isinstance(audio, io.TextIOBase):
        raise InputError(f"{name}: open audio as binary, not as text.")
    content = audio.read() if hasattr(audio, "read") else audio
    if not isinstance(content, bytes):
        raise InputError(f"{name}: cannot read audio from {type(audio).__name__}; samples are an array or a tensor.")
    return io.BytesIO(content)


def _checked(blocks: Iterator[np.ndarray], rate: int, name: str, max_duration: float) -> Iterator[np.ndarray]:
    read = 0
    for samples in blocks:
        check_samples(samples, read, name)
        read += len(samples)
        if not read <= max_duration * rate:  # nor is NaN a limit
            raise InputError(f"{name}: longer than {max_duration:g} s; allow more by max_duration (--max-duration).")
        yield samples.astype(np.float32, copy=False)
    if not read:
        raise InputError(f"{name}: the recording is empty.")


def _between(blocks: Iterator[np.ndarray], start: float, end: float) -> Iterator[np.ndarray]:
    """What blocks hold from ``start`` to ``end``, in samples; nothing is decoded after that."""
    first, last, read = round(start), end if end == math.inf else round(end), 0
    for block in blocks:
        if read + len(block) > first:
            yield block[max(first - read, 0) : None if last == math.inf else last - read]
        read += len(block)
        if read >= last:
            break


def _mono(samples: np.ndarray, channel: int | None, name: str) -> np.ndarray:
    """One channel of ``(samples, channels)``, or the mean of all; the loudest where they cancel each other out."""
    if channel is None and samples.shape[1] > 1:
        weights = np.full(samples.shape[1], 1 / samples.shape[1], np.float32)
        mix = samples @ weights  # `mean` takes several times as long
        energy, least = np.vdot(mix, mix), CANCELLED**2
        if energy < least * np.vdot(samples, samples):
            energies = np.square(samples, dtype=np.float64).sum(axis=0)
            if energy < least * energies.max():
                message = f"{name}: its channels cancel each other out (opposite phases); the louder one is heard."
                warnings.warn(message, InputWarning, stacklevel=2)
                return np.ascontiguousarray(samples[:, energies.argmax()])
        return mix
    channel = channel or 0
    if not 0 <= channel < samples.shape[1]:
        raise InputError(f"{name}: there is no such channel; the recording has {samples.shape[1]}.")
    return np.ascontiguousarray(samples[:, channel])


def name_of(audio: AudioInput) -> str:
    if isinstance(audio, Mapping):
        channel = _channel_of(audio)
        return str(audio.get("path") or "audio") + ("" if channel is None else f", channel {channel + 1}")
    if isinstance(audio, str | Path):
        return str(audio)
    return str(getattr(audio, "name", None) or "audio")


def _channel_of(audio: AudioInput) -> int | None:
    return audio.get("channel") if isinstance(audio, Mapping) else None
