"""The front end: nothing changes without one, times stay exact, what is left out is neutral."""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import pipeline
from typer.testing import CliRunner, Result

import modeling_sed
from modeling_sed.annotations.segments import join_equal
from modeling_sed.cli.app import app
from modeling_sed.dataset_scripts.speech_activity import speech_intervals
from modeling_sed.front_end import enhancement
from modeling_sed.front_end.processors import (
    PROCESSORS,
    CutNonSpeech,
    Enhance,
    MaskNonSpeech,
    NormalizeLevel,
    SplitAtPauses,
    front_end_of,
)
from modeling_sed.front_end.signals import FrontEnd, Signal, diarize_with, split_channels, split_sources
from modeling_sed.front_end.time_map import Piece, TimeMap

RATES = (8_000, 11_025, 16_000, 44_100)
TICKS = math.lcm(*RATES)  # a second


@pytest.fixture(scope="module")
def diarize(model_folder: Path) -> modeling_sed.SpeechEmotionDiarizationPipeline:
    return pipeline(modeling_sed.TASK, model=str(model_folder))


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def audio(waveform: np.ndarray, sampling_rate: int = 16_000) -> dict:
    return {"array": waveform, "sampling_rate": sampling_rate}


def fixed(*stretches: tuple[float, float]):
    """A voice activity detector that always says the same, given in seconds."""
    return lambda waveform: np.array([(round(16_000 * a), round(16_000 * b)) for a, b in stretches]).reshape(-1, 2)


def assert_tiles(segments: list[dict], duration: float):
    assert segments[0]["start"] == 0 and segments[-1]["end"] == duration
    for left, right in itertools.pairwise(segments):
        assert left["end"] == right["start"] and left["label"] != right["label"]
    assert all(segment["start"] < segment["end"] and 0.25 < segment["score"] <= 1 for segment in segments)


def label_at(segments: list[dict], time: float) -> str:
    return next(segment["label"] for segment in segments if segment["start"] <= time < segment["end"])


