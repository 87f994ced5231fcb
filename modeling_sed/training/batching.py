"""Which utterances form a batch, and the order of the batches: both depend on the seed and the epoch alone.

One list of batches is made for all processes, which take batches in turn. An optimiser step takes a *group* of
consecutive batches, one for each process and accumulation step; so which utterances it sees depends on the product of
both numbers only.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

POOL = 16  # batches; utterances are sorted by duration within as many as fill them, so that batches still differ


def make_batches(
    items: Iterable[Item],
    seconds: Callable[[Item], float],
    batch_size: int,
    max_batch_seconds: float | None,
    generator: random.Random,
) -> Iterator[list[Item]]:
    """Batches of a fixed number of items as they come; or, with a budget, of similar duration in random order.

    Args:
        items: in random order. Any iterable: only one pool of them is in memory at a time.
        seconds: duration of an item.
        batch_size: items of a batch; the last one may be shorter. Not used with a budget.
        max_batch_seconds: the longest item's duration times the number of items stays below it. An item that is
            longer is a batch of its own.
        generator: shuffles batches of similar duration.
    """
    if max_batch_seconds is None:
        yield from grouped(items, batch_size)
        return
    for pool in _pools(items, seconds, POOL * max_batch_seconds):
        batches: list[list[Item]] = []
        for item in sorted(pool, key=seconds):
            if not batches or (len(batches[-1]) + 1) * seconds(item) > max_batch_seconds:
                batches.append([])
            batches[-1].append(item)
        generator.shuffle(batches)
        yield from batches


def _pools(items: Iterable[Item], seconds: Callable[[Item], float], enough: float) -> Iterator[list[Item]]:
    pool, total = [], 0.0
    for item in items:
        pool.append(item)
        total += seconds(item)
        if total >= enough:
            yield pool
            pool, total = [], 0.0
    if pool:
        yield pool


def share_of_process(
    batches: Iterable[list[Item]], process_index: int, num_processes: int
) -> Iterator[tuple[list[Item], bool]]:
    """The batches of one process, and whether each counts.

    Every process gets the same number of batches, since distributed training waits for every process: where the last
    group has fewer batches than there are processes, the other processes get a copy that does not count.
    """
    for group in grouped(batches, num_processes):
        if process_index < len(group):
            yield group[process_index], True
        else:
            yield group[0], False


def shuffled(count: int, seed: int, epoch: int) -> tuple[Sequence[int], random.Random]:
    """The numbers below ``count`` in the order of an epoch, and the generator for other random choices in it."""
    generator = random.Random(f"{seed}/{epoch}")
    order = list(range(count))
    generator.shuffle(order)
    return order, generator


def balanced(groups: Sequence[str], seed: int, epoch: int) -> tuple[Sequence[int], random.Random]:
    """As `shuffled`, but every group occurs equally often: of a large group a part, a small one several times.

    A group's members come in turn, also from epoch to epoch: none is ever ahead of another by more than one.

    Args:
        groups: for each number the group that it belongs to.
        seed: of the run.
        epoch: from 0.
    """
    members: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    share = max(round(len(groups) / len(members)), 1)
    order: list[int] = []
    for group, numbers in members.items():
        turns, skipped = divmod(epoch * share, len(numbers))
        endless = (
            number
            for turn in itertools.count(turns)
            for number in random.Random(f"{seed}/{group}/{turn}").sample(numbers, len(numbers))
        )
        order += islice(endless, skipped, skipped + share)
    generator = random.Random(f"{seed}/{epoch}")
    generator.shuffle(order)
    return order, generator


def grouped(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` consecutive items; the last may be shorter."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
