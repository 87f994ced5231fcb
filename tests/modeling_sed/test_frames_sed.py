"""Frame geometry against brute force: real convolutions, and a count sample by sample."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_sed import FrameGeometry

KERNEL, STRIDE = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
GEOMETRY = FrameGeometry(KERNEL, STRIDE)
LENGTHS = [
    *range(1, 2001),
    *(320 * k + d for k in (50, 499, 1500) for d in range(-3, 4)),
    400 + 320 * 99,
    399 + 320 * 99,
]
LABELS = ["neutral", "happy", "sad", "angry"]


@torch.inference_mode()
def convolved_frames(samples: int) -> int:
    """What the encoder's convolutions really give; torch refuses an input shorter than the kernel."""
    hidden = torch.zeros(1, 1, samples)
    for kernel, stride in zip(KERNEL, STRIDE, strict=True):
        if hidden.shape[2] < kernel:
            return 0
        hidden = torch.nn.functional.conv1d(hidden, torch.zeros(1, 1, kernel), stride=stride)
    return hidden.shape[2]


def test_hop_and_receptive_field_are_those_of_the_paper():
    assert (GEOMETRY.hop, GEOMETRY.receptive_field) == (320, 400)  # 20 ms and 25 ms at 16 kHz


def test_frame_count_is_that_of_real_convolutions_for_every_length():
    assert [GEOMETRY.frame_count(n) for n in LENGTHS] == [convolved_frames(n) for n in LENGTHS]


def test_frame_count_of_arrays_and_tensors_is_that_of_integers():
    expected = [GEOMETRY.frame_count(n) for n in LENGTHS]
    assert GEOMETRY.frame_count(np.array(LENGTHS)).tolist() == expected
    assert GEOMETRY.frame_count(torch.tensor(LENGTHS)).tolist() == expected


def test_boundaries_tile_every_recording():
    for samples in LENGTHS:
        if samples < 400:
            with pytest.raises(ValueError, match=f"{samples} samples is shorter than one frame"):
                GEOMETRY.boundaries(samples)
            continue
        borders = GEOMETRY.boundaries(samples)
        assert borders[0] == 0 and borders[-1] == samples
        assert len(borders) == GEOMETRY.frame_count(samples) + 1
        assert (np.diff(borders) > 0).all()
        assert (np.diff(borders)[:-1] == GEOMETRY.hop).all()


def test_frame_times_are_in_seconds():
    # 1000 samples = 62.5 ms: frames at 0 and 20 ms, the second up to the end (a third would need 1040 samples)
    assert GEOMETRY.frame_times(1000).tolist() == [0.0, 0.02, 0.0625]


def slowly_rasterized(segments: list[dict], samples: int) -> list[int]:
    """The rule of `rasterize`, sample by sample."""
    borders, result = GEOMETRY.boundaries(samples), []
    for first, last in pairwise(borders):
        lasting = Counter()
        for sample in range(first, last):
            here = {
                segment["label"]
                for segment in segments
                if round(segment["start"] * 16_000) <= sample < round(segment["end"] * 16_000)
            } - {"neutral"}
            lasting.update(here or {"neutral"})
        preference = ["happy", "sad", "angry", "neutral"]
        longest = max(preference, key=lambda label: (lasting[label], -preference.index(label)))
        result.append(LABELS.index(longest))
    return result


@st.composite
def annotated_recordings(draw: st.DrawFn) -> tuple[list[dict], int]:
    samples = draw(st.integers(400, 4000))
    half_frames = st.integers(0, samples).map(lambda n: n // 160 * 160)  # ties happen at halves of a frame
    sample = st.one_of(st.integers(0, samples), half_frames)
    segments = []
    for _ in range(draw(st.integers(0, 5))):
        start, end = sorted([draw(sample), draw(sample)])
        segments.append({"start": start / 16_000, "end": end / 16_000, "label": draw(st.sampled_from(LABELS))})
    return segments, samples


@settings(max_examples=150, deadline=None)
@given(annotated_recordings())
def test_rasterize_is_the_count_sample_by_sample(recording: tuple[list[dict], int]):
    segments, samples = recording
    assert GEOMETRY.rasterize(segments, samples, LABELS).tolist() == slowly_rasterized(segments, samples)


def test_rasterize_literal_cases():
    happy = {"start": 0.03, "end": 0.05, "label": "happy"}
    # 1360 samples: 4 frames, borders at 0, 20, 40, 60, 85 ms. Frame 1 (20-40 ms) is half happy, a tie that the emotion
    # wins; frame 2 (40-60 ms) likewise.
    assert GEOMETRY.rasterize([happy], 1360, LABELS).tolist() == [0, 1, 1, 0]
    # one sample less in frame 1, and neutral lasts longer there
    assert GEOMETRY.rasterize([{**happy, "start": 0.03 + 1 / 16_000}], 1360, LABELS).tolist() == [0, 0, 1, 0]
    # sad for 12 of 20 ms against angry for 8
    split = [{"start": 0.0, "end": 0.008, "label": "angry"}, {"start": 0.008, "end": 0.02, "label": "sad"}]
    assert GEOMETRY.rasterize(split, 1360, LABELS).tolist() == [2, 0, 0, 0]
    # two happy stretches of 6 ms, apart, last longer than one of 8 ms that is sad and as long as neutral's 8 - 8 = 0
    parts = [
        {"start": 0.0, "end": 0.006, "label": "happy"},
        {"start": 0.006, "end": 0.014, "label": "sad"},
        {"start": 0.014, "end": 0.02, "label": "happy"},
    ]
    assert GEOMETRY.rasterize(parts, 1360, LABELS).tolist() == [1, 0, 0, 0]


def test_rasterize_writes_neutral_or_leaves_it_out_alike():
    event = {"start": 0.03, "end": 0.055, "label": "sad"}
    explicit = [
        {"start": 0, "end": 0.03, "label": "neutral"},
        event,
        {"start": 0.055, "end": 0.1, "label": "neutral"},
    ]
    assert (GEOMETRY.rasterize([event], 1600, LABELS) == GEOMETRY.rasterize(explicit, 1600, LABELS)).all()


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ({"start": 0, "end": 0.1, "label": "bored"}, "Unknown label 'bored'"),
        ({"start": -0.1, "end": 0.1, "label": "sad"}, "0 <= start <= end"),
        ({"start": 0.1, "end": 0.05, "label": "sad"}, "0 <= start <= end"),
        ({"start": float("nan"), "end": 0.1, "label": "sad"}, "0 <= start <= end"),
        ({"start": 0, "end": float("inf"), "label": "sad"}, "0 <= start <= end"),
        ({"start": 0.2, "end": 0.3, "label": "sad"}, "after the end of its recording"),
    ],
)
def test_rasterize_refuses_bad_segments(segment: dict, message: str):
    with pytest.raises(ValueError, match=message):
        GEOMETRY.rasterize([segment], 1600, LABELS)
