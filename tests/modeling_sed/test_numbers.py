"""Sounds at the edges of numbers and of time: scores are probabilities, segments tile, nothing is NaN or warns."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeling_sed import InputError, SpeechEmotionDiarizationPipeline
from modeling_sed.frames_sed import InputWarning
from tests.conftest import small_model

RATE = 16_000
NOISE = np.random.default_rng(0).standard_normal(3 * RATE)
SPEECHLIKE = 0.1 * NOISE * (1 + np.sin(np.arange(len(NOISE)) / 800))


def pipeline_of(kind: str, dtype: torch.dtype = torch.float32, **arguments: bool) -> SpeechEmotionDiarizationPipeline:
    model = small_model(kind, **arguments)
    feature_extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    return SpeechEmotionDiarizationPipeline(model=model.to(dtype), feature_extractor=feature_extractor, device="cpu")


@pytest.fixture(scope="module", params=["wavlm", "whisper", "wav2vec2-bert"])
def diarize(request: pytest.FixtureRequest) -> SpeechEmotionDiarizationPipeline:
    return pipeline_of(request.param)


def array(samples: np.ndarray, rate: int = RATE) -> dict:
    return {"array": samples, "sampling_rate": rate}


def file(samples: np.ndarray, rate: int, subtype: str, kind: str = "WAV") -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format=kind, subtype=subtype)
    return content.getvalue()


SOUNDS: dict[str, Callable[[], object]] = {
    "silence": lambda: np.zeros(RATE),
    "direct current": lambda: np.full(RATE, 0.5),
    "full direct current": lambda: np.full(RATE, -1.0),
    "clipped": lambda: np.clip(20 * SPEECHLIKE, -1, 1),
    "square wave": lambda: np.sign(np.sin(np.arange(RATE) / 7)),
    "denormal": lambda: (SPEECHLIKE * 1e-40).astype(np.float32),
    "least of float64": lambda: array(np.full(RATE, 5e-324)),
    "least bit": lambda: (NOISE > 0).astype(np.int16),
    "integers as floats": lambda: SPEECHLIKE * 32_768,
    "32 bits as floats": lambda: NOISE / np.abs(NOISE).max() * 2.0**31,
    "8 kHz": lambda: array(SPEECHLIKE, 8_000),
    "192 kHz": lambda: array(SPEECHLIKE, 192_000),
    "768 kHz": lambda: array(SPEECHLIKE, 768_000),
    "24 bits": lambda: file(SPEECHLIKE, RATE, "PCM_24"),
    "float64": lambda: file(SPEECHLIKE, RATE, "DOUBLE"),
    "6 channels": lambda: file(np.stack([SPEECHLIKE] * 6, 1), 48_000, "PCM_16", "FLAC"),
}


def check(found: dict) -> None:
    """Probabilities that sum to 1, segments that tile, and JSON without NaN."""
    posteriors, times, segments = found["posteriors"], found["frame_times"], found["segments"]
    assert (posteriors >= 0).all() and (posteriors <= 1).all()
    np.testing.assert_allclose(posteriors.sum(axis=1, dtype=np.float64), 1, atol=1e-5)
    assert segments[0]["start"] == 0 and segments[-1]["end"] == times[-1]
    assert all(one["end"] == following["start"] for one, following in pairwise(segments))
    assert all(s["start"] < s["end"] and 0 <= s["score"] <= 1 for s in segments)
    json.dumps(segments, allow_nan=False)


@pytest.mark.parametrize("sound", SOUNDS)
def test_every_sound_has_an_answer_and_no_warning(sound: str, diarize: SpeechEmotionDiarizationPipeline):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(diarize(SOUNDS[sound](), return_scores=True))


def test_opposite_phases_warn(diarize: SpeechEmotionDiarizationPipeline):
    with pytest.warns(InputWarning, match="cancel each other out"):
        found = diarize(array(np.stack([SPEECHLIKE, -SPEECHLIKE], 1)), return_scores=True)
    check(found)
    assert found["segments"] == diarize(array(SPEECHLIKE))


@pytest.mark.parametrize("value", [2.2e9, 1e20, 1e30, np.finfo(np.float64).max, -np.inf, np.nan])
def test_one_impossible_sample_is_an_error_not_silence(value: float, diarize: SpeechEmotionDiarizationPipeline):
    samples = SPEECHLIKE.copy()
    samples[8_000] = value
    with pytest.raises(InputError, match="sample 8000 of the recording is"):
        diarize(array(samples))
    failed, other = diarize([array(samples), array(SPEECHLIKE)], return_exceptions=True)
    assert isinstance(failed, InputError) and other == diarize(array(SPEECHLIKE))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("kind", ["wavlm", "whisper", "wav2vec2-bert"])
def test_every_precision_gives_probabilities(kind: str, dtype: torch.dtype):
    diarize = pipeline_of(kind, dtype)
    for sound in ("silence", "direct current", "clipped", "denormal", "integers as floats", "8 kHz"):
        check(diarize(SOUNDS[sound](), return_scores=True))


def test_scores_that_are_not_numbers_are_an_error():
    broken = pipeline_of("wavlm")
    with torch.no_grad():
        broken.model.classifier.weight[0] = float("nan")
    with pytest.raises(InputError, match=r"audio: the model's scores are not numbers: .* try float32"):
        broken(SPEECHLIKE)
    assert isinstance(broken([SPEECHLIKE], return_exceptions=True)[0], InputError)


def test_threads_batches_and_windows(diarize: SpeechEmotionDiarizationPipeline):
    """The order of sums changes the last bits of scores, and no more."""
    sounds = [make() for make in SOUNDS.values()]
    single = [diarize(sound, return_scores=True) for sound in sounds]
    before = torch.get_num_threads()
    torch.set_num_threads(3 - min(before, 2))
    try:
        others = [diarize(sound, return_scores=True) for sound in sounds]
    finally:
        torch.set_num_threads(before)
    for many in (
        others,
        diarize(sounds, batch_size=4, return_scores=True),
        diarize(sounds, window=None, return_scores=True),
    ):
        for one, same in zip(single, many, strict=True):
            np.testing.assert_allclose(one["posteriors"], same["posteriors"], atol=1e-4)
            np.testing.assert_array_equal(one["frame_times"], same["frame_times"])


SHORT = {kind: pipeline_of(kind) for kind in ("wavlm", "whisper")}


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 60_000),
    rate=st.sampled_from([1_000, 7_999, 8_000, 11_025, 16_000, 44_100, 48_000, 192_000]),
    kind=st.sampled_from(sorted(SHORT)),
    window=st.sampled_from([None, 2.1, 3.0]),
)
@example(samples=1, rate=16_000, kind="wavlm", window=3.0)
@example(samples=400, rate=16_000, kind="wavlm", window=3.0)
@example(samples=160, rate=16_000, kind="whisper", window=3.0)
def test_segments_tile_every_duration(samples: int, rate: int, kind: str, window: float | None):
    try:
        found = SHORT[kind](array(np.resize(SPEECHLIKE, samples), rate), window=window, return_scores=True)
    except InputError as error:
        if "shorter than one frame" in str(error):
            assert samples < 0.026 * rate
        else:
            assert "no more than 30 s" in str(error) and (kind, window) == ("whisper", None) and samples > 30 * rate
        return
    check(found)
    assert found["segments"][-1]["end"] == samples / rate
