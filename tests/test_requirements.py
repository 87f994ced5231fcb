"""What setup.cfg requires, what is tested, and what is written about it are the same."""

from __future__ import annotations

import configparser
import re
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import REPOSITORY

NAME = "speech-emotion-diarization"  # an extra may name others of the package
SETUP = configparser.ConfigParser()
SETUP.read(REPOSITORY / "setup.cfg", encoding="utf-8")
EXTRAS = SETUP["options.extras_require"].values()
WORKFLOW = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))


def requirements() -> list[Requirement]:
    lines = [line for part in (SETUP["options"]["install_requires"], *EXTRAS) for line in part.splitlines() if line]
    return [one for one in map(Requirement, lines) if one.name != NAME]


def constraints(name: str) -> dict[str, Version]:
    lines = (REPOSITORY / "constraints" / name).read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"==[^,*]+", str(one.specifier)) for one in pinned)
    return {canonicalize_name(one.name): Version(str(one.specifier)[2:]) for one in pinned}


def test_the_oldest_versions_are_the_lower_bounds():
    bounds = {(canonicalize_name(one.name), str(one.specifier)) for one in requirements()}
    assert bounds == {(name, f">={version}") for name, version in constraints("oldest.txt").items()}, (
        "setup.cfg and constraints/oldest.txt differ"
    )


def test_no_requirement_has_an_upper_bound():
    assert [str(one) for one in requirements() if not re.fullmatch(r">=[\w.]+", str(one.specifier))] == []


def test_integration_has_one_version_of_everything():
    pinned = constraints("ci.txt")
    for one in requirements():
        if one.name != "sounddevice":
            assert one.specifier.contains(pinned[canonicalize_name(one.name)]), one


def test_the_licence_of_each_requirement_is_listed():
    page = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", page, re.MULTILINE))
    assert {canonicalize_name(one.name) for one in requirements()} <= set(listed), "make dependencies"
    assert "not named" not in listed.values()


def test_every_claimed_python_is_in_the_workflow():
    claimed = re.findall(r"Python :: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
    assert SETUP["options"]["python_requires"] == f">={claimed[0]}"
    assert WORKFLOW["jobs"]["wheel"]["strategy"]["matrix"]["python"] == claimed
    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]
    assert {*matrix["python"], *(one["python"] for one in matrix["include"])} == set(claimed)


def test_pip_would_admit_what_is_installed_here():
    for one in requirements():
        try:
            installed = version(one.name)
        except ModuleNotFoundError:  # an extra that the tests go without
            continue
        assert one.specifier.contains(Version(installed).base_version), one


@pytest.mark.parametrize("job", WORKFLOW["jobs"])
def test_the_workflow_names_files_that_are_there(job: str):
    for step in WORKFLOW["jobs"][job]["steps"]:
        for name in re.findall(r"constraints/\w+\.txt", step.get("run", "")):
            assert (REPOSITORY / name).is_file(), name
