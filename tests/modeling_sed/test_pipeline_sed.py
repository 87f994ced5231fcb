"""The pipeline on real files: segments tile the recording, every input form gives the same, bad input is named."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import pipeline

import modeling_sed
from modeling_sed.pipeline_sed import Timeline
from tests.conftest import small_model


@pytest.fixture(scope="module")
def diarize(model_folder: Path) -> modeling_sed.SpeechEmotionDiarizationPipeline:
    return pipeline(modeling_sed.TASK, model=str(model_folder))


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def assert_tiles(segments: list[dict], duration: float):
    assert segments[0]["start"] == 0
    assert segments[-1]["end"] == pytest.approx(duration, abs=1e-12)
    for left, right in itertools.pairwise(segments):
        assert left["end"] == right["start"]
        assert left["label"] != right["label"]
    assert all(segment["start"] < segment["end"] and 0.25 < segment["score"] <= 1 for segment in segments)


@pytest.mark.parametrize("samples", [400, 401, 719, 720, 721, 16_000, 40_123])
@pytest.mark.parametrize("sampling_rate", [16_000, 44_100, 8_000])
def test_segments_tile_the_recording(diarize, tmp_path, samples: int, sampling_rate: int):
    path = tmp_path / "recording.wav"
    soundfile.write(path, noise(max(samples, round(0.026 * sampling_rate))), sampling_rate)
    assert_tiles(diarize(path), soundfile.info(path).duration)


def test_every_input_form_gives_the_same(diarize, tmp_path):
    waveform = noise(24_000)
    path = tmp_path / "recording.wav"
    soundfile.write(path, waveform, 16_000, subtype="FLOAT")
    expected = diarize(path)
    assert len(expected) > 3  # otherwise equality says little
    content = path.read_bytes()
    for audio in (
        str(path),
        content,
        io.BytesIO(content),
        waveform,
        torch.from_numpy(waveform),
        {"array": waveform, "sampling_rate": 16_000},
        {"path": str(path), "bytes": None},
        {"path": None, "bytes": content},
    ):
        assert diarize(audio) == expected


def test_stereo_is_mixed_to_mono_and_other_rates_are_resampled(diarize, tmp_path):
    waveform = noise(48_000)
    soundfile.write(tmp_path / "stereo.wav", np.stack([waveform, waveform], axis=1), 48_000, subtype="FLOAT")
    assert diarize(tmp_path / "stereo.wav") == diarize({"array": waveform, "sampling_rate": 48_000})


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_batches_give_what_each_recording_gives_alone(diarize, batch_size: int):
    recordings = [noise(samples, seed=samples) for samples in (16_000, 450, 31_111, 8_000, 20_000)]
    alone = [diarize(recording) for recording in recordings]
    together = diarize(recordings, batch_size=batch_size)
    generated = list(diarize((recording for recording in recordings), batch_size=batch_size))
    for expected, *others in zip(alone, together, generated, strict=True):
        for segments in others:
            assert [s | {"score": 0} for s in segments] == [s | {"score": 0} for s in expected]
            assert [s["score"] for s in segments] == pytest.approx([s["score"] for s in expected], abs=1e-5)


def test_loudness_does_not_matter(diarize):
    waveform = noise(16_000)
    labels = [segment["label"] for segment in diarize(waveform)]
    assert [segment["label"] for segment in diarize(waveform * 0.25)] == labels


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.wav: the file is empty"),
        (b"this is text, not sound\n" * 100, "bad.wav: not audio"),
        (noise(0), "bad.wav: the recording is empty"),
        (
            np.where(np.arange(16_000) == 77, np.nan, noise(16_000)),
            "bad.wav: sample 77 of the recording is nan",
        ),
        (
            np.where(np.arange(16_000) == 5, np.inf, noise(16_000)),
            "bad.wav: sample 5 of the recording is inf",
        ),
        (noise(399), r"bad.wav: 0.0249 s of audio is shorter than one frame \(0.025 s\)"),
    ],
    ids=["empty file", "text", "no samples", "nan", "infinite", "shorter than a frame"],
)
def test_bad_recordings_are_refused_by_name(diarize, tmp_path, content: bytes | np.ndarray, message: str):
    path = tmp_path / "bad.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        soundfile.write(path, content, 16_000, subtype="FLOAT")
    with pytest.raises(ValueError, match=message):
        diarize(path)


def test_other_bad_input_is_refused(diarize, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.wav"):
        diarize(tmp_path / "missing.wav")
    with pytest.raises(ValueError, match=r"must be \(samples,\) or \(samples, channels\); got \(1, 2, 800\)"):
        diarize(noise(1600).reshape(1, 2, 800))
    with pytest.raises(ValueError, match="an array needs its sampling_rate"):
        diarize({"array": noise(800)})
    with pytest.raises(TypeError, match="no_such_option"):
        diarize(noise(800), no_such_option=1)


def test_saved_folder_carries_its_code(model_folder: Path):
    """That each imports only what travels with it is checked, without this package, in test_hub_round_trip.py."""
    assert {path.name for path in model_folder.glob("*_sed.py")} == {
        path.name for path in Path(modeling_sed.__file__).parent.glob("*_sed.py")
    }


def test_a_result_is_a_list_that_shows_itself(diarize, tmp_path):
    path = tmp_path / "recording.wav"
    soundfile.write(path, noise(32_000), 16_000)
    timeline, plain = diarize(path), list(diarize(path))
    assert isinstance(timeline, list) and timeline == plain and type(plain) is list
    assert json.dumps(timeline) == json.dumps(plain)
    for copied in (pickle.loads(pickle.dumps(timeline)), copy.deepcopy(timeline)):
        assert copied == plain and type(copied) is list
    html = timeline._repr_html_()
    assert "<svg" in html and "<audio" in html
    assert type(timeline[0]) is dict and timeline[1:3] == plain[1:3]
    assert "<audio" in timeline[1:3]._repr_html_() and Timeline()._repr_html_() is None


def test_only_a_single_recording_is_kept_with_its_result(diarize):
    waveform = noise(16_000)
    assert diarize(waveform).audio is waveform
    assert diarize(waveform, return_scores=True)["segments"].audio is waveform
    for several in (diarize([waveform, waveform]), list(diarize(audio for audio in [waveform]))):
        assert all(timeline.audio is None and "<svg" in timeline._repr_html_() for timeline in several)


def test_without_the_package_a_result_is_shown_as_a_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "modeling_sed.evaluation.html_timeline", None)
    assert Timeline([{"start": 0.0, "end": 1.0, "label": "sad"}])._repr_html_() is None


def test_whisper_hears_no_more_than_its_positions():
    model = small_model("whisper", encoder_arguments={"max_source_positions": 150})  # frames of 20 ms: 3 s
    extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    diarize = modeling_sed.SpeechEmotionDiarizationPipeline(model, feature_extractor=extractor)
    assert_tiles(diarize(noise(48_000), window=None), 3.0)
    assert diarize(noise(100_000), window=3.0) == diarize(noise(100_000))
    for window in (None, 3.5):
        with pytest.raises(modeling_sed.InputError, match=r"s at once, but the encoder hears no more than 3 s: use"):
            diarize(noise(100_000), window=window)
