"""The forms in which other libraries hand over recordings -> those that audio_sed.py reads.

One recording: gradio's pair, pyannote's mapping, a row of a dataset, the address of a storage. Many: columns and
datasets, whose files our reader decodes by itself.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import IO, Any

import numpy as np

from .frames_sed import InputError, MissingFileError, MissingLibraryError, import_library
from .limits_sed import check_limit

STORAGES = ("s3", "gs", "gcs", "az", "abfs", "abfss", "hf")


def recordings_of(inputs: Any) -> Iterable[Any] | None:
    """The recordings of a list, column, dataset or generator of them; None for what is one recording.

    Audio files of datasets are left as they are: neither has torchcodec to be installed, which datasets decodes with.
    """
    if isinstance(inputs, str | bytes | Path | np.ndarray | Mapping) or _is_pair(inputs):
        return None
    if any(hasattr(inputs, name) for name in ("read", "cpu", "get_all_samples")):  # a file, a tensor, a decoder
        return None
    if isinstance(inputs, Iterable) or hasattr(inputs, "__getitem__"):
        return _undecoded(inputs)
    return None


def usual_form(audio: Any) -> Any:
    """One recording in the form of `datasets`, if gradio, pyannote.audio or a row of a dataset has it in another.

    Args:
        audio: ``(sampling_rate, samples)``; ``{"waveform", "sample_rate"}``; or a row with the column ``audio``. All
            else is returned as it is.
    """
    if isinstance(audio, Mapping) and "audio" in audio:
        audio = audio["audio"]
    if isinstance(audio, Mapping) and {"waveform", "sample_rate"} <= audio.keys():
        others = {key: value for key, value in audio.items() if key not in ("waveform", "sample_rate")}
        return {**others, "array": audio["waveform"], "sampling_rate": audio["sample_rate"]}
    return {"sampling_rate": audio[0], "array": audio[1]} if _is_pair(audio) else audio


def _is_pair(audio: Any) -> bool:
    """Whether it is gradio's: the sampling rate, and the samples."""
    return isinstance(audio, tuple) and len(audio) == 2 and isinstance(audio[0], Integral) and np.ndim(audio[1]) > 0


def _undecoded(inputs: Any) -> Any:
    """A dataset, a column of it, or transformers' KeyDataset, whose audio comes as files; all else as it is."""
    if hasattr(inputs, "source") and hasattr(inputs, "column_name"):
        return _undecoded(inputs.source)[inputs.column_name]
    if hasattr(inputs, "dataset") and hasattr(inputs, "key"):
        return type(inputs)(_undecoded(inputs.dataset), inputs.key)
    if hasattr(inputs, "cast_column"):
        for name, feature in (inputs.features or {}).items():
            if type(feature).__name__ == "Audio":
                inputs = inputs.cast_column(name, dataclasses.replace(feature, decode=False))
    return inputs


def open_storage(address: str, name: str) -> IO[bytes]:
    """The content of a file in a storage that fsspec knows, as a temporary file at its beginning.

    Args:
        address: ``s3://…``, ``hf://…``; see `STORAGES`.
        name: what to call it in messages.

    Raises:
        InputError: if there is no such file, it cannot be read, is too large, or the storage's library is missing.
    """
    fsspec = import_library("fsspec", f"{name}: reading from a storage", "fsspec")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the reader closes it
    try:
        with fsspec.open(address, "rb") as content:
            while chunk := content.read(2**20):
                file.write(chunk)
                check_limit("download_bytes", file.tell(), name, "bytes to download")
    except InputError:
        raise
    except ImportError as error:  # fsspec names the library
        raise MissingLibraryError(f"{name}: {error}.") from error
    except FileNotFoundError as error:
        raise MissingFileError(f"{name}: there is no such file.") from error
    except Exception as error:  # the libraries of storages have errors of their own
        raise InputError(f"{name}: cannot be read ({' '.join(str(error).split())}).") from error
    file.seek(0)
    return file
