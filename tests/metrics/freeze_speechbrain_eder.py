"""Writes speechbrain_eder.json: what SpeechBrain's EDER says of 1,000 random cases of its domain.

    pip install --no-deps speechbrain==1.1.0
    python -m tests.metrics.freeze_speechbrain_eder

Its domain: one emotion an utterance, frames that cover the utterance, emotions with different first letters.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FROZEN = Path(__file__).with_name("speechbrain_eder.json")
CASES = 1000
LABELS = ("neutral", "happy", "sad", "angry")


@dataclass(frozen=True)
class Case:
    """An utterance with frame-wise predictions and one reference event; times in seconds."""

    frames: list[str]
    stride: float
    window: float
    duration: float
    event: dict


def random_case(number: int) -> Case:
    """The same case for the same number, everywhere."""
    generator = random.Random(number)
    stride = generator.choice([0.02, 0.05, 0.2])
    window = stride * generator.choice([1.0, 1.25, 2.0])
    frames: list[str] = []
    for _ in range(generator.randint(1, 12)):
        frames += [generator.choice(LABELS)] * generator.randint(1, 60)
    duration = (len(frames) - 1) * stride + window
    start, end = sorted(generator.choice([0.0, duration, generator.uniform(0, duration)]) for _ in range(2))
    if start == end:
        start, end = 0.0, duration
    return Case(frames, stride, window, duration, {"emo": generator.choice(LABELS[1:]), "start": start, "end": end})


def load_speechbrain_eder() -> Callable[..., float]:
    """The function of an installed SpeechBrain, without importing the rest of it (and what that needs)."""
    root = Path(importlib.util.find_spec("speechbrain").submodule_search_locations[0])
    specification = importlib.util.spec_from_file_location("speechbrain_eder", root / "utils" / "EDER.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.EDER


def main() -> None:
    """Computes and writes."""
    eder = load_speechbrain_eder()
    values = []
    for case in map(random_case, range(CASES)):
        letters = [label[0] for label in case.frames]
        values.append(eder(letters, "id", case.duration, [case.event], case.window, case.stride))
    content = {"speechbrain": importlib.metadata.version("speechbrain"), "eder": values}
    FROZEN.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
