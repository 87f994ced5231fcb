"""Freed memory stays with the process, for the next layer to use."""

from __future__ import annotations

import ctypes
import sys

KEPT = 2**30  # bytes
LARGEST = 2**25  # of a block that older versions keep
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of glibc's malloc.h


def keep_freed_memory() -> None:
    """Lets glibc keep up to 1 GiB of freed memory, instead of returning large blocks to the system at once.

    A model on a CPU asks for blocks of the same sizes in every layer. Each that was returned costs a page fault for
    every 4 KiB when it comes back: some 100,000 for 20 s of audio in WavLM-large, a few per cent of the time. Holds
    for the whole process; does nothing where the C library is another.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None and (mallopt(MMAP_THRESHOLD, KEPT) or mallopt(MMAP_THRESHOLD, LARGEST)):
        mallopt(TRIM_THRESHOLD, KEPT)
