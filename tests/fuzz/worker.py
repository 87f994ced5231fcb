"""A process that gives one target changed inputs until the time is over; its parent keeps what ends it."""

from __future__ import annotations

import hashlib
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from . import FINDINGS, FOLDER, MEBIBYTES, SECONDS, all_targets
from .mutations import LONGEST, mutate


def main(name: str, seconds: float, seed: int, current: Path) -> None:
    """Tries inputs; ``current`` is the file where the one that is tried lies."""
    warnings.simplefilter("ignore")
    if "atheris" in sys.modules:
        _instrumented(name, seconds, seed, current)
        return
    target, seeds = all_targets()[name]
    attempt = _Attempt(name, target, current)
    generator, deadline = random.Random(seed), time.monotonic() + seconds
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, in libraries of C, too
    _limit_memory()
    while time.monotonic() < deadline:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        attempt(mutate(generator, seeds))
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(f"Done {attempt.count} runs", file=sys.stderr)


def _instrumented(name: str, seconds: float, seed: int, current: Path) -> None:
    """The same by atheris, which sees which lines an input reaches."""
    import atheris

    with atheris.instrument_imports(include=["modeling_sed", "dataset_scripts", "metrics"]):
        target, seeds = all_targets()[name]
    attempt = _Attempt(name, target, current)
    corpus = current.parent / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(content)
    _limit_memory()
    options = (f"-max_total_time={seconds:.0f}", f"-seed={seed}", f"-max_len={LONGEST}", f"-timeout={SECONDS}")
    own = ("-rss_limit_mb=0", f"-artifact_prefix={current.parent}/")  # the limit of memory is ours
    atheris.Setup([sys.argv[0], *options, *own, str(corpus)], attempt)
    atheris.Fuzz()


class _Attempt:
    """Tries an input, and keeps it if what comes of it is not allowed and new."""

    def __init__(self, name: str, target: Callable[[bytes], None], current: Path):
        self.name, self.count, self.seen = name, 0, set[str]()
        self._target, self._current = target, current

    def __call__(self, content: bytes) -> None:
        self._current.write_bytes(content)
        self.count += 1
        try:
            self._target(content)
        except Exception as error:
            place = "/".join(
                f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[1:]
            )
            if (found := f"{type(error).__name__} {place}") not in self.seen:
                self.seen.add(found)
                path = keep(self.name, content)
                print(f"{self.name}: {path.relative_to(FOLDER)}: {found}: {error!s:.200}", flush=True)


def keep(name: str, content: bytes) -> Path:
    """Keeps an input among the findings of a target; gives its path."""
    path = FINDINGS / name / hashlib.sha256(content).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + MEBIBYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
