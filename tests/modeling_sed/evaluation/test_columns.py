"""What columns of pixels show: exactly the time of each label, and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.evaluation.columns import (
    THIN,
    envelope,
    label_shares,
    mean_posteriors,
    thin_waveform,
    whole_pixels,
    with_crisp_borders,
)

LABELS = ["neutral", "sad", "angry"]


@st.composite
def drawn_segments(draw: st.DrawFn) -> list[dict]:
    """Overlapping or not, with borders at whole numbers from 0 to 40."""
    numbers = st.integers(0, 40)
    times = draw(st.lists(st.tuples(numbers, numbers, st.sampled_from(LABELS)), max_size=12))
    return [{"start": min(a, b), "end": max(a, b), "label": label} for a, b, label in times]


@given(drawn_segments(), st.integers(1, 9))
def test_shares_are_those_of_each_moment(segments: list[dict], columns: int):
    edges = np.linspace(0, 40, columns + 1)
    slow = np.zeros((columns, len(LABELS)))
    moments = np.linspace(0, 40, 40 * columns + 1)[:-1] + 0.5 / columns  # the middles of pieces without a border
    present = np.array(
        [[any(s["start"] <= m < s["end"] for s in segments if s["label"] == k) for k in LABELS] for m in moments]
    )
    covered = present.any(axis=1)
    for column in range(columns):
        inside = slice(40 * column, 40 * (column + 1))
        of_labels = present[inside].mean(axis=0)
        slow[column] = of_labels * covered[inside].mean() / max(of_labels.sum(), 1e-9)
    np.testing.assert_allclose(label_shares(segments, LABELS, edges), slow, atol=1e-9)


def test_overlapping_emotions_share_their_columns():
    segments = [{"start": 0, "end": 4, "label": "sad"}, {"start": 2, "end": 4, "label": "angry"}]
    assert label_shares(segments, LABELS, np.array([0.0, 2, 4, 6])).tolist() == [[0, 1, 0], [0, 0.5, 0.5], [0, 0, 0]]


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=20), st.integers(4, 40))
def test_what_is_there_has_a_pixel_and_columns_are_as_high_as_they_should(weights: list[list[float]], height: int):
    shares = np.array(weights)
    shares = np.where(shares < 1e-5, 0, shares)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    pixels = whole_pixels(shares, height)
    assert ((pixels > 0) == (shares > 0)).all()
    assert (pixels.sum(axis=1) <= height).all()
    full = np.isclose(shares.sum(axis=1), 1)
    assert (pixels[full].sum(axis=1) == height).all()
    # never further off than rounding two borders, and what the others were given
    assert (np.abs(pixels - shares * height) <= 1 + shares.shape[1]).all()


def test_a_tiny_share_takes_its_pixel_from_the_largest():
    assert whole_pixels(np.array([[0.999, 0.001], [0.6, 0.4], [0.0, 0.0]]), 10).tolist() == [[9, 1], [6, 4], [0, 0]]


def test_borders_are_crisp_where_nothing_gets_lost():
    # neutral, a border that neutral has more of, sad; a short angry between two sads; sad, its end, nothing
    shares = [[1, 0, 0], [0.7, 0.3, 0], [0, 1, 0], [0, 0.8, 0.2], [0, 1, 0], [0, 0.4, 0], [0, 0, 0]]
    crisp = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0.8, 0.2], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(with_crisp_borders(np.array(shares, float)), crisp)


def test_posteriors_are_averaged_over_time():
    posteriors = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    means = mean_posteriors(posteriors, np.array([0.0, 1, 2, 4]), np.array([0.0, 2, 3, 6]))
    np.testing.assert_allclose(means, [[0.75, 0.25], [0, 1], [0, 1 / 3]])  # the last second of 3 has no frames


@pytest.mark.parametrize("samples", [1, 7, 400, 16_001])
def test_the_envelope_holds_every_sample(samples: int):
    waveform = np.random.default_rng(samples).standard_normal(samples)
    low, high = envelope(waveform, 2.0, np.linspace(0, 2, 101))
    assert low.min() == waveform.min() and high.max() == waveform.max() and (low <= high).all()
    low, high = envelope(waveform, 2.0, np.linspace(2, 4, 101))
    assert not low.any() and not high.any()


@given(st.lists(st.integers(1, 100), max_size=8))
def test_a_thin_waveform_is_the_same_for_all_blocks(lengths: list[int]):
    waveform = np.random.default_rng(0).standard_normal(sum(lengths)).astype(np.float32)
    expected = [
        extreme(waveform[first : first + THIN])
        for first in range(0, len(waveform), THIN)
        for extreme in (np.min, np.max)
    ]
    thin = thin_waveform(np.split(waveform, np.cumsum(lengths)[:-1])) if lengths else thin_waveform([])
    assert thin.tolist() == expected
