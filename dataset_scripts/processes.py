"""Processes that share work, and do not outlive the one that gives it to them, however that ends."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor

LOOKS_EVERY = 1.0  # seconds


def process_pool(count: int) -> ProcessPoolExecutor:
    """A pool whose processes end when this process is killed; those of the standard library would wait forever."""
    return ProcessPoolExecutor(count, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOKS_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
