"""Many recordings into one file: shared by processes, each once, gone on with after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pytest
import soundfile
from datasets import Dataset, DatasetDict
from transformers import pipeline

import modeling_sed
from modeling_sed import audio_files_sed
from modeling_sed.audio_sed import RecordingStream, load_recording
from modeling_sed.checkpoints.opening import digest_of_model
from modeling_sed.disk.work_folder import beside
from modeling_sed.recordings.diarization import diarize_recordings
from modeling_sed.recordings.results_file import ResultsFile
from modeling_sed.recordings.sources import Recordings
from modeling_sed.recordings.states import State, states_of

TWO_PROCESSES = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
ENVIRONMENT = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def command(*arguments: str | Path, launcher: tuple[str, ...] = ()) -> list[str]:
    return [sys.executable, *launcher, "-m", "modeling_sed", "diarize", *map(str, arguments)]


def run(*arguments: str | Path, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments, launcher=launcher), capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


def unknown(name: str) -> State:
    return []


def write(results: Iterable[Mapping[str, Any]], file: TextIO) -> None:
    json.dump(list(results), file)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.wav" for number in range(7)]
    for number, path in enumerate(paths):
        soundfile.write(path, 0.1 * generator.standard_normal(8_000 + 3_000 * number), 16_000)
    return paths


@pytest.fixture
def expected(model_folder: Path, recordings: list[Path]) -> list[dict]:
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    return list(diarize([str(path) for path in recordings]))


def test_two_processes_share_a_list_and_a_killed_run_goes_on(
    model_folder: Path, recordings: list[Path], expected: list[dict], tmp_path: Path
):
    (tmp_path / "bad.wav").write_text("text")
    (tmp_path / "list.txt").write_text("\n".join(map(str, [*recordings[:4], tmp_path / "bad.wav", *recordings[4:]])))
    output = tmp_path / "out" / "results.json"
    found = [{"start": 0.0, "end": 9.0, "label": "what the killed run found"}]
    killed = ResultsFile(output, write)  # as a run that was killed while it wrote leaves it
    settings = {"model": str(model_folder), "weights": digest_of_model(model_folder)}
    with killed.held(settings, lambda name: states_of([name])):
        result = {"name": str(recordings[1]), "duration": 9.0, "segments": found}
        killed.write([(states_of([recordings[1]]), result)])
    with (beside(output) / "process_0.jsonl").open("a") as file:
        state = [None]  # joining takes its time
        file.writelines(json.dumps({"state": state, "result": {"name": str(n)}}) + "\n" for n in range(100_000))
        file.write('{"state": [null], "result": {"name": "' + str(recordings[2]))

    done = run("--model", model_folder, "--list", tmp_path / "list.txt", "--output", output, launcher=TWO_PROCESSES)
    assert done.returncode == 1 and done.stderr.count("bad.wav: not audio") == 1, done.stderr
    assert f"7 recordings in {output}" in done.stdout
    results = json.loads(output.read_text())
    assert [result["name"] for result in results] == [str(path) for path in recordings]
    assert results[1]["segments"] == found  # not done again
    for position in (0, 2, 3, 4, 5, 6):
        assert [s | {"score": 0} for s in results[position]["segments"]] == [
            s | {"score": 0} for s in expected[position]
        ]
    assert [path.name for path in output.parent.iterdir()] == ["results.json"]
    again = run("--model", model_folder, recordings[0], "--output", output)
    assert again.returncode == 1 and "exists already" in again.stderr


def test_a_run_killed_at_any_time_goes_on(model_folder: Path, recordings: list[Path], tmp_path: Path):
    output = tmp_path / "results.json"
    arguments = ("--model", model_folder, *recordings, "--output", output)
    process = subprocess.Popen(command(*arguments), env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    part = beside(output) / "process_0.jsonl"
    while process.poll() is None and not (part.exists() and part.read_text().count("\n") > 2):
        time.sleep(0.001)
    process.kill()
    process.wait()
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert [result["name"] for result in json.loads(output.read_text())] == [str(path) for path in recordings]


def test_a_run_with_other_options_is_not_gone_on_with(tmp_path: Path):
    results = ResultsFile(tmp_path / "out.json", write)
    with results.held({"model": "one"}, unknown):
        assert results.done() == {}
    with results.held({"model": "two"}, unknown):  # nothing was done by the other
        results.write([([], {"name": "a"})])
    with results.held({"model": "two"}, unknown):
        assert results.done() == {"a": {"name": "a"}}
    with (
        pytest.raises(ValueError, match=r"other options \(model: two, now one; window: None, now 3\)"),
        results.held({"model": "one", "window": 3}, unknown),
    ):
        pass
    with results.held({"model": "two"}, unknown):
        assert results.done() == {"a": {"name": "a"}}


def test_what_was_done_by_more_processes_is_kept(tmp_path: Path):
    results = ResultsFile(tmp_path / "out.json", write)
    with results.held({}, unknown):
        for process in range(3):
            results.write([([], {"name": str(process)})], process)
    with results.held({}, unknown):
        results.write([([], {"name": "3"})], 0)
        assert results.join(["3", "2", "missing", "1", "0"]) == 4
    assert json.loads((tmp_path / "out.json").read_text()) == [{"name": name} for name in "3210"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_bad_recording_is_reported_and_the_others_go_on(model_folder: Path, recordings: list[Path], tmp_path: Path):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    files = Recordings.of_files([tmp_path / "missing.wav", recordings[0], recordings[0], recordings[6]])
    assert len(files.names) == 3
    errors = []
    found = dict(diarize_recordings(diarize, files, [0, 1, 2], errors.append, batch_size=4))
    assert [str(error) for error in errors] == [f"{tmp_path / 'missing.wav'}: there is no such file."]
    assert {position: result["name"] for position, result in found.items()} == {1: files.names[1], 2: files.names[2]}
    assert found[2]["segments"][-1]["end"] == found[2]["duration"] == 26_000 / 16_000


@pytest.mark.parametrize("block", [2**20, 3_000])
def test_channels_of_files_and_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int):
    monkeypatch.setattr(audio_files_sed, "BLOCK", block)
    path = tmp_path / "stereo.wav"
    samples = 0.1 * np.random.default_rng(0).standard_normal((8_000, 2)).astype(np.float32)
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    row = {"path": None, "bytes": path.read_bytes()}
    for given in (Recordings.of_files([path]), Recordings(["stereo"], lambda position: row)):
        channels = given.by_channel()
        assert channels.names == [f"{given.names[0]}, channel {number}" for number in (1, 2)]
        for channel, audio in zip(samples.T, map(channels.audio, (0, 1)), strict=True):
            np.testing.assert_array_equal(load_recording(audio, 16_000).waveform, channel)
            np.testing.assert_array_equal(np.concatenate(list(RecordingStream(audio, 16_000))), channel)
    with pytest.raises(ValueError, match=r"stereo.wav, channel 3: there is no such channel; the recording has 2"):
        load_recording({"path": path, "channel": 2}, 16_000)


def test_names_that_occur_twice_are_refused(tmp_path: Path):
    columns = {"name": ["a", "b", "a"], "audio": [None] * 3, "duration": [1.0] * 3, "segments": [[]] * 3}
    rows = Dataset.from_dict(columns)
    DatasetDict({"test": rows}).save_to_disk(tmp_path / "data")
    assert Recordings.of_dataset(tmp_path / "data", "test", limit=2).names == ["a", "b"]
    with pytest.raises(ValueError, match="the name 'a' occurs more than once in the split 'test'"):
        Recordings.of_dataset(tmp_path / "data", "test")
    DatasetDict({"test": rows.rename_column("name", "id")}).save_to_disk(tmp_path / "earlier")
    with pytest.raises(ValueError, match=r"lacks the column\(s\) name; it has id, .* earlier version"):
        Recordings.of_dataset(tmp_path / "earlier", "test")


def test_scores_come_with_the_results_if_asked(model_folder: Path, recordings: list[Path]):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    files = Recordings.of_files(recordings[:1])
    ((_, result),) = diarize_recordings(diarize, files, [0], report=pytest.fail, return_scores=True)
    expected = diarize(str(recordings[0]), return_scores=True)
    assert result["segments"] == expected["segments"] and result["duration"] == expected["frame_times"][-1]
    for name in ("posteriors", "frame_times"):
        np.testing.assert_array_equal(result[name], expected[name])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
@pytest.mark.parametrize("output", ["out.json", "out"])
def test_a_run_that_runs_out_of_disk_goes_on(model_folder: Path, tmp_path: Path, output: str):
    import resource

    long, short = tmp_path / "long.wav", tmp_path / "short.wav"
    for path, seconds in ((short, 1), (long, 60)):
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000 * seconds), 16_000)
    arguments = ("--model", model_folder, short, long, "--output", tmp_path / output, "--decoder", "argmax")
    done = subprocess.run(
        command(*arguments),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cannot be written (File too large)" in done.stderr and "run the same command again" in done.stderr
    assert not (tmp_path / "out.json").exists() and not (tmp_path / "out" / "long.json").exists()
    again = run(*arguments)
    assert again.returncode == 0 and "2 recordings in" in again.stdout, again.stderr
