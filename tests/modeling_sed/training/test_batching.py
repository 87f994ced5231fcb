"""Batches: every utterance once, within the budget, the same for a seed, the same for any division over processes."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.training.batching import POOL, balanced, grouped, make_batches, share_of_process, shuffled

durations = st.lists(st.floats(0.1, 30), min_size=1, max_size=300)


@given(durations, st.one_of(st.none(), st.floats(1, 60)), st.integers(1, 9))
def test_every_utterance_is_in_one_batch(seconds: list[float], budget: float | None, size: int):
    order, generator = shuffled(len(seconds), seed=1, epoch=2)
    batches = list(make_batches(order, seconds.__getitem__, size, budget, generator))
    assert sorted(chain.from_iterable(batches)) == list(range(len(seconds)))
    if budget is None:
        assert list(chain.from_iterable(batches)) == list(order)
        assert {len(batch) for batch in batches[:-1]} <= {size} and len(batches[-1]) <= size
    else:
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(seconds[i] for i in batch) <= budget


def test_the_order_depends_on_seed_and_epoch():
    orders = {tuple(shuffled(50, seed, epoch)[0]) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9
    assert shuffled(50, 1, 2)[0] == shuffled(50, 1, 2)[0]


def test_a_budget_leaves_little_padding_and_batches_of_all_kinds_in_a_row():
    generator = random.Random(0)
    seconds = [generator.lognormvariate(1.5, 0.5) for _ in range(2000)]
    order, generator = shuffled(len(seconds), 0, 0)

    def padding(batches: list[list[int]]) -> float:
        padded = sum(len(batch) * max(seconds[i] for i in batch) for batch in batches)
        return 1 - sum(seconds) / padded

    fixed = list(make_batches(order, seconds.__getitem__, 6, None, generator))
    packed = list(make_batches(order, seconds.__getitem__, 6, 40.0, generator))
    assert padding(packed) < 0.1 < 0.3 < padding(fixed)
    lengths = [max(seconds[i] for i in batch) for batch in packed[:POOL]]
    assert lengths != sorted(lengths)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 3))
def test_groups_hold_the_same_batches_for_any_number_of_processes(count: int, processes: int, accumulation: int):
    batches = [[number] for number in range(count)]
    shares = [list(share_of_process(batches, index, processes)) for index in range(processes)]
    assert len({len(share) for share in shares}) == 1  # nobody waits for anybody
    assert Counter(batch[0] for share in shares for batch, counts in share if counts) == Counter(range(count))
    together = [
        sorted(batch[0] for share in step for batch, counts in share if counts)
        for step in zip(*(list(grouped(share, accumulation)) for share in shares), strict=True)
    ]
    assert together == [sorted(chain.from_iterable(group)) for group in grouped(batches, processes * accumulation)]


def test_left_over_processes_get_a_copy_that_does_not_count():
    batches = [[0], [1], [2]]
    assert list(share_of_process(batches, 1, 2)) == [([1], True), ([2], False)]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_grouped(size: int):
    assert [len(group) for group in grouped(range(10), size)] == [size] * (10 // size)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(0, 9), st.integers(1, 12))
def test_groups_are_drawn_equally_often_and_so_are_their_members(groups: list[str], seed: int, epochs: int):
    drawn = [balanced(groups, seed, epoch)[0] for epoch in range(epochs)]
    share = max(round(len(groups) / len(set(groups))), 1)
    for order in drawn:
        assert Counter(groups[number] for number in order) == dict.fromkeys(groups, share)
    heard = Counter(range(len(groups)))  # once each
    heard.update(chain.from_iterable(drawn))
    for group in set(groups):
        times = [heard[number] for number in range(len(groups)) if groups[number] == group]
        assert max(times) - min(times) <= 1
    assert balanced(groups, seed, epochs - 1)[0] == drawn[-1]  # whatever was drawn before
