"""Live: the segments of the whole recording, whatever pieces it comes in; nothing revised, nothing accumulated."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor

from modeling_sed import InputError, Segment, SpeechEmotionDiarizationPipeline
from modeling_sed.recordings.streaming import StreamingDiarizer, join
from tests.conftest import small_model

WINDOW = {"window": 1.0, "context": 0.2}
SEMI_MARKOV = {"name": "semi_markov", "transition_cost": 0.2, "minimum_duration": 0.06}
DECODERS = [
    "argmax",
    {"name": "median", "duration": 0.1},
    {"name": "hysteresis", "onset": 0.7, "offset": 0.6},
    SEMI_MARKOV,
]


def pipeline_of(sampling_rate: int = 16_000, **config_arguments) -> SpeechEmotionDiarizationPipeline:
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=sampling_rate, return_attention_mask=True)
    model = small_model(sampling_rate=sampling_rate, posterior_temperature=1.5, **config_arguments)
    return SpeechEmotionDiarizationPipeline(model=model, feature_extractor=extractor)


@pytest.fixture(scope="module")
def diarize() -> SpeechEmotionDiarizationPipeline:
    return pipeline_of()


def sound(seconds: float, rate: int, channels: int | None = None) -> np.ndarray:
    """Noise, a low and a high tone by turns, a third of a second each, so that labels last for a while."""
    time = np.arange(round(seconds * rate)) / rate
    sounds = (np.random.default_rng(0).standard_normal(len(time)), *(np.sin(2 * np.pi * f * time) for f in (200, 3000)))
    wave = 0.1 * np.choose((time // 0.33).astype(int) % 3, sounds).astype(np.float32)
    return wave if channels is None else wave[:, None] * np.linspace(0.5, 1.5, channels, dtype=np.float32)


def pieces(waveform: np.ndarray, size: str | int, seed: int = 0) -> list[np.ndarray]:
    """Of so many samples each, or of random sizes, none among them."""
    if size == "random":
        cuts = np.random.default_rng(seed).integers(0, len(waveform), 20)
        return np.split(waveform, np.sort(np.concatenate([cuts, cuts[:3]])))
    return [waveform[first : first + size] for first in range(0, len(waveform), size)]


def same(found: list[Segment], expected: list[Segment]) -> None:
    assert [s | {"score": 0} for s in found] == [s | {"score": 0} for s in expected]
    assert [s["score"] for s in found] == pytest.approx([s["score"] for s in expected], abs=1e-12)


@pytest.mark.parametrize(
    "decoder", DECODERS, ids=lambda decoder: decoder if isinstance(decoder, str) else decoder["name"]
)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_pieces_of_any_size_give_the_segments_of_the_whole(decoder, rate: int, diarize):
    waveform = sound(3.7, rate)
    whole = diarize({"array": waveform, "sampling_rate": rate}, decoder=decoder, **WINDOW)
    diarizer, steps = StreamingDiarizer(diarize, rate, decoder=decoder, **WINDOW), []
    for size in (1, rate // 100, rate, "random"):
        found = [segment for piece in pieces(waveform, size) for segment in diarizer.step(piece)]
        assert diarizer.duration == len(waveform) / rate
        steps.append(found + diarizer.finish())  # after which it is as new
        assert diarizer.duration == 0
        assert found and found == steps[0][: len(found)]
    same(steps[0], whole)
    assert all(step == steps[0] for step in steps)  # scores, too, to the last bit
    assert whole[-1]["end"] == len(waveform) / rate


@pytest.mark.parametrize("seconds", [0.025, 0.03, 0.5, 1.0, 1.0001, 1.6, 1.61, 2.5])
def test_lengths_around_the_edges(seconds: float, diarize):
    for decoder in (*DECODERS, SEMI_MARKOV | {"mean_durations": [0.1, 0.2, 0.3, 5.0]}):
        diarizer = StreamingDiarizer(diarize, decoder=decoder, **WINDOW)
        waveform = sound(seconds, 16_000)
        found = diarizer.step(waveform)
        same(found + diarizer.finish(), diarize(waveform, decoder=decoder, **WINDOW))


def test_the_outlook_goes_on_from_what_is_final(diarize):
    """It is what the windows so far say, and reaches to where the last one's frames do."""
    diarizer, final, waveform = StreamingDiarizer(diarize, decoder=SEMI_MARKOV, **WINDOW), [], sound(3.0, 16_000)
    assert diarizer.outlook() == []
    for piece in pieces(waveform, 1_600):
        final += diarizer.step(piece)
        outlook = diarizer.outlook()
        timeline = final + outlook
        assert all(left["end"] == right["start"] for left, right in itertools.pairwise(timeline))
        # windows end at 1 s, 1.6 s, 2.2 s …, and the next sample must have come
        windows = max(int((diarizer.duration - 1 - 1e-9) // 0.6 + 1), 0)
        assert (timeline[-1]["end"] if timeline else 0) == pytest.approx(0.8 + 0.6 * (windows - 1) if windows else 0)
    assert final + diarizer.finish() != final + outlook  # it had not heard the end


def test_options_are_the_pipelines(diarize):
    waveform = sound(2.0, 16_000)
    for options in ({"temperature": 4.0}, {"window": 0.6, "context": 0.1}, {}):
        options = {"decoder": "argmax", **WINDOW, **options}
        diarizer = StreamingDiarizer(diarize, **options)
        same(diarizer.step(waveform) + diarizer.finish(), diarize(waveform, **options))
    diarizer = StreamingDiarizer(pipeline_of(decoder=SEMI_MARKOV), **WINDOW)  # the model's own
    found = diarizer.step(waveform)
    same(found + diarizer.finish(), diarize(waveform, decoder=SEMI_MARKOV, **WINDOW))


def test_channels_and_integers(diarize):
    stereo, diarizer = sound(1.5, 16_000, channels=2), StreamingDiarizer(diarize, **WINDOW)
    found = diarizer.step(stereo) + diarizer.finish()
    same(found, diarize({"array": stereo, "sampling_rate": 16_000}, **WINDOW))
    steps = [segment for sample in stereo for segment in diarizer.step(sample[None])]
    assert steps + diarizer.finish() == found
    integers = (stereo[:, 0] * 2**15).astype(np.int16)
    found = diarizer.step(torch.from_numpy(integers)) + diarizer.finish()
    same(found, diarize({"array": integers, "sampling_rate": 16_000}, **WINDOW))


def test_reset_forgets(diarize):
    waveform, diarizer = sound(2.0, 16_000), StreamingDiarizer(diarize, 8_000, decoder="argmax", **WINDOW)
    first = diarizer.step(waveform)
    diarizer.step(waveform[:1234])
    diarizer.reset()
    assert diarizer.step(waveform) == first and first


def test_what_cannot_be_used_is_refused(diarize):
    for options, message in (
        ({"window": 1.0, "context": 0.5}, "leaves no frames between"),
        ({"sampling_rate": 10}, "a sampling rate of 10 Hz"),
        ({"decoder": "events"}, "needs the whole recording"),
        ({"decoder": "best"}, "There is no decoder"),
    ):
        with pytest.raises(InputError, match=message):
            StreamingDiarizer(diarize, **options)
    diarizer, waveform = StreamingDiarizer(diarize, **WINDOW), sound(1.5, 16_000)
    whole = diarizer.step(waveform) + diarizer.finish()
    found = diarizer.step(waveform[:1_000])
    with pytest.raises(InputError, match="sample 1003 of the recording is nan"):
        diarizer.step(np.array([0.0, 0.0, 0.0, np.nan]))
    with pytest.raises(InputError, match="500 channels; channels is limited to 64"):
        diarizer.step(np.zeros((2, 500)))
    found += diarizer.step(waveform[1_000:])
    assert found + diarizer.finish() == whole  # as if they had not been there
    for samples in (0, 399):
        diarizer.step(np.zeros(samples))
        with pytest.raises(InputError, match="shorter than one frame"):
            diarizer.finish()
    assert diarizer.step(waveform) + diarizer.finish() == whole


def test_an_hour_in_bounded_memory():
    """At a low rate, for the test's sake; its samples would take 14 MB."""
    rate = 1_000
    diarizer = StreamingDiarizer(pipeline_of(rate), window=32.0, context=2.0, decoder=SEMI_MARKOV)
    generator, held, count, end = np.random.default_rng(0), [], 0, 0.0
    tracemalloc.start()
    for second in range(3600):
        level = 0.1 if second < 1800 else 0.0  # noise, then silence
        for segment in diarizer.step(level * generator.standard_normal(rate)):
            assert segment["start"] == end
            count, end = count + 1, segment["end"]
        if second % 60 == 59:
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert diarizer.finish()[-1]["end"] == 3600 and count > 100
    assert max(held[10:]) < max(held[:10]) + 100_000


def test_segments_of_one_label_that_meet_become_one():
    left: Segment = {"start": 0.0, "end": 1.0, "label": "sad", "score": 0.5}
    right: Segment = {"start": 1.0, "end": 4.0, "label": "sad", "score": 0.9}
    other: Segment = {"start": 4.0, "end": 5.0, "label": "happy", "score": 0.7}
    # (1 s of 0.5 + 3 s of 0.9) / 4 s
    assert join([left], [right, other]) == [
        {"start": 0.0, "end": 4.0, "label": "sad", "score": pytest.approx(0.8)},
        other,
    ]
    assert join([right], [other]) == [right, other]
    assert join([], [other]) == join([other], []) == [other]
