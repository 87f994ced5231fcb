"""A test split of a small corpus, with all its recordings."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.data import recordings_of_test
from modeling_sed.dataset_scripts.builder import SEDBuilderConfig
from modeling_sed.dataset_scripts.simulation import Source
from tests.dataset_scripts.conftest import _own_cache, benchmark, ravdess  # noqa: F401 - fixtures of these tests, too


@pytest.fixture(scope="session")
def test_sources(ravdess) -> list[Source]:  # noqa: F811
    """The recordings of the test split of ``benchmark``."""
    options = {"corpora": {"ravdess": str(ravdess)}, "split_by": "speaker", "seed": 1}
    return recordings_of_test(SEDBuilderConfig.checked("benchmark", options))
