"""The cluster bootstrap: beside a slow one, and in cases that can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from modeling_sed.evaluation.clustered_bootstrap import draw_means, draw_totals, interval


def slow_means(values: np.ndarray, clusters: list[str], resamples: int, seed: int) -> np.ndarray:
    """Every draw written out, utterance by utterance."""
    generator = np.random.default_rng(seed)
    names = sorted(set(clusters))
    means = []
    for _ in range(resamples):
        drawn = [
            row
            for number in generator.integers(len(names), size=len(names))
            for row, cluster in zip(values, clusters, strict=True)
            if cluster == names[number]
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


def test_draws_of_one_cluster_have_no_interval_and_unknown_ones_are_left_out():
    assert np.isnan(interval(np.full(10, 0.3), clusters=1)).all()
    assert interval(np.array([0.1, np.nan, 0.1])) == pytest.approx([0.1, 0.1])
    assert np.isnan(interval(np.array([np.nan]))).all()


def test_counts_of_any_shape_are_drawn_together():
    counts = {"one": np.arange(6.0), "two": np.stack([np.arange(6.0), 2 * np.arange(6.0)], axis=1)}
    drawn = draw_totals(counts, None, resamples=20)
    assert drawn["one"].shape == (20,) and drawn["two"].shape == (20, 2)
    assert drawn["two"] == pytest.approx(np.stack([drawn["one"], 2 * drawn["one"]], axis=1))


def covered(clusters: int, by_speaker: bool, test_sets: int) -> float:
    """How often the interval of a mean holds the truth, 0, where speakers differ as much as their utterances do."""
    generator, hits = np.random.default_rng(0), 0
    names = [f"{number // 5:03d}" for number in range(5 * clusters)]
    for seed in range(test_sets):
        values = np.repeat(generator.normal(size=clusters), 5) + generator.normal(size=5 * clusters)
        drawn = draw_totals(
            {"sums": values, "utterances": np.ones(len(values))}, names if by_speaker else None, 500, seed
        )
        low, high = interval(drawn["sums"] / drawn["utterances"], clusters=clusters if by_speaker else len(values))
        hits += low <= 0 <= high
    return hits / test_sets


def test_intervals_by_speaker_hold_the_truth_and_those_by_utterance_do_not():
    assert 0.93 <= covered(40, by_speaker=True, test_sets=1000) <= 0.97
    assert covered(40, by_speaker=False, test_sets=200) < 0.8


def test_of_few_clusters_the_interval_is_that_of_student():
    """Of draws that are normal, as much wider as Student's is than theirs: 2.26 for 1.96 with ten, and 9 for 10."""
    draws = np.random.default_rng(0).normal(size=200_000)
    expected = 2.2622 * (10 / 9) ** 0.5
    assert interval(draws, clusters=10) == pytest.approx([-expected, expected], abs=0.03)
    assert interval(draws, clusters=100_000) == pytest.approx(interval(draws), abs=1e-3)
