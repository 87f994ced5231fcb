"""Inputs that change: while they are read, or between two runs of one command; and two runs at once."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from transformers import pipeline
from typer.testing import CliRunner

import modeling_sed
from modeling_sed.cli.app import app
from modeling_sed.disk.work_folder import beside, held, within
from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.sources import Recordings
from modeling_sed.recordings.states import is_unchanged, states_of
from modeling_sed.recordings.watched_recordings import WatchedRecordings
from tests.modeling_sed.recordings.test_many_recordings import recordings  # noqa: F401 - a fixture of these tests, too


def diarize(*arguments: object):
    return CliRunner().invoke(app, ["diarize", *map(str, arguments)])


def results(path: Path) -> dict:
    return {Path(one["name"]).name: one for one in json.loads(path.read_text())}


def test_of_a_recording_that_changes_while_it_is_read_there_is_no_result(model_folder: Path, recordings: list[Path]):  # noqa: F811
    watched = WatchedRecordings(Recordings.of_files(recordings[:4]))
    for position in range(4):
        watched.recordings.audio(position)
    with recordings[0].open("ab") as file:
        file.write(b"\0\0")
    os.utime(recordings[1], ns=(0, 0))  # an older one is as another one: clocks that are set do not matter
    recordings[2].unlink()
    errors: list[InputError] = []
    heard = list(watched.unchanged(iter(enumerate("abcd")), errors.append))
    assert [(position, result) for position, _, result in heard] == [(2, "c"), (3, "d")]
    assert [str(error) for error in errors] == [
        f"{path}: changed while it was read; when that is over, run the same command again." for path in recordings[:2]
    ]
    assert heard[1][1] == states_of([recordings[3]])


def test_transcripts_and_turns_are_inputs_too(recordings: list[Path], tmp_path: Path):  # noqa: F811
    (tmp_path / "turns.rttm").write_text("")
    (tmp_path / "0.srt").write_text("")
    given = Recordings.of_files(recordings[:2])
    names = list(given.names)
    watched = WatchedRecordings(given, tmp_path / "turns.rttm", tmp_path)
    before = {name: watched.state_of(name) for name in names}
    (tmp_path / "0.srt").write_text("1")
    assert [is_unchanged(before[name], watched.state_of(name)) for name in names] == [False, True]
    (tmp_path / "turns.rttm").write_text("\n")
    assert not is_unchanged(before[names[1]], watched.state_of(names[1]))
    assert watched.state_of("of another run") is None and is_unchanged(before[names[0]], None)


def test_states_of_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert states_of(["https://host/a.wav", "no\0name", tmp_path / "none"]) == [None, None, None]
    rows = Dataset.from_dict({"name": ["a"], "audio": [None], "duration": [1.0], "segments": [[]]})
    DatasetDict({"test": rows}).save_to_disk(tmp_path / "data")
    given = Recordings.of_dataset(tmp_path / "data", "test")
    before = given.state(0)
    assert is_unchanged(before, given.state(0))
    os.utime(next((tmp_path / "data" / "test").glob("*.arrow")), ns=(0, 0))
    assert not is_unchanged(before, given.state(0))


@pytest.mark.parametrize("output", ["out.json", "out"])
def test_only_what_has_changed_is_done_again(model_folder: Path, recordings: list[Path], tmp_path: Path, output: str):  # noqa: F811
    model = Path(shutil.copytree(model_folder, tmp_path / "model"))
    arguments = ("--model", model, *recordings[:3], "--output", tmp_path / output)
    if output == "out":
        assert diarize(*arguments).exit_code == 0
        shutil.copy(recordings[6], recordings[1])
        (tmp_path / output / "0.json").write_text("as it was, or edited")
        done = diarize(*arguments)
        assert done.exit_code == 0 and "3 recordings in" in done.output
        assert (tmp_path / output / "0.json").read_text() == "as it was, or edited"
        found = results(tmp_path / output / "1.json")
    else:  # a run that was killed before it joined what it had found
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("modeling_sed.recordings.results_file.ResultsFile.join", lambda *_: sys.exit(9))
            assert diarize(*arguments).exit_code == 9
        shutil.copy(recordings[6], recordings[1])
        assert diarize(*arguments).exit_code == 0
        found = results(tmp_path / output)
        assert list(found) == ["0.wav", "1.wav", "2.wav"] and not beside(tmp_path / output).exists()
    assert found["1.wav"]["duration"] == pytest.approx(26_000 / 16_000)
    if output == "out":
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "decoder": "argmax"}))  # as `tune` does
        done = diarize(*arguments)
        assert done.exit_code == 1 and "results of a run with other options (weights: " in done.output


def test_of_two_runs_with_one_output_the_second_is_refused(model_folder: Path, recordings: list[Path], tmp_path: Path):  # noqa: F811
    for output, work in ((tmp_path / "out.json", beside), (tmp_path / "out", within)):
        with held(work(output), output, InputError):
            done = diarize("--model", model_folder, *recordings[:2], "--output", output)
        said = f"error: {output} is being written by another process (process {os.getpid()} on "
        assert done.exit_code == 1 and said in done.output
        assert not output.is_file() and not list(output.glob("*"))


def test_what_is_printed_is_not_of_a_recording_that_changed(model_folder: Path, recordings: list[Path]):  # noqa: F811
    diarizer = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    original = modeling_sed.SpeechEmotionDiarizationPipeline.__call__
    with pytest.MonkeyPatch.context() as patch:

        def slow(self, inputs, **options):
            for number, found in enumerate(original(self, inputs, **options)):
                if number == 1:
                    os.utime(recordings[1], ns=(0, 0))
                yield found

        patch.setattr(type(diarizer), "__call__", slow)
        done = diarize("--model", model_folder, *recordings[:3], "--format", "csv")
    assert done.exit_code == 1 and f"error: {recordings[1]}: changed while it was read" in done.output
    assert "2.wav" in done.stdout and "1.wav," not in done.stdout
