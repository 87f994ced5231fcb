"""The cluster bootstrap: beside a slow one, and in cases that can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.clustered_bootstrap import draw_means, interval


def slow_means(values: np.ndarray, clusters: list[str], resamples: int, seed: int) -> np.ndarray:
    """Every draw written out, utterance by utterance."""
    generator = np.random.default_rng(seed)
    names = sorted(set(clusters))
    means = []
    for _ in range(resamples):
        times = generator.multinomial(len(names), [1 / len(names)] * len(names))
        drawn = [
            row
            for name, count in zip(names, times, strict=True)
            for _ in range(count)
            for row, cluster in zip(values, clusters, strict=True)
            if cluster == name
        ]
        means.append(np.mean(drawn, axis=0))
    return np.array(means)


def test_is_the_slow_bootstrap():
    generator = np.random.default_rng(0)
    values = generator.random((40, 2))
    clusters = [f"speaker {number}" for number in generator.integers(7, size=40)]
    assert draw_means(values, clusters, 50, seed=3) == pytest.approx(slow_means(values, clusters, 50, seed=3))


def test_two_speakers_have_three_draws():
    """One utterance of 0.9 and three of 0.1: 0.9 or 0.1 in a quarter of the draws each, 0.3 in half of them."""
    draws = draw_means(np.array([[0.9], [0.1], [0.1], [0.1]]), ["a", "b", "b", "b"])[:, 0]
    values, counts = np.unique(draws.round(6), return_counts=True)
    assert values.tolist() == [0.1, 0.3, 0.9]
    assert counts / len(draws) == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    assert interval(draws) == pytest.approx((0.1, 0.9))


def test_one_speaker_says_nothing_of_others():
    draws = draw_means(np.array([[0.2], [0.4]]), ["a", "a"])[:, 0]
    assert interval(draws) == pytest.approx((0.3, 0.3))


def test_columns_are_drawn_together():
    first = np.random.default_rng(1).random(30)
    clusters = [f"{number % 5}" for number in range(30)]
    draws = draw_means(np.stack([first, first * 0.9], axis=1), clusters)
    assert interval(draws[:, 1] / draws[:, 0]) == pytest.approx((0.9, 0.9))
    low, high = interval(draws[:, 0])
    assert low < first.mean() < high


def test_equal_values_within_speakers_widen_the_interval():
    """Ten utterances that say the same as one do not make a mean more certain."""
    values = np.repeat(np.random.default_rng(2).random(8), 10)[:, None]
    by_speaker = interval(draw_means(values, [f"{number // 10}" for number in range(80)])[:, 0])
    by_utterance = interval(draw_means(values, [f"{number:02d}" for number in range(80)])[:, 0])
    assert by_speaker[1] - by_speaker[0] > 2 * (by_utterance[1] - by_utterance[0])
