"""Silence removal: speech stays, no silence longer than 0.2 s does, and loudness does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.dataset_scripts.speech_activity import keep_intervals, speech_intervals
from modeling_sed.dataset_scripts.waveforms import encode_waveform, read_waveform
from tests.dataset_scripts.conftest import voice


def test_silence_is_cut_to_a_fifth_of_a_second():
    silence = 0.0001 * np.random.default_rng(0).standard_normal(16_000)
    recording = np.concatenate([silence, voice(1.0, 120, 1), silence, voice(1.0, 150, 2), silence])
    intervals = speech_intervals(recording)
    assert len(intervals) == 2
    for (first, last), start in zip(intervals, (16_000, 48_000), strict=True):
        assert start - 0.15 * 16_000 <= first <= start + 0.05 * 16_000  # the detector itself is late by some frames
        assert start + 15_200 <= last <= start + 16_000 + 0.25 * 16_000
    assert len(keep_intervals(recording, intervals)) == np.diff(intervals).sum()


def test_short_pauses_stay():
    pause = np.zeros(1600)  # 0.1 s
    recording = np.concatenate([voice(0.6, 120, 1), pause, voice(0.6, 120, 2)])
    intervals = speech_intervals(recording)
    assert len(intervals) == 1 and intervals[0, 1] - intervals[0, 0] >= 0.9 * len(recording)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 10.0])
def test_loudness_does_not_matter(gain: float):
    recording = np.concatenate([np.zeros(8000), voice(1.0, 120, 1), np.zeros(8000)])
    np.testing.assert_allclose(speech_intervals(recording), speech_intervals(gain * recording), atol=160)


@pytest.mark.parametrize("recording", [np.zeros(16_000), np.zeros(0), np.ones(5), np.zeros(159)])
def test_nothing_is_found_where_nothing_is(recording: np.ndarray):
    assert speech_intervals(recording).shape == (0, 2)
    assert len(keep_intervals(recording, speech_intervals(recording))) == 0


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [
        ("wav", "PCM_16", 16_000, 1),
        ("wav", "PCM_24", 44_100, 2),
        ("wav", "FLOAT", 48_000, 1),
        ("wav", "DOUBLE", 22_050, 1),
        ("flac", "PCM_16", 8_000, 1),
        ("ogg", "VORBIS", 44_100, 1),
        ("mp3", "MPEG_LAYER_III", 48_000, 2),
    ],
)
def test_any_rate_format_and_number_of_channels(tmp_path: Path, suffix: str, subtype: str, rate: int, channels: int):
    time = np.arange(2 * rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack([tone] * channels, axis=1), rate, subtype=subtype)
    waveform = read_waveform(path)
    expected = 0.3 * np.sin(2 * np.pi * 440 * np.arange(32_000) / 16_000)
    assert abs(len(waveform) - 32_000) <= 2400  # mp3 pads
    delay = np.argmax(np.correlate(waveform[4000:12_000], expected[4000:11_960], "valid")) if suffix == "mp3" else 0
    middle = waveform[4000 + delay : 12_000 + delay]
    assert np.sqrt(np.mean((middle - expected[4000:12_000]) ** 2)) < 0.01


def test_encoding_is_exact_to_16_bits():
    waveform = voice(0.5, 120, 1).astype(np.float32)
    np.testing.assert_allclose(read_waveform(encode_waveform(waveform)), waveform, atol=1 / 32_768)
