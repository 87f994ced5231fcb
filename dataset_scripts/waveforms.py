"""Audio files -> mono waveforms at 16 kHz, and back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .errors import InputError
from .files import reading

SAMPLING_RATE = 16_000  # Hz, of everything that is built (section 5.1 of arXiv 2306.12991)


def read_waveform(source: Path | bytes, name: str | Path | None = None) -> np.ndarray:
    """Decodes a file of any rate and number of channels: ``(samples,)`` float32, mono, 16 kHz.

    Args:
        source: path or content of a file in a format of libsndfile (wav, flac, mp3, ogg …).
        name: what to call it in messages; default: its path.

    Raises:
        InputError: if it cannot be read, is empty, no audio, or holds samples that are not finite numbers.
    """
    name = name or (source if isinstance(source, Path) else "audio")
    with reading(name):
        content = source.read_bytes() if isinstance(source, Path) else source
    if not content:
        raise InputError(f"{name}: the file is empty.")
    try:
        waveform, sampling_rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{name}: not audio that libsndfile reads ({error.error_string.strip()}).") from error
    waveform = waveform.mean(axis=1)
    if not len(waveform):
        raise InputError(f"{name}: the recording is empty.")
    if not np.isfinite(waveform).all():
        raise InputError(f"{name}: sample {int(np.argmin(np.isfinite(waveform)))} is not a finite number.")
    return waveform if sampling_rate == SAMPLING_RATE else soxr.resample(waveform, sampling_rate, SAMPLING_RATE)


def encode_waveform(waveform: np.ndarray) -> bytes:
    """A FLAC file of 16 bits with a mono waveform of 16 kHz, whose values lie between -1 and 1."""
    buffer = io.BytesIO()
    # the least effort takes half the time of the default, for files that are larger by a few percent
    soundfile.write(buffer, waveform, SAMPLING_RATE, format="FLAC", subtype="PCM_16", compression_level=0)
    return buffer.getvalue()
