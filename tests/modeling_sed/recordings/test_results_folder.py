"""Results in a folder: what files are called, what another run finds there, what is never overwritten."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.recordings.results_folder import ResultsFolder, file_names

PARTS = st.text(string.ascii_lowercase, min_size=1, max_size=2)
PATHS = st.builds(
    lambda folders, stem, suffix: "/".join([*folders, stem + suffix]),
    st.lists(PARTS, max_size=3),
    PARTS,
    st.sampled_from(["", ".wav", ".mp3"]),
)


def write(result: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(result))


def test_folders_between_are_kept_and_suffixes_only_where_needed():
    assert file_names(["calls/a.wav", "calls/b/a.wav", "calls/b/c.wav", "calls/b/c.mp3"]) == [
        *("a", "b/a", "b/c.wav", "b/c.mp3")
    ]
    assert file_names(["/here/a.wav"]) == ["a"]
    assert file_names(["http://host/x/../a.wav?key=1", "https://host/y/a.wav"]) == ["host/x/a", "host/y/a"]
    assert file_names(["http://host:8000/a.wav", "b.wav"]) == ["host_8000/a", "b"]
    assert file_names(["a.wav, channel 1", "a.wav, channel 2"]) == ["a.wav, channel 1", "a.wav, channel 2"]


@given(st.lists(PATHS, unique=True, max_size=8))
def test_files_are_as_different_as_recordings_and_stay_in_the_folder(names: list[str]):
    found = file_names(names)
    assert len(set(found)) == len(names)
    assert not any(PurePath(name).is_absolute() or ".." in PurePath(name).parts for name in found)


def test_two_addresses_with_one_path_are_refused():
    with pytest.raises(ValueError, match=r"\?1 and http://h/a\.wav\?2 would both be written to h/a\.wav"):
        file_names(["http://h/a.wav?1", "http://h/a.wav?2"])


def test_what_is_done_is_not_done_again(tmp_path: Path):
    names = ["x/a.wav", "x/b/c.wav"]
    results = ResultsFolder(tmp_path, {"model": "one"}, names, ".json", write)
    assert results.done() == set()
    results.write([{"name": "x/b/c.wav"}])
    again = ResultsFolder(tmp_path, {"model": "one"}, names, ".json", write)
    assert again.done() == {"x/b/c.wav"}
    again.write([{"name": "x/a.wav"}], process_index=1)
    assert again.join(names) == 2
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json") if path.name[0] != "."}
    assert found == {"a.json", "b/c.json"}
    with pytest.raises(ValueError, match="other options"):
        ResultsFolder(tmp_path, {"model": "two"}, names, ".json", write)
    with pytest.raises(ValueError, match="other options"):
        ResultsFolder(tmp_path, {"model": "one"}, names, ".srt", write)


def test_files_of_other_people_are_kept(tmp_path: Path):
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(ValueError, match=r"a\.json exists already"):
        ResultsFolder(tmp_path, {}, ["a.wav"], ".json", write)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert ResultsFolder(tmp_path, {}, ["b.wav"], ".json", write).done() == set()
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be used"):
        ResultsFolder(tmp_path / "file" / "below", {}, ["a.wav"], ".json", write)
