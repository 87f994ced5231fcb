"""Decoders: searches equal trying everything, grammars hold, parameters that do nothing give the paper's argmax."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed.decoding_sed import (
    DECODERS,
    check_decoder,
    decode,
    decode_events,
    decode_median,
    decode_semi_markov,
    denoise_total_variation,
    merge_frames,
    temper,
)

HOP = 0.02


def random_posteriors(seed: int, frames: int, labels: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(labels, 0.5), size=frames)


def runs(labels: np.ndarray) -> list[tuple[int, int]]:
    """Label and length of each run."""
    return [(int(label), len(list(group))) for label, group in itertools.groupby(labels)]


def log_posterior(labels: np.ndarray, posteriors: np.ndarray) -> float:
    return float(np.log(np.maximum(posteriors, 1e-8))[np.arange(len(labels)), list(labels)].sum())


def best_of_all(posteriors: np.ndarray, allowed, score) -> float:
    """By trying every labelling."""
    frames, labels = posteriors.shape
    everything = map(np.array, itertools.product(range(labels), repeat=frames))
    return max(score(labelling) for labelling in everything if allowed(labelling))


@given(st.integers(0, 10_000), st.integers(1, 7), st.integers(1, 3), st.integers(0, 1), st.integers(0, 2))
@settings(deadline=None, max_examples=40)
def test_events_are_the_best_of_all(seed: int, frames: int, maximum: int, minimum: int, neutral: int):
    posteriors = random_posteriors(seed, frames, labels=3)

    def allowed(labelling: np.ndarray) -> bool:
        return minimum <= sum(label != neutral for label, _ in runs(labelling)) <= maximum

    found = decode_events(posteriors, neutral, maximum, minimum)
    assert allowed(found)
    best = best_of_all(posteriors, allowed, lambda labelling: log_posterior(labelling, posteriors))
    assert log_posterior(found, posteriors) == pytest.approx(best, abs=1e-9)


@given(
    st.integers(0, 10_000),
    st.integers(1, 7),
    st.floats(0, 3),
    st.integers(1, 4),
    st.one_of(st.none(), st.lists(st.floats(4.5, 20), min_size=3, max_size=3)),
)
@settings(deadline=None, max_examples=60)
def test_semi_markov_is_the_best_of_all(seed: int, frames: int, cost: float, shortest: int, means: list[float] | None):
    posteriors = random_posteriors(seed, frames, labels=3)

    def allowed(labelling: np.ndarray) -> bool:
        return all(length >= min(shortest, frames) for _, length in runs(labelling))

    def score(labelling: np.ndarray) -> float:
        """With the probability of each duration: ending (1 - ending)^(duration - shortest)."""
        parts = runs(labelling)
        total = log_posterior(labelling, posteriors) - cost * (len(parts) - 1)
        if means is not None:
            for label, length in parts:
                ending = 1 / (means[label] - min(shortest, frames) + 1)
                total += np.log(ending) + (length - min(shortest, frames)) * np.log(1 - ending)
        return total

    found = decode_semi_markov(posteriors, 1.0, cost, float(shortest), means)
    assert allowed(found)
    assert score(found) == pytest.approx(best_of_all(posteriors, allowed, score), abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_the_papers_prior_gives_one_of_its_four_sequences(seed: int, frames: int):
    parts = runs(decode_events(random_posteriors(seed, frames), neutral=0, maximum=1, minimum=1))
    sequence = "".join("N" if label == 0 else "E" for label, _ in parts)
    assert sequence in ("E", "NE", "EN", "NEN")


def test_events_by_hand():
    """Labels n, a, b; four frames.

    One event: n a a n has 0.8 * 0.8 * 0.8 * 0.15 = 0.077, n a a a 0.026, and n n n b 0.0064.
    Two events: n a a b.
    """
    posteriors = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.15, 0.05, 0.8]])
    assert decode_events(posteriors, 0, 1).tolist() == [0, 1, 1, 0]
    assert decode_events(posteriors, 0, 2).tolist() == [0, 1, 1, 2]


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_what_all_labels_of_a_frame_have_in_common_changes_nothing(seed: int, frames: int):
    """Adding a constant to the log posteriors of a frame is multiplying them."""
    posteriors = random_posteriors(seed, frames)
    factors = np.random.default_rng(seed).uniform(0.5, 2, size=(frames, 1))
    for decoder in (
        {"name": "argmax"},
        {"name": "events", "maximum": 2},
        {"name": "semi_markov", "transition_cost": 1.5, "minimum_duration": 0.0},
        {"name": "semi_markov", "transition_cost": 0.7, "minimum_duration": 0.06, "mean_durations": [1, 0.5, 0.5, 2]},
    ):
        posteriors = np.maximum(posteriors, 1e-4)
        expected = decode(posteriors, decoder, 0, HOP)
        np.testing.assert_array_equal(decode(posteriors * factors, decoder, 0, HOP), expected)


@pytest.mark.parametrize(
    "decoder",
    [
        {"name": "threshold", "threshold": 0.0},
        {"name": "median", "duration": 0.0},
        {"name": "minimum_duration", "duration": HOP},
        {"name": "total_variation", "strength": 0.0},
        {"name": "events", "maximum": 300},
        {"name": "semi_markov", "transition_cost": 0.0, "minimum_duration": 0.0},
        "argmax",
        None,
    ],
    ids=str,
)
def test_parameters_that_ask_for_nothing_give_argmax(decoder):
    posteriors = random_posteriors(1, 300)
    np.testing.assert_array_equal(decode(posteriors, decoder, 0, HOP), posteriors.argmax(axis=1))


@given(st.integers(0, 10_000), st.integers(1, 80), st.sampled_from(sorted(DECODERS)))
def test_every_decoder_labels_every_frame(seed: int, frames: int, name: str):
    posteriors = random_posteriors(seed, frames)
    posteriors[seed % frames] = [0, 0, 0, 1]  # zeros are possible in what a model says
    found = decode(posteriors, name, 2, HOP)
    assert found.shape == (frames,) and found.min() >= 0 and found.max() < 4
    segments = merge_frames(found, posteriors, np.arange(frames + 1) * HOP, "nhsa")
    assert segments[0]["start"] == 0 and segments[-1]["end"] == frames * HOP
    assert all(0 <= segment["score"] <= 1 for segment in segments)
    assert all(left["end"] == right["start"] for left, right in itertools.pairwise(segments))


@given(st.integers(0, 10_000), st.integers(20, 200), st.integers(1, 15))
def test_no_segment_is_shorter_than_the_minimum(seed: int, frames: int, shortest: int):
    posteriors = random_posteriors(seed, frames)
    found = decode(posteriors, {"name": "minimum_duration", "duration": shortest * HOP}, 0, HOP)
    assert min(length for _, length in runs(found)) >= shortest


def test_hysteresis_by_hand():
    """Emotional probability 0.5 0.5 0.9 0.5 | 0.1 | 0.5 0.5: only the first stretch rises above 0.8."""
    posteriors = np.array(
        [
            [0.5, 0.1, 0.4],
            [0.5, 0.1, 0.4],
            [0.1, 0.6, 0.3],
            [0.5, 0.0, 0.5],
            [0.9, 0.1, 0],
            [0.5, 0.5, 0],
            [0.5, 0.5, 0],
        ]
    )
    decoder = {"name": "hysteresis", "onset": 0.8, "offset": 0.4}
    # sums of the first stretch: 0.1 + 0.1 + 0.6 + 0.0 = 0.8 against 0.4 + 0.4 + 0.3 + 0.5 = 1.6
    assert decode(posteriors, decoder, 0, HOP).tolist() == [2, 2, 2, 2, 0, 0, 0]
    assert decode(posteriors, decoder | {"onset": 0.5}, 0, HOP).tolist() == [2, 2, 2, 2, 0, 1, 1]


def test_median_is_numpys_for_two_labels():
    binary = np.random.default_rng(0).integers(0, 2, 200)
    posteriors = np.stack([1 - binary, binary], axis=1) * 0.8 + 0.1
    windows = np.lib.stride_tricks.sliding_window_view(binary, 9)
    np.testing.assert_array_equal(decode_median(posteriors, 1.0, 9)[4:-4], np.median(windows, axis=1))


@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(0.01, 5))
def test_total_variation_denoising_is_the_minimum(seed: int, frames: int, strength: float):
    """Sums u of signal less result stay within +-strength, end at 0, and touch it wherever the result steps.

    These are the conditions that only the minimum of a convex function fulfils (Condat 2013, Eq. 4).
    """
    signal = np.random.default_rng(seed).standard_normal(frames).cumsum()
    smooth = denoise_total_variation(signal, strength)
    sums = (signal - smooth).cumsum()
    assert np.abs(sums).max() <= strength + 1e-9 and sums[-1] == pytest.approx(0, abs=1e-9)
    steps = np.diff(smooth)
    np.testing.assert_allclose(sums[:-1][steps > 1e-9], -strength, atol=1e-9)
    np.testing.assert_allclose(sums[:-1][steps < -1e-9], strength, atol=1e-9)


def test_tempering_keeps_the_order_and_is_the_softmax_of_divided_logits():
    logits = np.random.default_rng(0).standard_normal((50, 4)) * 3
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(temper(softmax, 2.5), expected, atol=1e-12)
    assert temper(softmax, 1) is softmax


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ("viterbi", "no decoder 'viterbi'; there are argmax, threshold"),
        ({"name": "median", "window": 3}, "'median' has no parameter window; it has duration"),
        ({"name": "argmax", "neutral": 3}, "'argmax' has no parameter neutral; it has none"),
        ({"onset": 1}, "no decoder None"),
        ({"name": "hysteresis", "onset": 0.1}, "offset threshold must not be above"),
        ({"name": "median", "duration": "long"}, r"duration must be a number from 0 to 1e\+06; got 'long'"),
    ],
)
def test_unknown_decoders_are_refused(decoder, message: str):
    with pytest.raises(ValueError, match=message):
        check_decoder(decoder, label_count=4)


def test_impossible_parameters_are_refused():
    posteriors = random_posteriors(0, 10)
    for decoder in (
        {"name": "hysteresis", "onset": 0.2, "offset": 0.3},
        {"name": "events", "maximum": 0},
        {"name": "semi_markov", "transition_cost": -1},
        {"name": "semi_markov", "mean_durations": [1, 1]},
        {"name": "total_variation", "strength": -1},
    ):
        with pytest.raises(ValueError, match=r"must|0 or more"):
            decode(posteriors, decoder, 0, HOP)
