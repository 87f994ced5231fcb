"""Many windows through the model: prepared ahead by a thread, in batches of similar length, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Literal, TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

POOL = 4  # batches that are sorted by length together
PADDING = 0.1  # of a batch, at most
FIRST_TRY = 32  # windows of 32 s at once, where the size is found out


def read_ahead(items: Iterable[Item], depth: int) -> Iterator[Item]:
    """The same items, of which a thread prepares the next ``depth`` while the caller works on one."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, iterator, end))
            yield item


def batches_by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Which of ``lengths`` go together: batches of positions, the longest first, with little padding.

    Args:
        lengths: of the items, in samples; an item of length 0 goes alone.
        batch_size: items of a batch, at most.
    """
    batches: list[list[int]] = []
    room = 0  # of the last batch when it is padded, less what is in it
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        longest = lengths[batches[-1][0]] if batches else 0
        room += longest - lengths[position]
        is_full = bool(batches) and len(batches[-1]) == batch_size
        if not batches or is_full or lengths[position] == 0 or room > PADDING * longest * (len(batches[-1]) + 1):
            batches.append([])
            room = 0
        batches[-1].append(position)
    return batches


def map_batches(
    run: Callable[[list[Item]], Sequence[Result]],
    items: Iterable[Item],
    length: Callable[[Item], int],
    batch_size: int | Literal["auto"],
) -> Iterator[Result]:
    """What ``run`` makes of each item, in the order of the items.

    Args:
        run: takes a batch of items, gives a result for each.
        items: any iterable; no more than `POOL` batches of them are held, and as many read ahead.
        length: of an item, in samples.
        batch_size: items of a batch, at most. "auto" begins with `FIRST_TRY`, and halves when the device's memory is
            exhausted.

    Raises:
        torch.OutOfMemoryError: if the memory does not suffice for a batch; with "auto", for one item.
    """
    limit = FIRST_TRY if batch_size == "auto" else batch_size
    pool_size = 1 if limit == 1 else POOL * limit
    items = read_ahead(items, pool_size)
    while pool := list(islice(items, pool_size)):
        results: dict[int, Result] = {}
        waiting = batches_by_length([length(item) for item in pool], limit)
        while waiting:
            batch = waiting.pop(0)
            found = _attempt(run, [pool[position] for position in batch], batch_size == "auto")
            if found is None:
                limit = len(batch) // 2
                cut = [batch, *waiting]
                waiting = [batch[first : first + limit] for batch in cut for first in range(0, len(batch), limit)]
            else:
                results.update(zip(batch, found, strict=True))
        yield from (results[position] for position in range(len(pool)))


def _attempt(
    run: Callable[[list[Item]], Sequence[Result]], batch: list[Item], may_fail: bool
) -> Sequence[Result] | None:
    """The results of a batch, or None where memory does not suffice; what it held is free again on return."""
    try:
        return run(batch)
    except torch.OutOfMemoryError:
        if not may_fail or len(batch) == 1:
            raise
    return None
