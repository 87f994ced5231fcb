"""Recordings in all forms that people have them in, and what is refused by name."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from datasets import Audio, Dataset, DatasetDict
from transformers import pipeline

import modeling_sed
from modeling_sed import InputError, audio_files_sed, audio_sed
from modeling_sed.annotations.dataset_rows import as_segments
from modeling_sed.audio_sed import RecordingStream, count_channels, load_channels, load_recording
from modeling_sed.frames_sed import InputWarning
from modeling_sed.recordings.sources import Recordings, dataset_split
from tests.modeling_sed.audio_containers import tones, write

WAVE = tones(0.5, 1, 16_000)[:, 0]


def wav_bytes(samples: np.ndarray = WAVE, rate: int = 16_000, subtype: str = "FLOAT") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["int16", "int32", "int8", "uint8", "float64", "float16"])
def test_arrays_of_any_type_mean_the_same(dtype: str):
    kind, bits = np.dtype(dtype).kind, 8 * np.dtype(dtype).itemsize
    if kind in "iu":
        scaled = np.round(WAVE * (2 ** (bits - 1) - 1)).astype(np.int64) + (2 ** (bits - 1) if kind == "u" else 0)
        array = scaled.astype(dtype)
    else:
        array = WAVE.astype(dtype)
    for audio in (array, torch.from_numpy(array), {"array": array, "sampling_rate": 16_000}):
        np.testing.assert_allclose(load_recording(audio, 16_000).waveform, WAVE, atol=2 ** (3 - min(bits, 16)))
    tensor = torch.from_numpy(WAVE).bfloat16()
    np.testing.assert_array_equal(load_recording(tensor, 16_000).waveform, tensor.float().numpy())


def test_what_datasets_and_others_have(tmp_path: Path):
    stereo = tones(0.5, 2, 16_000)
    decoder = SimpleNamespace(  # as torchcodec's AudioDecoder is; the real one is tried where it is installed
        get_all_samples=lambda: SimpleNamespace(data=torch.from_numpy(stereo.T.copy()), sample_rate=16_000)
    )
    np.testing.assert_array_equal(load_channels(decoder, 8_000)[0], stereo)
    for audio in ({"raw": stereo, "sampling_rate": 16_000}, {"array": stereo, "sampling_rate": 16_000}, stereo):
        np.testing.assert_allclose(load_recording(audio, 16_000).waveform, stereo.mean(axis=1), atol=1e-7)
        np.testing.assert_array_equal(load_channels(audio, 16_000)[0], stereo)


def test_the_audio_column_of_datasets(tmp_path: Path):
    pytest.importorskip("torchcodec")
    soundfile.write(tmp_path / "a.wav", tones(0.5, 2, 16_000), 16_000, subtype="FLOAT")
    rows = Dataset.from_dict({"audio": [str(tmp_path / "a.wav")]}).cast_column("audio", Audio())
    np.testing.assert_array_equal(load_channels(rows[0]["audio"], 16_000)[0], tones(0.5, 2, 16_000))


def test_columns_and_empty_lists(model_folder: Path, tmp_path: Path):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder))
    rows = Dataset.from_dict({"audio": [{"path": None, "bytes": wav_bytes()}] * 2})
    assert diarize(rows["audio"]) == [diarize(WAVE)] * 2
    assert diarize([]) == []
    for options in (
        {"batch_size": 0},
        {"batch_size": "8"},
        {"batch_size": 1.5},
        {"window": float("nan")},
        {"context": float("inf")},
    ):
        with pytest.raises(InputError):
            diarize(WAVE, **options)
    with pytest.raises(InputError, match=r"longer than 0\.4 s"):
        diarize(WAVE, max_duration=0.4)
    with pytest.raises(InputError, match="longer than nan s"):
        diarize(WAVE, max_duration=float("nan"))


def test_datasets_of_others(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(wav_bytes())
    segments = {"start": [0.0, 0.2], "end": [0.2, 0.5], "label": ["sad", "happy"]}
    rows = Dataset.from_list([{"name": "a", "audio": str(tmp_path / "a.wav"), "segments": segments}])
    DatasetDict({"test": rows.cast_column("audio", Audio())}).save_to_disk(tmp_path / "data")  # decoded, no durations
    recordings = Recordings.of_dataset(tmp_path / "data", "test")
    assert recordings.references == [
        [{"start": 0.0, "end": 0.2, "label": "sad"}, {"start": 0.2, "end": 0.5, "label": "happy"}]
    ]
    np.testing.assert_array_equal(load_recording(recordings.audio(0), 16_000).waveform, WAVE)
    assert dataset_split(tmp_path / "data", "test")[0]["audio"].keys() == {"path", "bytes"}
    for bad in ({"start": [0.0], "end": []}, [{"start": 0.0, "end": 1.0}], [{"start": "x", "end": 1, "label": "a"}], 3):
        with pytest.raises(InputError, match="Segments need start and end"):
            as_segments(bad)


@pytest.mark.parametrize("kind", ["wav", "mp3", "webm"])
def test_a_part_is_what_the_whole_has_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str):
    monkeypatch.setattr(audio_files_sed, "BLOCK", 10_000)  # so that parts begin and end in several blocks
    write(tmp_path / f"a.{kind}", tones(2.0, 1), kind)
    whole = load_recording(tmp_path / f"a.{kind}", 48_000)
    for start, end in ((0.0, 0.1), (0.5, 1.2504), (1.99, None), (1.0, 9.0), (0.0, None)):
        part = load_recording(tmp_path / f"a.{kind}", 48_000, start=start, end=end)
        wanted = whole.waveform[round(start * 48_000) : None if end is None else round(end * 48_000)]
        np.testing.assert_array_equal(part.waveform, wanted)
        assert part.duration == len(wanted) / 48_000
    with pytest.raises(InputError, match=r"has ended at 3 s"):
        load_recording(tmp_path / f"a.{kind}", 48_000, start=3.0)
    for start, end in ((-1.0, None), (1.0, 1.0), (float("nan"), 2.0)):
        with pytest.raises(InputError, match="no part of a recording"):
            load_recording(tmp_path / f"a.{kind}", 48_000, start=start, end=end)


def test_channels_stay_apart_until_they_are_mixed(tmp_path: Path):
    stereo = tones(1.0, 2)
    for kind in ("m4a", "webm", "wav"):
        path = tmp_path / f"call.{kind}"
        write(path, stereo, kind)
        assert count_channels(path) == count_channels({"path": path}) == 2
        both = [load_recording({"path": path, "channel": channel}, 48_000).waveform for channel in (0, 1)]
        np.testing.assert_array_equal(np.stack(both, axis=1), load_channels(path, 48_000)[0])


def test_channels_that_cancel_each_other_out_are_not_silence(tmp_path: Path):
    left = tones(1.0)[:, 0]
    soundfile.write(tmp_path / "call.wav", np.stack([left, -0.98 * left], 1), 48_000, subtype="FLOAT")
    with pytest.warns(InputWarning, match=r"call.wav: its channels cancel each other out .* louder one is heard"):
        found = load_recording(tmp_path / "call.wav", 48_000).waveform
    np.testing.assert_array_equal(found, left)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for second in (tones(1.0, 2)[:, 1], 0 * left, left):  # two parties, one channel only, the same twice
            load_recording({"array": np.stack([left, second], 1), "sampling_rate": 48_000}, 48_000)
        assert not load_recording(np.zeros((1_000, 2)), 16_000).waveform.any()


@pytest.mark.parametrize("loud", [2.0**31 * (1 + 1e-9), 1e20, 1e30, 3.4e38, np.finfo(np.float64).max, np.nan, -np.inf])
def test_what_no_sound_can_be_is_refused_by_number(loud: float):
    samples = np.repeat(WAVE[:, None].astype(np.float64), 2, axis=1)
    samples[123, 1] = loud
    with pytest.raises(InputError, match=re.escape(f"sample 123 of the recording is {loud:g}; full scale is 1")):
        load_recording({"array": samples, "sampling_rate": 16_000}, 16_000)


def test_one_sample_that_drowns_the_others_is_named(model_folder: Path):
    """Full scale of 32 bits, which nobody has scaled, is heard as it is."""
    wave, spiked = WAVE * np.float32(2**31), WAVE.copy()
    spiked[[3, 4_000]] = 0.9, -1e9
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        np.testing.assert_array_equal(load_recording(wave, 16_000).waveform, wave)
    with pytest.warns(InputWarning, match=r"sample 4000 of the recording is 1e\+09, louder than all"):
        load_recording(spiked, 16_000)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ({"array": WAVE, "sampling_rate": 0}, "a sampling rate of 0 Hz; speech needs 1000 Hz"),
        ({"array": WAVE, "sampling_rate": 1}, "a sampling rate of 1 Hz"),
        (
            {"array": WAVE, "sampling_rate": 800_000},
            r"800000 Hz; sampling_rate is limited to 768000: SED_LIMITS=sampling_rate=800000 in the environ",
        ),
        (
            np.zeros((100, 65)),
            "65 channels; channels is limited to 64: SED_LIMITS=channels=65 in the environment allows more",
        ),
        (WAVE.astype(complex), "floats or integers of at most 32 bits; got complex128"),
        (np.zeros(9, np.int64), "got int64"),
        (np.zeros((2, 3, 4)), r"got \(2, 3, 4\)"),
        ({"path": None, "bytes": None}, "A mapping needs"),
        (3, "cannot read audio from int"),
        ("ftp://somewhere/a.wav", "ftp://somewhere/a.wav: only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("/dev/zero", "/dev/zero: not a file, but a folder, a pipe or a device"),
        ("/", "/: not a file"),
        ("a\0.wav", "no file has such a name"),
        (io.StringIO("RIFF"), "open audio as binary, not as text"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(audio: object, message: str):
    with pytest.raises(InputError, match=message):
        load_recording(audio, 16_000)


def test_files_with_impossible_headers(tmp_path: Path):
    soundfile.write(tmp_path / "slow.wav", WAVE, 1)
    with pytest.raises(InputError, match=r"slow\.wav: a sampling rate of 1 Hz"):
        load_recording(tmp_path / "slow.wav", 16_000)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match=r"pipe\.wav: not a file"):
        load_recording(tmp_path / "pipe.wav", 16_000)
    with pytest.raises(FileNotFoundError, match=r"missing.wav: there is no such file"):
        load_recording(tmp_path / "missing.wav", 16_000)


def test_recordings_beyond_the_limit_are_refused_before_they_are_in_memory(monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(audio_files_sed, "BLOCK", 16_000)
    with pytest.raises(InputError, match=r"longer than 3 s; allow more by max_duration"):
        seen.extend(map(len, RecordingStream(wav_bytes(np.zeros(160_000)), 16_000, max_duration=3.0)))
    assert sum(seen) == 48_000


def test_libraries_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def import_nothing(name: str, purpose: str, install: str) -> Callable:
        raise modeling_sed.frames_sed.MissingLibraryError(f"{purpose} needs {name}")

    write(tmp_path / "a.m4a", tones(0.5), "m4a")
    monkeypatch.setattr(audio_files_sed, "import_library", import_nothing)
    with pytest.raises(ImportError, match=r"a.m4a: reading files of this format needs av"):
        load_recording(tmp_path / "a.m4a", 16_000)
    monkeypatch.setattr(audio_sed, "import_library", import_nothing)
    with pytest.raises(ImportError, match="audio: resampling from 8000 to 16000 Hz needs soxr"):
        load_recording({"array": WAVE, "sampling_rate": 8_000}, 16_000)
