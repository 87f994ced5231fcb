"""Non-speech is neutral, lasts no longer than it may, and leaves the speech and its labels together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.augmentation import Augmentation
from modeling_sed.training.non_speech import non_speech, with_non_speech

RATE = 16_000
SEGMENTS = [{"start": 0.25, "end": 0.75, "label": "sad"}, {"start": 0.75, "end": 1.0, "label": "happy"}]


def numbered(samples: int = RATE) -> np.ndarray:
    """Every sample has a value of its own, so that it is known again."""
    return np.linspace(0.1, 0.2, samples, dtype=np.float32)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000_000))
def test_speech_keeps_its_label_and_the_rest_is_neutral(seed: int):
    waveform = numbered()
    changed, segments = with_non_speech(waveform, SEGMENTS, RATE, np.random.default_rng(seed))
    assert changed.dtype == np.float32 and np.isfinite(changed).all()
    if not segments:
        assert len(changed) == RATE
        return
    inserted = len(changed) - RATE
    assert 0.5 * RATE <= inserted <= 3 * RATE
    for segment, original in zip(segments, SEGMENTS, strict=True):  # a border is never within a segment
        first, last = (round(segment[edge] * RATE) for edge in ("start", "end"))
        before = waveform[round(original["start"] * RATE) : round(original["end"] * RATE)]
        assert segment["label"] == original["label"] and np.array_equal(changed[first:last], before)


def test_every_place_and_kind_occurs():
    lengths, moved = set(), set()
    for seed in range(80):
        changed, segments = with_non_speech(numbered(), SEGMENTS, RATE, np.random.default_rng(seed))
        lengths.add(len(changed) > RATE)
        if segments:
            moved.add(tuple(new["start"] > old["start"] for new, old in zip(segments, SEGMENTS, strict=True)))
    assert lengths == {False, True} and moved == {(False, False), (False, True), (True, True)}
    kinds = [non_speech(RATE, RATE, np.random.default_rng(seed)) for seed in range(20)]
    assert any(not sound.any() for sound in kinds) and any(sound.any() for sound in kinds)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20_000), st.integers(0, 1_000_000), st.sampled_from([8000, 16_000, 44_100]))
def test_non_speech_of_any_length(samples: int, seed: int, sampling_rate: int):
    sound = non_speech(samples, sampling_rate, np.random.default_rng(seed))
    assert sound.shape == (samples,) and sound.dtype == np.float32 and np.isfinite(sound).all()


@pytest.mark.parametrize("segments", [[], [{"start": 0.9, "end": 1.02, "label": "sad"}]], ids=["none", "past the end"])
def test_segments_end_with_the_utterance_or_a_little_later(segments: list[dict]):
    for seed in range(20):
        changed, moved = with_non_speech(numbered(), segments, RATE, np.random.default_rng(seed))
        assert all(0 <= segment["start"] <= len(changed) / RATE for segment in moved)


def test_utterances_change_as_often_as_asked(options: TrainingOptions):
    augmentation = Augmentation.of_options(replace(options, augment_non_speech=0.25), RATE)
    waveform = numbered()
    changed = [augmentation(waveform, SEGMENTS, str(number))[0] for number in range(200)]
    unchanged = sum(np.array_equal(sound, waveform) for sound in changed)
    assert 130 <= unchanged <= 170
    assert augmentation(waveform, SEGMENTS, "7")[0].tobytes() == changed[7].tobytes()
