"""The microphone (needs the extra `live`: sounddevice)."""

from __future__ import annotations

from collections.abc import Generator
from queue import Empty, Queue
from types import ModuleType

import numpy as np

from ..frames_sed import InputError, MissingLibraryError, import_library

BLOCK = 0.1  # seconds
BACKLOG = 600  # blocks that may wait while the model computes
SILENCE = 5.0  # seconds without a block, after which the microphone is gone


def open_microphone(device: str | None = None) -> tuple[int, Generator[np.ndarray, None, None]]:
    """Finds a microphone; it is opened when the first block is asked for.

    Args:
        device: a part of its name, or its number; default: the system's.

    Returns:
        Its sampling rate in Hz, and blocks ``(samples, 1)`` of floats, without end: close them. They raise an
        `InputError` when the microphone is gone, or a minute of them waits because they are not taken fast enough.

    Raises:
        InputError: if there is no such microphone.
        MissingLibraryError: if sounddevice or PortAudio is not installed.
    """
    sounddevice = _library()
    which = int(device) if device is not None and device.isdecimal() else device
    try:
        rate = round(sounddevice.query_devices(which, "input")["default_samplerate"])
        sounddevice.check_input_settings(which, channels=1, samplerate=rate)
    except (sounddevice.PortAudioError, ValueError) as error:
        names = [found["name"] for found in sounddevice.query_devices() if found["max_input_channels"]]
        raise InputError(f"No microphone can be used ({error}). There are: {', '.join(names) or 'none'}.") from error
    return rate, _blocks(sounddevice, which, rate)


def _library() -> ModuleType:
    try:
        return import_library("sounddevice", "The microphone", "sounddevice")
    except OSError as error:  # it finds no PortAudio, which its packages for Linux do not bring along
        raise MissingLibraryError(f"The microphone needs PortAudio: `apt install libportaudio2` ({error}).") from error


def _blocks(sounddevice: ModuleType, device: int | str | None, rate: int) -> Generator[np.ndarray, None, None]:
    waiting: Queue[np.ndarray] = Queue(BACKLOG)

    def keep(samples: np.ndarray, *_: object) -> None:
        if not waiting.full():
            waiting.put_nowait(samples.copy())  # it is overwritten

    with sounddevice.InputStream(rate, round(BLOCK * rate), device, channels=1, dtype="float32", callback=keep):
        while not waiting.full():
            yield _next(waiting)
    raise InputError("The model is slower than speech: use a smaller one, or a window with less context.")


def _next(waiting: Queue[np.ndarray]) -> np.ndarray:
    try:
        return waiting.get(timeout=SILENCE)
    except Empty as error:
        raise InputError("The microphone gives no more samples.") from error
