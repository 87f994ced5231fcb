"""Every idiom of loading_idioms.py, with this package and without it, against a Hub on this machine."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile

from tests.conftest import save_model, small_model
from tests.idioms import loading_idioms
from tests.idioms.loading_idioms import IDIOMS
from tests.local_hub import LocalHub
from tests.modeling_sed.hub.test_round_trip import Machine


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What came of each idiom, on a machine with this package, then on one without it."""
    root = tmp_path_factory.mktemp("idioms")
    model = save_model(small_model(), root / "model")
    soundfile.write(root / "sound.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    found = {}
    with LocalHub() as hub:
        hub.repositories["datasets/someone/sounds"] = {"call.wav": (root / "sound.wav").read_bytes()}
        for case in ("with", "without"):
            machine = Machine(root / case, hub)
            done = machine.run(loading_idioms.__file__, case, model, root / "sound.wav", root / case)
            assert done.returncode == 0, done.stderr
            found[case] = json.loads((root / case / "outcomes.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", ["with", "without"])
@pytest.mark.parametrize("idiom", IDIOMS, ids=[idiom.name for idiom in IDIOMS])
def test_idiom(idiom: loading_idioms.Idiom, case: str, outcomes: dict[str, dict[str, str]]):
    expected = idiom.without if case == "without" and idiom.without else idiom.expected
    assert re.search(expected, outcomes[case][idiom.name], re.S), outcomes[case][idiom.name]