@st.composite
def stretches(draw, samples: int) -> list[tuple[int, int]]:
    edges = sorted(draw(st.sets(st.integers(0, samples), max_size=8)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@given(data=st.data(), samples=st.integers(1, 300))
def test_after_any_cuts_every_sample_maps_back_to_where_it_was(data, samples: int):
    """The waveform counts the recording's samples, so it knows itself where each of them comes from."""
    waveform = np.arange(samples, dtype=np.float32)
    rate = data.draw(st.sampled_from(RATES))
    signal = Signal.of(audio(waveform, rate), rate)
    for _ in range(data.draw(st.integers(0, 4))):
        signal = signal.keep(data.draw(stretches(len(signal.waveform))))
    each = signal.seconds([(sample, sample + 1) for sample in range(len(signal.waveform))])
    traced = [piece for pieces in signal.times.trace(each) for piece in pieces]
    assert [piece.start * rate for piece in traced] == signal.waveform.tolist()
    assert all(piece.end - piece.start == Fraction(1, rate) for piece in traced)


@settings(deadline=None)
@given(data=st.data(), samples=st.integers(1, 300))
def test_cuts_at_changing_sampling_rates_add_up_exactly(data, samples: int):
    """Reference: the ticks of a clock that all sampling rates divide, cut likewise."""
    rate = data.draw(st.sampled_from(RATES))
    signal = Signal.of(audio(noise(samples), rate), rate)
    ticks = np.array([[0, samples * (TICKS // rate)]])
    for _ in range(data.draw(st.integers(1, 4))):
        signal = signal.at(data.draw(st.sampled_from(RATES)))
        step, total = TICKS // signal.sampling_rate, int(np.diff(ticks).sum())
        length = len(signal.waveform)
        wanted = [(a, b) for a, b in data.draw(stretches(length)) if a * step < total]
        signal = signal.keep(wanted)
        ends = [(a * step, total if b == length else min(b * step, total)) for a, b in wanted]
        ticks = slow_cut(ticks, ends)
    expected = [(Fraction(int(a), TICKS), Fraction(int(b), TICKS)) for a, b in ticks]
    assert touching_joined([(piece.start, piece.end) for piece in signal.times.pieces]) == touching_joined(expected)


def slow_cut(pieces: np.ndarray, stretches: list[tuple[int, int]]) -> np.ndarray:
    kept = []
    for first, last in stretches:
        position = 0
        for start, end in pieces.tolist():
            a, b = max(first, position), min(last, position + end - start)
            if a < b:
                kept.append((start + a - position, start + b - position))
            position += end - start
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def touching_joined(pieces: list[tuple]) -> list[tuple]:
    joined: list[tuple] = []
    for start, end in pieces:
        start = joined.pop()[0] if joined and joined[-1][1] == start else start
        joined.append((start, end))
    return joined


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
def test_a_click_stays_where_it_is_through_cutting_and_resampling(rate: int):
    waveform = np.zeros(2 * rate, np.float32)
    waveform[3 * rate // 2] = 1
    signal = Signal.of(audio(waveform, rate), rate).keep([(0, rate // 4), (rate, 2 * rate)]).at(16_000)
    signal = signal.keep([(4_000, 16_000)])  # the first quarter of a second is left out, too
    click = int(signal.waveform.argmax())
    (((start, end, _),),) = signal.times.trace(signal.seconds([(click, click + 1)]))
    assert start <= Fraction(3, 2) < end


def test_what_counts_survives_further_cuts():
    seconds = [Fraction(second) for second in range(11)]
    masked = TimeMap.whole(seconds[10]).count_only([(seconds[2], seconds[5])])
    assert masked.pieces == (Piece(0, 2, False), Piece(2, 5, True), Piece(5, 10, False))
    cut = masked.keep([(seconds[1], seconds[3]), (seconds[4], seconds[6])])
    assert cut.pieces == (Piece(1, 2, False), Piece(2, 3, True), Piece(4, 5, True), Piece(5, 6, False))
    assert cut.count_only([(seconds[0], seconds[2])]).pieces[:3] == (*cut.pieces[:2], Piece(4, 5, False))


def test_without_processors_nothing_changes(diarize, tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, noise(2 * 50_001).reshape(-1, 2), 44_100)
    expected = diarize(path)
    assert len(expected) > 3
    assert diarize_with(FrontEnd(), diarize, path) == expected
    assert diarize_with(FrontEnd([lambda signal: [signal]]), diarize, path) == expected
    assert diarize_with(front_end_of([], speech_intervals), diarize, path, window=1.0, context=0.2) == diarize(
        path, window=1.0, context=0.2
    )


@pytest.mark.parametrize("processor", [MaskNonSpeech, CutNonSpeech, SplitAtPauses])
def test_all_speech_is_as_without_a_detector(diarize, processor):
    recording = audio(noise(50_001), 44_100)
    everything = fixed((0, 2))
    assert diarize_with(FrontEnd([processor(everything)]), diarize, recording) == diarize(recording)


@pytest.mark.parametrize("processor", [MaskNonSpeech, CutNonSpeech, SplitAtPauses])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_non_speech_is_neutral_and_the_timeline_tiles_the_recording(diarize, processor, rate: int):
    waveform = noise(4 * rate + 7)
    front_end = FrontEnd([processor(fixed((0.5, 1.5), (2.5, 3.0)))])
    segments = diarize_with(front_end, diarize, audio(waveform, rate))
    assert_tiles(segments, len(waveform) / rate)
    assert {s["label"] for s in segments} > {"neutral"}
    for time in (0.0, 0.49, 1.51, 2.49, 3.01, 4.0):
        assert label_at(segments, time) == "neutral"


def test_each_utterance_is_as_it_is_alone(diarize):
    waveform = noise(64_000)
    segments = diarize_with(FrontEnd([SplitAtPauses(fixed((0.5, 1.5), (2.5, 3.0)))]), diarize, waveform)
    alone = diarize(waveform[40_000:48_000])
    for segment in alone:
        assert label_at(segments, 2.5 + (segment["start"] + segment["end"]) / 2) == segment["label"]
    joined = diarize_with(FrontEnd([SplitAtPauses(fixed((0.5, 1.5), (1.7, 2.0)))]), diarize, waveform)
    (utterance,) = SplitAtPauses(fixed((0.5, 1.5), (1.7, 2.0)))(Signal.of(waveform, 16_000))
    assert utterance.times.pieces == (Piece(Fraction(1, 2), Fraction(2)),)
    assert label_at(joined, 1.0) == label_at(diarize(waveform[8_000:32_000]), 0.5)


def test_a_mask_takes_from_the_timeline_and_nothing_else(diarize):
    waveform = noise(64_000)
    plain = diarize(waveform)
    masked = diarize_with(FrontEnd([MaskNonSpeech(fixed((0.5, 1.5)))]), diarize, waveform)
    for time in np.arange(0.01, 4, 0.02):
        assert label_at(masked, time) == (label_at(plain, time) if 0.5 < time < 1.5 else "neutral")


def test_a_recording_without_speech_is_neutral(diarize):
    for name in ("vad", "cut", "split"):
        segments = diarize_with(front_end_of([name], speech_intervals), diarize, np.zeros(16_000, np.float32))
        assert segments == [{"start": 0.0, "end": 1.0, "label": "neutral", "score": 1.0}]


def test_scores_of_joined_segments_are_means_over_time():
    segments = [
        {"start": 0.0, "end": 1.0, "label": "happy", "score": 0.5},
        {"start": 1.0, "end": 4.0, "label": "happy", "score": 1.0},
        {"start": 5.0, "end": 6.0, "label": "happy", "score": 0.7},  # after a gap
    ]
    # (1 · 0.5 + 3 · 1.0) / 4 = 0.875
    assert join_equal(segments) == [{"start": 0.0, "end": 4.0, "label": "happy", "score": 0.875}, segments[2]]


def test_margins_widen_speech_and_join_it():
    cut = CutNonSpeech(fixed((1.0, 2.0), (2.3, 3.0), (3.9, 4.0)), margin=0.25)
    (signal,) = cut(Signal.of(noise(8_000 * 4), 8_000))
    assert signal.times.pieces == (Piece(Fraction(3, 4), Fraction(13, 4)), Piece(Fraction(73, 20), Fraction(4)))
    assert len(signal.waveform) == 8_000 * (2.5 + 0.35)


def test_channels_give_the_timelines_that_each_gives_alone(diarize, tmp_path):
    channels = [noise(30_000, seed) for seed in (1, 2)]
    soundfile.write(tmp_path / "stereo.wav", np.stack(channels, axis=1), 16_000, subtype="FLOAT")
    for number, (part, channel) in enumerate(zip(split_channels(tmp_path / "stereo.wav"), channels, strict=True), 1):
        assert part["path"] == f"{tmp_path / 'stereo.wav'}, channel {number}"
        assert diarize(part) == diarize(channel)
    mono = split_channels(audio(channels[0], 8_000))
    assert len(mono) == 1 and diarize(mono[0]) == diarize(audio(channels[0], 8_000))


def test_bad_channels_are_refused_by_name(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(ValueError, match=r"empty\.wav: the file is empty"):
        split_channels(tmp_path / "empty.wav")
    bad = noise(100).reshape(-1, 2)
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match="sample 7 of the recording is nan"):
        split_channels(audio(bad))
    with pytest.raises(ValueError, match=r"must be \(samples,\) or \(samples, channels\)"):
        split_channels(audio(noise(100).reshape(2, 5, 10)))


@pytest.mark.parametrize("factor", [1e-3, 1.0, 30.0])
def test_levels_become_the_same_without_clipping(factor: float):
    waveform = np.sin(np.arange(16_000) / 20).astype(np.float32)
    (signal,) = NormalizeLevel()(Signal.of(factor * waveform, 16_000))
    assert 20 * np.log10(np.sqrt(np.mean(signal.waveform**2))) == pytest.approx(-23, abs=1e-4)
    waveform[100] = 100  # a click: its peak decides
    (signal,) = NormalizeLevel()(Signal.of(factor * waveform, 16_000))
    assert np.abs(signal.waveform).max() == pytest.approx(0.99)
    (silence,) = NormalizeLevel()(Signal.of(np.zeros(100, np.float32), 16_000))
    assert not silence.waveform.any()


def melody(samples: int = 64_000) -> tuple[np.ndarray, np.ndarray]:
    """Tones of a quarter of a second at 16 kHz, with a pause in the second half of each second; and where it sounds."""
    pitch = np.repeat(np.random.default_rng(0).uniform(200, 2000, samples // 4_000), 4_000)
    sounds = np.arange(samples) % 16_000 < 8_000
    return (0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / 16_000) * sounds).astype(np.float32), sounds


def test_noise_reduction_reduces_noise():
    pytest.importorskip("noisereduce")
    clean, sounds = melody()
    noisy = clean + 0.5 * noise(len(clean))
    enhanced = enhancement.spectral_gating()(noisy, 16_000)
    ratios = [np.square(w[sounds]).mean() / np.square(w[~sounds]).mean() for w in (noisy, enhanced)]
    assert ratios[1] > 2 * ratios[0]
    silence = enhancement.spectral_gating()(np.zeros(16_000, np.float32), 16_000)
    assert np.abs(silence).max() < 1e-5


def test_dereverberation_brings_sound_back_to_what_it_was():
    pytest.importorskip("nara_wpe")
    dry, _ = melody()
    response = noise(8_000, 1) * np.exp(-6.9 * np.arange(8_000) / 8_000)
    response[0] = 1
    wet = np.convolve(dry, response)[: len(dry)].astype(np.float32)
    enhanced = enhancement.weighted_prediction_error()(wet, 16_000)
    assert np.square(enhanced - dry).mean() < 0.9 * np.square(wet - dry).mean()


def test_any_function_enhances_and_bad_ones_are_refused(diarize):
    recording = audio(noise(44_100), 44_100)
    rates = []

    def enhance(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        rates.append(sampling_rate)
        return waveform

    assert diarize_with(FrontEnd([Enhance(enhance)]), diarize, recording) == diarize(recording)
    assert_tiles(diarize_with(FrontEnd([Enhance(enhance, 48_000)]), diarize, recording), 1.0)
    assert rates == [44_100, 48_000]
    for function, message in (
        (lambda waveform, _: waveform[1:], r"must keep the length: it made \(44099,\) of \(44100,\) samples"),
        (lambda waveform, _: waveform * np.nan, "not finite numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            diarize_with(FrontEnd([Enhance(function)]), diarize, recording)


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_named_processor_keeps_times(diarize, name: str):
    recording = audio(noise(33_333), 22_050)
    assert_tiles(diarize_with(front_end_of([name], speech_intervals), diarize, recording), 33_333 / 22_050)


def test_all_processors_together(diarize):
    recording = audio(noise(33_333), 22_050)
    assert_tiles(diarize_with(front_end_of(list(PROCESSORS), speech_intervals), diarize, recording), 33_333 / 22_050)


def test_unknown_processors_are_refused():
    with pytest.raises(ValueError, match=r"no processor 'vda'; the processors are vad, cut, split"):
        front_end_of(["vda"], speech_intervals)


def test_sources_become_recordings_of_their_own(diarize):
    voices = [noise(20_000, seed) for seed in (1, 2)]
    parts = split_sources(voices[0] + voices[1], lambda mixture, _: np.stack([voices[0], mixture - voices[0]]))
    assert [part["path"] for part in parts] == ["audio, source 1", "audio, source 2"]
    assert diarize(parts[0]) == diarize(voices[0])
    with pytest.raises(ValueError, match=r"must return \(sources, 20000\), as long as the mixture; got \(20000,\)"):
        split_sources(voices[0], lambda mixture, _: mixture)


SEPFORMER = """
sample_rate: 8000
num_spks: {sources}
encoder: !new:speechbrain.lobes.models.dual_path.Encoder
    kernel_size: 16
    out_channels: 16
block: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: 1
    d_model: 16
    nhead: 2
    d_ffn: 16
masknet: !new:speechbrain.lobes.models.dual_path.Dual_Path_Model
    num_spks: !ref <num_spks>
    in_channels: 16
    out_channels: 16
    num_layers: 1
    K: 50
    intra_model: !ref <block>
    inter_model: !ref <block>
decoder: !new:speechbrain.lobes.models.dual_path.Decoder
    in_channels: 16
    out_channels: 1
    kernel_size: 16
    stride: 8
    bias: False
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
modules:
    encoder: !ref <encoder>
    masknet: !ref <masknet>
    decoder: !ref <decoder>
"""


@pytest.mark.parametrize(("sources", "shape"), [(1, (20_001,)), (2, (2, 20_001))])
def test_models_of_speechbrain_work_by_name(tmp_path, sources: int, shape: tuple):
    pytest.importorskip("speechbrain.inference.separation", exc_type=ImportError)
    (tmp_path / "hyperparams.yaml").write_text(SEPFORMER.format(sources=sources), encoding="utf-8")
    separated = enhancement.sepformer(str(tmp_path))(noise(20_001), 22_050)
    assert separated.shape == shape and separated.any() and np.isfinite(separated).all()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["diarize", *map(str, arguments)])


def test_the_command_line_has_channels_and_processors(model_folder: Path, diarize, tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, noise(60_000).reshape(-1, 2), 16_000, subtype="FLOAT")
    done = run(path, tmp_path / "missing.wav", "--model", model_folder, "--format", "json", "--per-channel")
    assert done.exit_code == 1 and "missing.wav" in done.stderr
    for number, (result, channel) in enumerate(zip(json.loads(done.stdout), split_channels(path), strict=True), 1):
        assert result["name"] == f"{path}, channel {number}"
        assert result["segments"] == diarize(channel)
    names = ["split", "loudness"]
    options = [option for name in names for option in ("--front-end", name)]
    done = run(path, "--model", model_folder, "--format", "json", *options)
    assert json.loads(done.stdout)[0]["segments"] == diarize_with(front_end_of(names, speech_intervals), diarize, path)
    done = run(path, "--model", model_folder, "--format", "json", "--per-channel", *options)
    for result, channel in zip(json.loads(done.stdout), split_channels(path), strict=True):
        assert result["segments"] == diarize_with(front_end_of(names, speech_intervals), diarize, channel)
    for options in ((), ("--front-end", "loudness")):
        done = run(path, "--model", model_folder, "--max-duration", "1", *options)
        assert done.exit_code == 1 and "call.wav: longer than" in done.stderr
    done = run(path, "--model", model_folder, "--front-end", "vda")
    assert done.exit_code == 2 and "no processor 'vda'" in done.stderr


def test_the_command_line_names_the_speakers(model_folder: Path, tmp_path):
    path, turns = tmp_path / "call.wav", tmp_path / "turns.rttm"
    soundfile.write(path, noise(32_000), 16_000, subtype="FLOAT")
    turns.write_text("SPEAKER call 1 0.25 1.0 <NA> <NA> anna <NA> <NA>\n", encoding="utf-8")
    options = ["--model", model_folder, "--turns", turns]
    done = run(path, *options, "--format", "json", "--plot", tmp_path / "timeline.png")
    (result,) = json.loads(done.stdout)
    assert result["duration"] == 2.0 and {segment["speaker"] for segment in result["segments"]} == {"anna"}
    assert (result["segments"][0]["start"], result["segments"][-1]["end"]) == (0.25, 1.25)
    assert "anna" in run(path, *options).stdout.splitlines()[2]
    assert run(path, *options, "--per-channel").exit_code == 2
    done = run(tmp_path / "other.wav", *options)
    assert done.exit_code == 1
