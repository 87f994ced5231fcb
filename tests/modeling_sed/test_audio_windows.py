"""Windows: every frame of a recording once, with context; files of any length in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Wav2Vec2FeatureExtractor

from modeling_sed import FrameGeometry, InputError, SpeechEmotionDiarizationPipeline, audio_files_sed
from modeling_sed.audio_sed import RecordingStream, cut_windows, load_recording
from modeling_sed.frames_sed import InputWarning
from modeling_sed.pipeline_sed import Timeline
from tests.conftest import REPOSITORY, small_model

KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
GEOMETRY = FrameGeometry(KERNELS, STRIDES)


def check(samples: int, window: int, context: int, block: int, geometry: FrameGeometry) -> list[tuple[int, int]]:
    """Cuts a ramp, whose values tell where they come from; returns begin and length of each window."""
    ramp = np.arange(samples, dtype=np.float64)
    blocks = [ramp[first : first + block] for first in range(0, samples, block)]
    frames, found = 0, []
    parts = list(cut_windows(blocks, geometry, window, context))
    for number, part in enumerate(parts):
        begin = int(part.waveform[0])
        np.testing.assert_array_equal(part.waveform, ramp[begin : begin + len(part.waveform)])
        assert begin % geometry.hop == 0
        assert begin // geometry.hop + part.first == frames  # goes on where the last one stopped
        assert part.first < part.last <= geometry.frame_count(len(part.waveform))
        frames = begin // geometry.hop + part.last
        assert part.is_last == (number == len(parts) - 1)
        assert len(part.waveform) <= window
        margin = context // geometry.hop
        assert number == 0 or part.first >= margin
        assert part.is_last or part.last <= window // geometry.hop - margin
        found.append((begin, len(part.waveform)))
    assert frames == geometry.frame_count(samples)
    return found


@given(st.integers(400, 60_000), st.integers(5, 40), st.integers(2, 9), st.integers(1, 20_000), st.integers(1, 3))
@settings(deadline=None)
def test_every_frame_counts_once(samples: int, window: int, context: int, block: int, stride: int):
    geometry = FrameGeometry((*KERNELS, stride), (*STRIDES, stride))
    hop = geometry.hop
    if 2 * context >= window or samples < geometry.receptive_field:
        return
    check(samples, window * hop, context * hop, block, geometry)


def test_lengths_around_every_edge():
    window, context = 16_000, 3_200
    for edge in (400, 720, window, *(window + number * (window - 2 * context) for number in range(1, 4))):
        for samples in range(edge - 2, edge + 3):
            if samples >= 400:
                found = check(samples, window, context, 5_000, GEOMETRY)
                assert (len(found) == 1) == (samples <= window)
                assert sum(found[-1]) == samples and (len(found) == 1 or found[-1][1] > 2 * context)


def test_what_leaves_no_frames_is_refused():
    for window, context in ((16_000, 8_000), (16_000, 639), (640, 640)):
        with pytest.raises(ValueError, match="leaves no frames between"):
            list(cut_windows([np.zeros(9)], GEOMETRY, window, context))


def random_pipeline() -> SpeechEmotionDiarizationPipeline:
    feature_extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    return SpeechEmotionDiarizationPipeline(model=small_model(), feature_extractor=feature_extractor)


@pytest.fixture
def diarize() -> SpeechEmotionDiarizationPipeline:
    return random_pipeline()


def test_batches_of_windows_change_nothing(diarize: SpeechEmotionDiarizationPipeline):
    generator = np.random.default_rng(0)
    recordings = [generator.standard_normal(n).astype(np.float32) for n in (16_000, 70_001, 30_000, 100_000, 500)]
    alone = [diarize(recording, window=2.0, context=0.4) for recording in recordings]
    together = diarize(recordings, window=2.0, context=0.4, batch_size=3)
    for expected, found, recording in zip(alone, together, recordings, strict=True):
        assert [s | {"score": 0} for s in found] == [s | {"score": 0} for s in expected]
        assert found[-1]["end"] == len(recording) / 16_000
    assert alone[3] != diarize(recordings[3], window=None)  # a window is normalised on its own
    assert alone[0] == diarize(recordings[0], window=None)


def test_nothing_shows_at_the_joins():
    """A model that hears no further than the context says the same in windows, at every length around their edges."""
    model = small_model(normalize_encoder_output=False)
    with torch.no_grad():
        for layer in model.encoder.encoder.layers:  # what is left are convolutions: 8 frames to either side, and 5 ms
            layer.attention.out_proj.weight.zero_()
    diarize = SpeechEmotionDiarizationPipeline(
        model=model, feature_extractor=Wav2Vec2FeatureExtractor(do_normalize=False)
    )
    window, context = 16_000, 3_200
    waveform = np.random.default_rng(0).standard_normal(36_000).astype(np.float32)
    for edge in (window, *(window + number * (window - 2 * context) for number in (1, 2))):
        for samples in (edge - 1, edge, edge + 1):
            whole = diarize(waveform[:samples], window=None)
            found = diarize(waveform[:samples], window=1.0, context=0.2)
            assert len(whole) > 5
            assert [s | {"score": 0} for s in found] == [s | {"score": 0} for s in whole]
            assert [s["score"] for s in found] == pytest.approx([s["score"] for s in whole], abs=1e-5)
            assert found[-1]["end"] == samples / 16_000


@pytest.mark.parametrize(("rate", "suffix"), [(16_000, "wav"), (44_100, "flac"), (8_000, "ogg")])
def test_a_streamed_file_is_the_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int, suffix: str):
    time = np.arange(round(7.3 * rate)) / rate
    stereo = np.stack([np.sin(2 * np.pi * 300 * time), np.sin(2 * np.pi * 100 * time)], axis=1)
    path = tmp_path / f"long.{suffix}"
    soundfile.write(path, 0.3 * stereo, rate)
    whole = load_recording(path, 16_000)
    monkeypatch.setattr(audio_files_sed, "BLOCK", 4 * rate)
    stream = RecordingStream(path, 16_000)
    blocks = list(stream)
    assert len(blocks) >= 4
    assert stream.duration == whole.duration and stream.samples == len(whole.waveform)
    np.testing.assert_array_equal(np.concatenate(blocks), whole.waveform)


def test_a_bad_sample_of_a_long_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, diarize):
    wave = np.zeros(50_000)
    wave[40_007] = np.nan
    soundfile.write(tmp_path / "long.wav", wave, 16_000, subtype="FLOAT")
    monkeypatch.setattr(audio_files_sed, "BLOCK", 16_000)
    with pytest.raises(ValueError, match=r"long.wav: sample 40007 of the recording is nan"):
        diarize(tmp_path / "long.wav")


def test_a_cut_file_is_heard_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, diarize: SpeechEmotionDiarizationPipeline
):
    monkeypatch.setattr(audio_files_sed, "BLOCK", 16_000)
    wave = 0.1 * np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    soundfile.write(tmp_path / "long.flac", wave, 16_000)
    content = (tmp_path / "long.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    (tmp_path / "headless.raw").write_bytes(content[1000:])
    files = [tmp_path / name for name in ("cut.flac", "headless.raw", "long.flac")]
    with pytest.warns(InputWarning, match=r"cut.flac: ends after \d.\d\d s; its header says 6.25 s"):
        cut, headless, whole = diarize(files, return_exceptions=True)
    assert 2 < cut[-1]["end"] < 4
    assert isinstance(headless, ValueError) and "headless.raw: not audio" in str(headless)
    assert whole[-1]["end"] == 100_000 / 16_000


def test_one_too_short_among_many_equal_ones_is_alone(diarize: SpeechEmotionDiarizationPipeline):
    waves = list(np.random.default_rng(0).standard_normal((12, 8_000)).astype(np.float32))
    found = diarize([*waves[:9], waves[0][:100], *waves[9:]], batch_size=16, return_exceptions=True)
    assert [type(result) for result in found] == [*[Timeline] * 9, InputError, *[Timeline] * 3]


PEAKS = """
import resource, sys
from tests.modeling_sed.test_audio_windows import random_pipeline
diarize = random_pipeline()
for path in sys.argv[1:]:
    segments = diarize(path, window=10.0)
    print(segments[-1]["end"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_memory_does_not_grow_with_length(tmp_path: Path):
    """Forty minutes would take 150 MB if they were decoded whole, and attention over them a hundred times as much."""
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{minutes}.wav" for minutes in (4, 40)]
    for path in paths:
        with soundfile.SoundFile(path, "w", 8_000, 1) as file:
            for _ in range(int(path.stem)):
                file.write(0.1 * generator.standard_normal(60 * 8_000))
    command = [sys.executable, "-c", PEAKS, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    (first, short), (second, long) = (map(float, line.split()) for line in done.stdout.splitlines())
    assert (first, second) == (240, 2400)
    assert long - short < 50_000  # KiB
