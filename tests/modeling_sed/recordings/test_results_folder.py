"""Results in a folder: what files are called, what another run finds there, what is never overwritten."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling_sed.recordings import journal
from modeling_sed.recordings.results_file import ResultsFile
from modeling_sed.recordings.results_folder import ResultsFolder, file_names
from modeling_sed.recordings.states import State

PARTS = st.text(string.ascii_lowercase, min_size=1, max_size=2)
PATHS = st.builds(
    lambda folders, stem, suffix: "/".join([*folders, stem + suffix]),
    st.lists(PARTS, max_size=3),
    PARTS,
    st.sampled_from(["", ".wav", ".mp3"]),
)


def write(result: Mapping[str, Any], file: TextIO) -> None:
    json.dump(result, file)


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


def unknown(name: str) -> State:
    return []


def test_what_is_done_is_not_done_again(tmp_path: Path):
    names = ["x/a.wav", "x/b/c.wav"]
    results = ResultsFolder(tmp_path, names, ".json", write)
    with results.held({"model": "one"}, unknown):
        assert results.done() == set()
        results.write([([], {"name": "x/b/c.wav"})])
    again = ResultsFolder(tmp_path, names, ".json", write)
    with again.held({"model": "one"}, unknown):
        assert again.done() == {"x/b/c.wav"}
        again.write([([], {"name": "x/a.wav"})], process_index=1)
        assert again.join(names) == 2
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.parent.name[0] != "."}
    assert found == {"a.json", "b", "b/c.json", ".emotion-diarization"}
    for options, suffix in (({"model": "two"}, ".json"), ({"model": "one"}, ".srt")):
        other = ResultsFolder(tmp_path, names, suffix, write)
        with pytest.raises(ValueError, match="other options"), other.held(options, unknown):
            pass


def test_of_inputs_that_changed_only_those_are_done_again(tmp_path: Path):
    states: dict[str, State] = {name: [[1, 1], [7, 7]] for name in ("a.wav", "b.wav", "c.wav")}
    for results in (
        ResultsFolder(tmp_path / "folder", list(states), ".json", write),
        ResultsFile(tmp_path / "file.json", lambda found, file: json.dump(list(found), file)),
    ):
        with results.held({}, states.__getitem__):
            results.write((state, {"name": name, "run": 1}) for name, state in states.items())
        now = states | {"a.wav": [[1, 2], [7, 7]], "c.wav": [None, [7, 7]]}  # longer; gone
        with results.held({}, now.__getitem__):
            assert set(results.done()) == {"b.wav", "c.wav"}
            results.write([(now["a.wav"], {"name": "a.wav", "run": 2})])
            assert results.join(list(states)) == 3
    assert [json.loads((tmp_path / "folder" / f"{name}.json").read_text())["run"] for name in "abc"] == [2, 1, 1]
    assert [result["run"] for result in json.loads((tmp_path / "file.json").read_text())] == [2, 1, 1]


@pytest.mark.parametrize("survived", range(4))
def test_a_kill_between_two_steps_leaves_no_result_that_is_taken_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
):
    results = ResultsFolder(tmp_path, ["a.wav"], ".json", write)
    with results.held({}, lambda name: [[1, 1]]):
        results.write([([[1, 1]], {"name": "a.wav", "run": 1})])
    steps = iter(range(survived))

    def step(does):
        def die_later(*arguments):
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return does(*arguments)

        return die_later

    with (
        suppress(KeyboardInterrupt),
        results.held({}, lambda name: [[2, 2]]),
        monkeypatch.context() as patch,
    ):
        patch.setattr(journal, "fsync", step(journal.fsync))
        patch.setattr(Path, "replace", step(Path.replace))
        results.write([([[2, 2]], {"name": "a.wav", "run": 2})])
    run = json.loads((tmp_path / "a.json").read_text())["run"]
    with results.held({}, lambda name: [[2, 2]]):
        assert (results.done() == {"a.wav"}) <= (run == 2)
    with results.held({}, lambda name: [[1, 1]]):  # the earlier recording is back
        assert (results.done() == {"a.wav"}) <= (run == 1)


def test_files_of_other_people_are_kept(tmp_path: Path):
    (tmp_path / "a.json").write_text("mine")
    results = ResultsFolder(tmp_path, ["a.wav"], ".json", write)
    with pytest.raises(ValueError, match=r"a\.json exists already: delete it"), results.held({}, unknown):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    other = ResultsFolder(tmp_path, ["b.wav"], ".json", write)
    with other.held({}, unknown):
        assert other.done() == set()
        (tmp_path / "b.json").write_text("mine, too")
        with pytest.raises(ValueError, match=r"b\.json exists by now"):
            other.write([([], {"name": "b.wav"})])
    with pytest.raises(ValueError, match=r"a\.json exists already"), results.held({}, unknown):  # b was none of ours
        pass
    assert {path.name: path.read_text() for path in tmp_path.glob("*.json")} == {
        "a.json": "mine",
        "b.json": "mine, too",
    }
    (tmp_path / "file").write_text("")
    below = ResultsFolder(tmp_path / "file" / "below", ["a.wav"], ".json", write)
    with pytest.raises(ValueError, match="below cannot be written"), below.held({}, unknown):
        pass


def test_the_result_of_another_recording_is_not_taken_for_this_ones(tmp_path: Path):
    first = ResultsFolder(tmp_path, ["x/a.wav"], ".json", write)
    with first.held({}, unknown):
        first.write([([], {"name": "x/a.wav"})])
    second = ResultsFolder(tmp_path, ["y/a.wav"], ".json", write)
    with pytest.raises(ValueError, match=r"a\.json exists already, the result of another"), second.held({}, unknown):
        pass
