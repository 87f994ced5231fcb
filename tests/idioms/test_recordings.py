"""The forms in which people give a pipeline recordings: heard, or refused by a sentence that says what to do."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from datasets import Audio, Dataset
from transformers import pipeline
from transformers.pipelines.pt_utils import KeyDataset

import modeling_sed
from modeling_sed import InputError, SpeechEmotionDiarizationPipeline
from tests.conftest import small_model

RATE = 16_000
INTEGERS = (3_000 * np.random.default_rng(0).standard_normal(RATE)).astype(np.int16)  # 1 s
SAMPLES = INTEGERS.astype(np.float32) / 2**15
STEREO = np.stack([SAMPLES, SAMPLES / 2])  # (channels, samples)


@pytest.fixture(scope="module")
def diarize() -> SpeechEmotionDiarizationPipeline:
    model = small_model()
    extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    return pipeline(modeling_sed.TASK, model=model, feature_extractor=extractor)


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the samples; its folder is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    soundfile.write(tmp_path / "sound.wav", INTEGERS, RATE)
    return tmp_path / "sound.wav"


def dataset(sound: Path, decode: bool = True) -> Dataset:
    rows = {"audio": [{"path": None, "bytes": sound.read_bytes()}] * 2, "name": ["a", "b"]}
    return Dataset.from_dict(rows).cast_column("audio", Audio(decode=decode))


ONE: dict[str, Callable[[Path], Any]] = {
    "a path as text": str,
    "a Path": lambda sound: sound,
    "~": lambda sound: "~/sound.wav",
    "bytes": lambda sound: sound.read_bytes(),
    "an open file": lambda sound: io.BytesIO(sound.read_bytes()),
    "samples": lambda sound: SAMPLES,
    "integers": lambda sound: INTEGERS,
    "double precision": lambda sound: SAMPLES.astype(np.float64),
    "a tensor": lambda sound: torch.from_numpy(SAMPLES),
    "a tensor with gradients": lambda sound: torch.from_numpy(SAMPLES).requires_grad_(),
    "torchaudio's (1, samples)": lambda sound: torch.from_numpy(SAMPLES)[None],
    "soundfile's (samples, 1)": lambda sound: SAMPLES[:, None],
    "raw": lambda sound: {"raw": SAMPLES, "sampling_rate": RATE},
    "array": lambda sound: {"array": SAMPLES, "sampling_rate": RATE, "path": "sound.wav"},
    "an array as a list": lambda sound: {"array": SAMPLES.tolist(), "sampling_rate": RATE},
    "a rate of numpy": lambda sound: {"array": SAMPLES, "sampling_rate": np.int64(RATE)},
    "path and bytes": lambda sound: {"path": "sound.wav", "bytes": sound.read_bytes()},
    "pyannote.audio": lambda sound: {"waveform": torch.from_numpy(SAMPLES)[None], "sample_rate": RATE},
    "pyannote.audio, a file": lambda sound: {"uri": "sound", "audio": str(sound)},
    "gradio": lambda sound: (RATE, INTEGERS),
    "a row of a dataset": lambda sound: dataset(sound, decode=False)[0],
    "a row, decoded": lambda sound: {"audio": {"array": SAMPLES, "sampling_rate": RATE}, "name": "a"},
}
TWO: dict[str, Callable[[Path], Any]] = {
    "a list": lambda sound: [str(sound), SAMPLES],
    "a tuple": lambda sound: (str(sound), sound),
    "a generator": lambda sound: (audio for audio in (sound, SAMPLES)),
    "an iterator": lambda sound: map(str, [sound, sound]),
    "a column": lambda sound: dataset(sound)["audio"],
    "a column, not decoded": lambda sound: dataset(sound, decode=False)["audio"],
    "a dataset": dataset,
    "KeyDataset": lambda sound: KeyDataset(dataset(sound), "audio"),
    "a stream": lambda sound: dataset(sound, decode=False).to_iterable_dataset(),
    "a stream's column": lambda sound: dataset(sound, decode=False).to_iterable_dataset()["audio"],
    "pairs of gradio": lambda sound: [(RATE, INTEGERS), (RATE, INTEGERS)],
}
REFUSED: dict[str, tuple[Any, str]] = {
    "no file": ("~/nothing.wav", "~/nothing.wav: there is no such file"),
    "s3:// without its library": ("s3://bucket/a.wav", "s3://bucket/a.wav: Install s3fs"),
    "another scheme": ("ftp://host/a.wav", "only http and https addresses are read, and s3, "),
    "rate 0": ({"array": SAMPLES, "sampling_rate": 0}, "a sampling rate of 0 Hz"),
    "a negative rate": ({"raw": SAMPLES, "sampling_rate": -RATE}, f"a sampling rate of -{RATE} Hz"),
    "gradio's rate 0": ((0, INTEGERS), "a sampling rate of 0 Hz"),
    "no rate": ({"raw": SAMPLES}, "an array needs its sampling_rate"),
    "None": (None, "cannot read audio from NoneType"),
    "a list of samples": (SAMPLES[:3].tolist(), "cannot read audio from float.*array or a tensor"),
    "nothing": (np.zeros(0), "the recording is empty"),
    "three axes": (np.zeros((1, 2, RATE)), r"got \(1, 2, 16000\)"),
}


@pytest.mark.parametrize("form", ONE)
def test_one_recording(form: str, sound: Path, diarize: SpeechEmotionDiarizationPipeline):
    expected = diarize(SAMPLES, return_scores=True)["posteriors"]
    found = diarize(ONE[form](sound), return_scores=True)
    np.testing.assert_allclose(found["posteriors"], expected, atol=1e-5)
    if form != "an open file":  # which has been read
        assert "<audio" in found["segments"]._repr_html_()  # and can be played


@pytest.mark.parametrize("form", TWO)
def test_many_recordings(form: str, sound: Path, diarize: SpeechEmotionDiarizationPipeline):
    expected = diarize(SAMPLES)
    found = diarize(TWO[form](sound))
    assert isinstance(found, list) == (form in ("a list", "a tuple", "pairs of gradio") or form.startswith("a column"))
    for segments in (both := list(found)):
        assert [segment["label"] for segment in segments] == [segment["label"] for segment in expected]
    assert len(both) == 2


@pytest.mark.parametrize("form", REFUSED)
def test_what_cannot_be_heard_is_refused(form: str, sound: Path, diarize: SpeechEmotionDiarizationPipeline):
    audio, message = REFUSED[form]
    if form.startswith("s3"):
        try:
            import s3fs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("s3fs is installed")
    with pytest.raises(InputError, match=re.compile(message, re.S)):
        diarize(audio)


@pytest.mark.parametrize("layout", [STEREO, STEREO.T, torch.from_numpy(STEREO)], ids=["first", "last", "tensor"])
def test_time_is_the_longer_axis(layout: Any, diarize: SpeechEmotionDiarizationPipeline):
    expected = diarize(STEREO.mean(axis=0), return_scores=True)["posteriors"]
    for audio in (layout, {"array": layout, "sampling_rate": RATE}, {"waveform": layout, "sample_rate": RATE}):
        np.testing.assert_allclose(diarize(audio, return_scores=True)["posteriors"], expected, atol=1e-5)
    left = diarize({"array": layout, "sampling_rate": RATE, "channel": 0}, return_scores=True)
    np.testing.assert_allclose(left["posteriors"], diarize(SAMPLES, return_scores=True)["posteriors"], atol=1e-5)


def test_no_recordings_have_no_results(sound: Path, diarize: SpeechEmotionDiarizationPipeline):
    assert diarize([]) == diarize(()) == diarize(dataset(sound).select([])["audio"]) == []
    assert list(diarize(audio for audio in ())) == list(diarize(dataset(sound).select([]))) == []


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "many"])
def test_impossible_batch_sizes(batch_size: Any, diarize: SpeechEmotionDiarizationPipeline):
    with pytest.raises(InputError, match="batch_size must be a number from 1, or 'auto'"):
        diarize([SAMPLES], batch_size=batch_size)


def test_options_of_other_pipelines_are_named(diarize: SpeechEmotionDiarizationPipeline):
    with pytest.raises(TypeError, match="There is no option chunk_length_s; there are batch_size, window"):
        diarize(SAMPLES, chunk_length_s=30)
