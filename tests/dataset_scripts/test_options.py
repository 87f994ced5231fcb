"""Options from Python and YAML, which may be anything: of their type, or refused by name and value."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.options import options_of
from modeling_sed.dataset_scripts.sed import SEDBuilderConfig

CORPORA = {"ravdess": "RAVDESS"}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("corpora", "RAVDESS", "Mapping[str, str]"),
        ("corpora", {"ravdess": ["RAVDESS"]}, "Mapping[str, str]"),
        ("labels", "neutral", "Sequence[str]"),
        ("labels", ["neutral", 7], "Sequence[str]"),
        ("events", "3", "int"),
        ("events", True, "int"),
        ("seed", 1.5, "int"),
        ("hours", math.nan, "float | None"),
        ("crossfade", 10**400, "float"),
        ("noise_ratio", [5], "tuple[float, float]"),
        ("noise_ratio", [5, "20"], "tuple[float, float]"),
        ("zed", 7, "str | None"),
    ],
)
def test_values_of_other_types_are_refused(name: str, value: Any, kind: str):
    options = {"corpora": CORPORA, name: value}
    with pytest.raises(InputError) as caught:
        SEDBuilderConfig.checked("benchmark", options)
    assert f"{name} must be of the type {kind}; got " in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("name", [None, 7, ["zed"], "zed/../x", ""])
def test_a_configuration_has_one_of_three_names(name: Any):
    with pytest.raises(InputError, match="The configurations are simulated, zed, benchmark; got "):
        SEDBuilderConfig.checked(name, {"corpora": CORPORA})


def test_whole_numbers_are_numbers_and_paths_are_text():
    options = {
        "corpora": {"ravdess": Path("RAVDESS")},
        "noise_ratio": [5, 20],
        "hours": 1,
        "labels": ("neutral", "sad"),
    }
    config = SEDBuilderConfig.checked("simulated", options)
    assert config.hours == 1 and config.noise_ratio == [5, 20]


@pytest.mark.parametrize(("name", "value"), [("pause_mean", 1e300), ("crossfade", -1.0), ("pause_deviation", 3_601)])
def test_silences_of_hours_are_refused(name: str, value: float):
    with pytest.raises(InputError, match=f"{name} must be 0 to 3600 seconds"):
        SEDBuilderConfig.checked("benchmark", {"corpora": CORPORA, name: value})


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(scalars, scalars, max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([one.name for one in options_of(SEDBuilderConfig)]), values, max_size=3))
def test_any_values_are_options_or_an_error(options: dict[str, Any]):
    try:
        SEDBuilderConfig.checked("benchmark", {"corpora": CORPORA, **options})
    except InputError as error:
        assert len(str(error)) < 1_000
