"""Streaming decoders: in the end the offline labels, exactly; soon where posteriors are clear; in bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed import InputError
from modeling_sed.decoding_sed import decode
from modeling_sed.recordings.streaming_decoders import streaming_decoder

HOP = 0.02
DECODERS = [
    "argmax",
    {"name": "threshold", "threshold": 0.4},
    {"name": "median", "duration": 0.1},
    {"name": "hysteresis", "onset": 0.5, "offset": 0.3},
    {"name": "minimum_duration", "duration": 0.08},
    {"name": "semi_markov", "transition_cost": 0.0, "minimum_duration": 0.0},
    {"name": "semi_markov", "transition_cost": 2.0, "minimum_duration": 0.1},
    {"name": "semi_markov", "transition_cost": 1.0, "minimum_duration": 0.06, "mean_durations": [0.5, 0.2, 0.3]},
]
BUNDLED = {"name": "semi_markov", "transition_cost": 40.0, "minimum_duration": 1.0}


def name(decoder: str | dict) -> str:
    return decoder if isinstance(decoder, str) else "-".join(map(str, decoder.values()))


def random_posteriors(seed: int, frames: int, stretch: int, levels: int) -> np.ndarray:
    """``(frames, 3)``, the same for ``stretch`` frames; of few values that are often equal, if ``levels`` is small."""
    generator = np.random.default_rng(seed)
    weights = generator.integers(1, levels, size=(-(-frames // stretch), 3), endpoint=True)
    return (weights / weights.sum(axis=1, keepdims=True)).repeat(stretch, axis=0)[:frames].astype(np.float32)


@pytest.mark.parametrize("decoder", DECODERS, ids=name)
@given(
    st.integers(0, 10_000),
    st.integers(1, 120),
    st.integers(1, 12),
    st.sampled_from([2, 3, 1000]),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_final_labels_are_those_of_the_whole(decoder, seed: int, frames: int, stretch: int, levels: int, steps: list):
    posteriors = random_posteriors(seed, frames, stretch, levels)
    expected = decode(posteriors, decoder, neutral=0, frame_seconds=HOP)
    streaming = streaming_decoder(decoder, 3, neutral=0, frame_seconds=HOP)
    found, position = np.zeros(0, np.int64), 0
    for step in [*steps, frames]:
        if position < frames:
            found = np.concatenate([found, streaming.step(posteriors[position : position + step])])
            position += step
            np.testing.assert_array_equal(found, expected[: len(found)])  # whatever came later
            if len(found):
                so_far = np.concatenate([found, streaming.rest()])
                ended_here = decode(posteriors[:position], decoder, neutral=0, frame_seconds=HOP)
                np.testing.assert_array_equal(so_far, ended_here)
    assert len(found) + len(streaming.rest()) == frames


def lag(posteriors: np.ndarray, decoder: str | dict) -> list[int]:
    """How many frames have no label yet, after each step of ten."""
    streaming = streaming_decoder(decoder, posteriors.shape[1], neutral=0, frame_seconds=HOP)
    final, lags = 0, []
    for first in range(0, len(posteriors), 10):
        final += len(streaming.step(posteriors[first : first + 10]))
        lags.append(min(first + 10, len(posteriors)) - final)
    return lags


def test_how_long_they_wait():
    """Ten seconds of a label, at a posterior of 0.9, after ten of another."""
    clear = np.repeat(np.eye(4, dtype=np.float32)[[0, 1, 3, 2, 0]], 500, axis=0) * (0.9 - 0.1 / 3) + 0.1 / 3
    assert max(lag(clear, "argmax")) == max(lag(clear, "threshold")) == 0
    assert max(lag(clear, {"name": "median", "duration": 0.5})) == 12  # 25 frames: 12 on either side of the middle
    # events end at 15 s and at 20 s, where neutral comes again: the first three emotions are one event
    assert max(lag(clear, "hysteresis")) == 1500
    # a segment of the minimum duration, and one that could be put between, whose borders are not certain
    assert max(lag(clear, BUNDLED)) <= 2 * 50 + 10
    assert lag(np.full((1000, 4), 0.25, np.float32), BUNDLED)[-1] == 1000  # nothing can be said: nothing is


def test_what_is_held_does_not_grow():
    """Half an hour of noise, with segments, and of silence, which is one segment; its sums alone would take 3 MB."""
    generator = np.random.default_rng(0)
    noise = generator.dirichlet(np.full(4, 0.5), size=15_000).astype(np.float32)
    noise[:, 0] += np.repeat(generator.random(100) > 0.5, 150)
    silence = np.tile(np.float32([0.97, 0.01, 0.01, 0.01]), (15_000, 1))
    for posteriors in (noise / noise.sum(axis=1, keepdims=True), silence):
        streaming = streaming_decoder(BUNDLED, 4, neutral=0, frame_seconds=HOP)
        final, held = 0, []
        tracemalloc.start()
        for first in range(0, 90_000, 300):
            row = first % len(posteriors)
            final += len(streaming.step(posteriors[row : row + 300]))
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert final > 89_000
        assert max(held[60:]) < max(held[:60]) + 50_000  # the first 6 minutes are the measure


def test_others_are_refused():
    for decoder in ("events", {"name": "total_variation", "strength": 0.1}):
        with pytest.raises(InputError, match=r"needs the whole recording.*argmax, threshold, median"):
            streaming_decoder(decoder, 4, neutral=0, frame_seconds=HOP)
    with pytest.raises(InputError, match="There is no decoder 'best'"):
        streaming_decoder("best", 4, neutral=0, frame_seconds=HOP)
    with pytest.raises(InputError, match="must be 4 numbers"):
        streaming_decoder({"name": "semi_markov", "mean_durations": [1.0]}, 4, neutral=0, frame_seconds=HOP)
