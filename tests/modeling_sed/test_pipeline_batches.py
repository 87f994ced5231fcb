"""Batches: results in order whatever goes together, little padding, sizes found out, items prepared ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.pipeline_sed import PADDING, batches_by_length, map_batches, read_ahead

LENGTHS = st.lists(st.integers(0, 500), max_size=60)


@given(LENGTHS, st.integers(1, 9))
def test_every_item_is_in_one_batch_with_little_padding(lengths: list[int], batch_size: int):
    batches = batches_by_length(lengths, batch_size)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        members = [lengths[position] for position in batch]
        assert len(batch) <= batch_size and members[0] == max(members)
        assert sum(members) >= (1 - PADDING) * len(members) * max(members)
        assert 0 not in members or len(members) == 1


def test_equal_lengths_fill_batches():
    assert [len(batch) for batch in batches_by_length([320] * 7, 3)] == [3, 3, 1]
    assert [len(batch) for batch in batches_by_length([0, 0, *[320] * 20], 20)] == [20, 1, 1]


@given(LENGTHS, st.sampled_from([1, 2, 5, "auto"]))
def test_results_come_in_order(lengths: list[int], batch_size):
    assert list(map_batches(lambda batch: [-item for item in batch], lengths, int, batch_size)) == [-n for n in lengths]


@pytest.mark.parametrize("fits", [1, 3, 20, 40])
def test_the_batch_size_is_found_out(fits: int):
    tried = []

    def run(batch: list[int]) -> list[int]:
        tried.append(len(batch))
        if len(batch) > fits:
            raise torch.OutOfMemoryError
        return batch

    items = list(range(300))
    assert list(map_batches(run, items, lambda item: 100, "auto")) == items
    found = max(size for size in tried if size <= fits)
    assert found > fits // 2 or fits >= 32
    assert sum(size > fits for size in tried) <= 5  # 32, 16, 8, 4, 2: it is not tried again
    with pytest.raises(torch.OutOfMemoryError):
        list(map_batches(run, items, lambda item: 100, fits + 1))


def test_one_item_beyond_memory_is_an_error():
    def run(batch: list[int]) -> list[int]:
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        list(map_batches(run, [1, 2], int, "auto"))


def test_items_are_prepared_while_one_is_worked_on():
    prepared = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(prepared):
            event.set()
            yield number

    ahead = read_ahead(items(), depth=2)
    assert next(ahead) == 0
    assert prepared[1].wait(10) and prepared[2].wait(10)  # nobody has asked for them yet
    assert not prepared[3].is_set()
    assert list(ahead) == [1, 2, 3]


def test_an_error_comes_where_its_item_would():
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    results = map_batches(lambda batch: batch, items(), int, 1)
    assert next(results) == 1
    with pytest.raises(OSError, match="gone"):
        next(results)
