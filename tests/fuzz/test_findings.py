"""Good inputs and all that fuzzing has found, tried again."""

from __future__ import annotations

import random
import warnings

import pytest

from tests.fuzz import all_targets
from tests.fuzz.mutations import mutate

TARGETS = all_targets()


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_is_mended(name: str):
    target, inputs = TARGETS[name]
    generator = random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in (*inputs, b"", *(mutate(generator, inputs) for _ in range(50))):
            target(content)
