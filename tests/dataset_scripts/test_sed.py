"""The datasets builder: the same seed gives the same bytes, nothing leaks between splits, bad sources are refused."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset, DatasetDict, load_from_disk

from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.command_line import main
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.options import options_of
from modeling_sed.dataset_scripts.sed import SED, SEDBuilderConfig
from modeling_sed.dataset_scripts.sources import find_sources
from modeling_sed.dataset_scripts.speech_activity import speech_intervals
from modeling_sed.dataset_scripts.waveforms import read_waveform
from tests.dataset_scripts.conftest import COMMAND, contents, voice


def recordings(rows: Dataset) -> set[str]:
    return {source["file"] for sources in rows["sources"] for source in sources}


def test_every_emotional_recording_is_in_one_utterance(benchmark: DatasetDict):
    events = [source["file"] for rows in benchmark.values() for sources in rows["sources"] for source in sources]
    emotional = [file for file in events if file.split("-")[2] != "01"]
    assert len(emotional) == len(set(emotional)) == 6 * 3 * 3  # actors x emotions x recordings
    assert not any(file.split("-")[2] == "08" for file in events)
    assert len(set().union(*(rows["name"] for rows in benchmark.values()))) == 6 * 3 * 3


def test_splits_share_no_speaker_when_asked(benchmark: DatasetDict):
    speakers = {name: set(rows["speaker"]) for name, rows in benchmark.items()}
    assert {name: len(names) for name, names in speakers.items()} == {"train": 4, "validation": 1, "test": 1}
    assert len(set.union(*speakers.values())) == 6
    sources = [recordings(rows) for rows in benchmark.values()]
    assert sum(map(len, sources)) == len(set.union(*sources))


def test_splits_share_no_recording_otherwise(ravdess: Path, tmp_path: Path):
    splits = build(tmp_path / "out", "simulated", corpora={"ravdess": str(ravdess)}, split_by="recording", seed=2)
    assert list(splits) == ["train", "validation"]
    assert set(splits["train"]["speaker"]) == set(splits["validation"]["speaker"])
    train, validation = recordings(splits["train"]), recordings(splits["validation"])
    assert not train & validation
    assert any(file.split("-")[2] == "01" for file in validation)  # neutral ones are divided, too
    assert len({file for file in train | validation if file.split("-")[2] != "01"}) == 54


def test_segments_are_exact_to_the_sample(benchmark: DatasetDict):
    for row in benchmark["train"].to_list() + benchmark["test"].to_list():
        waveform, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
        assert rate == 16_000
        assert len(waveform) == round(row["duration"] * 16_000)
        assert np.abs(waveform).max() < 1
        parts = row["transition"].split("-")
        assert [s["label"] for s in row["segments"]] == [part for part in parts if part != "null"]
        assert row["sources"][0]["start"] == 0 and row["sources"][-1]["end"] == row["duration"]
        for source, following in zip(row["sources"], row["sources"][1:], strict=False):
            assert source["end"] == following["start"]
        emotional = [source for source, part in zip(row["sources"], parts, strict=True) if part != "null"]
        assert [(s["start"], s["end"]) for s in row["segments"]] == [(s["start"], s["end"]) for s in emotional]
        for key in ("start", "end"):
            samples = row["segments"][0][key] * 16_000
            assert samples == pytest.approx(round(samples), abs=1e-6)
        # every part has the level of the first: the borders are where the audio's are
        levels = [waveform[round(s["start"] * 16_000) : round(s["end"] * 16_000)].std() for s in row["sources"]]
        assert levels == pytest.approx([levels[0]] * len(levels), rel=1e-3)


def test_sequences_are_the_papers_four(ravdess: Path, tmp_path: Path):
    found = set()
    for seed in range(3):
        splits = build(tmp_path / str(seed), "simulated", corpora={"ravdess": str(ravdess)}, seed=seed)
        found |= {
            text.replace("sad", "E").replace("happy", "E").replace("angry", "E")
            for rows in splits.values()
            for text in rows["transition"]
        }
    assert found == {"E", "null-E", "E-null", "null-E-null"}


def test_same_seed_same_bytes_by_any_number_of_processes(benchmark: DatasetDict, ravdess: Path, tmp_path: Path):
    options = ["benchmark", "--corpora", f"ravdess={ravdess}", "--split-by", "speaker", "--output-dir"]
    done = subprocess.run(
        [*COMMAND, *options, tmp_path / "two", "--seed", "1", "--num-proc", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "1 other emotion" in done.stderr and "validation" in done.stdout
    assert contents(load_from_disk(str(tmp_path / "two"))) == contents(benchmark)
    other = build(tmp_path / "other", "benchmark", corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=2)
    assert contents(other) != contents(benchmark)


def files(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_sources_are_left_as_they_are_and_a_dataset_is_reused(ravdess: Path, tmp_path: Path):
    before = files(ravdess)
    options = {"corpora": {"ravdess": str(ravdess)}, "seed": 0}
    build(tmp_path / "out", "simulated", **options)
    assert files(ravdess) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # nothing else is left
    built = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    build(tmp_path / "out", "simulated", **options)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == built
    with pytest.raises(InputError, match="other sources or options"):
        build(tmp_path / "out", "simulated", **options | {"seed": 1})
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == built
    build(tmp_path / "out", "simulated", overwrite=True, **options | {"seed": 1})


def test_a_changed_source_is_noticed(ravdess: Path, tmp_path: Path):
    shutil.copytree(ravdess, tmp_path / "copy")
    options = {"corpora": {"ravdess": str(tmp_path / "copy")}}
    first = SED("simulated", cache_dir=str(tmp_path / "cache"), **options)
    first.download_and_prepare()
    soundfile.write(tmp_path / "copy" / "Actor_01" / "03-01-03-01-01-01-01.wav", voice(2.0, 300, 5), 16_000)
    second = SED("simulated", cache_dir=str(tmp_path / "cache"), **options)
    second.download_and_prepare()
    assert contents(first.as_dataset()) != contents(second.as_dataset())


def make_unreadable(folder: Path) -> None:
    for path in folder.rglob("*.wav"):
        path.write_text("text")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: [shutil.rmtree(path) for path in folder.iterdir()], "is not the corpus ravdess"),
        (lambda folder: [shutil.rmtree(path) for path in sorted(folder.iterdir())[2:]], r"ravdess has 2 speaker\(s\)"),
        (make_unreadable, r"none of the 73 recordings of ravdess can be used: .*not audio"),
    ],
)
def test_a_bad_corpus_is_refused_with_a_sentence(ravdess: Path, tmp_path: Path, damage: Callable, message: str):
    shutil.copytree(ravdess, tmp_path / "copy")
    damage(tmp_path / "copy")
    with pytest.raises(InputError, match=message):
        build(tmp_path / "out", "benchmark", corpora={"ravdess": str(tmp_path / "copy")}, split_by="speaker")
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_used_are_named_and_stop_nothing_else(ravdess: Path, tmp_path: Path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(ravdess, folder)
    happy = [folder / f"Actor_0{actor}" / f"03-01-03-01-01-01-0{actor}.wav" for actor in range(1, 7)]
    happy[0].write_bytes(b"")
    happy[1].write_text("this is text")
    soundfile.write(happy[2], np.array([0.1, np.nan, 0.1]), 16_000, subtype="FLOAT")
    soundfile.write(happy[3], np.zeros(0), 16_000)
    soundfile.write(happy[4], np.zeros(16_000), 16_000)
    shutil.copy(happy[5], happy[5].with_name("03-01-03-01-01-02-06.wav"))
    splits = build(tmp_path / "out", "simulated", corpora={"ravdess": str(folder)})
    assert sum(map(len, splits.values())) == 54 - 6
    errors = capsys.readouterr().err
    assert "1 no speech; 1 other emotion (1 surprised); 1 same audio as another recording; 4 unreadable" in errors
    assert f"{happy[0]}: the file is empty" in errors
    assert f"{happy[1]}: not audio" in errors
    assert f"{happy[2]}: sample 1 is not a finite number" in errors
    assert f"{happy[3]}: the recording is empty" in errors
    assert "ravdess: incomplete, 72 of 672 recordings are there" in errors


def test_a_corpus_is_left_out_of_training(ravdess: Path, table_corpus: Path, tmp_path: Path):
    corpora = {"ravdess": str(ravdess), "calls": str(table_corpus)}
    splits = build(tmp_path / "test", "benchmark", corpora=corpora, split_by="corpus", held_out="calls")
    found = {name: set(rows["corpus"]) for name, rows in splits.items()}
    assert found == {"train": {"ravdess"}, "validation": {"ravdess"}, "test": {"calls"}}
    assert not set(splits["train"]["speaker"]) & set(splits["validation"]["speaker"])
    splits = build(tmp_path / "validation", "simulated", corpora=corpora, split_by="corpus", held_out="calls")
    assert {name: set(rows["corpus"]) for name, rows in splits.items()} == {
        "train": {"ravdess"},
        "validation": {"calls"},
    }
    for options in ({"held_out": "calls"}, {"split_by": "corpus"}, {"split_by": "corpus", "held_out": "other"}):
        with pytest.raises(InputError, match="needs held_out, one of the corpora"):
            build(tmp_path / "bad", "simulated", corpora=corpora, **options)
    with pytest.raises(InputError, match="Nothing is left to train on without calls"):
        alone = {"calls": str(table_corpus)}
        build(tmp_path / "bad", "simulated", corpora=alone, split_by="corpus", held_out="calls")


def test_other_emotions_and_names_on_request(ravdess: Path, tmp_path: Path, capsys):
    options = {"corpora": {"ravdess": str(ravdess)}, "labels": ["neutral", "happy", "surprised", "gloomy"]}
    splits = build(tmp_path / "out", "simulated", rename={"sad": "gloomy"}, **options)
    found = {segment["label"] for rows in splits.values() for segments in rows["segments"] for segment in segments}
    assert found == {"happy", "surprised", "gloomy"}
    assert "left out: 18 other emotion (18 angry)" in capsys.readouterr().err
    with pytest.raises(InputError, match="labels must contain 'neutral'"):
        build(tmp_path / "bad", "simulated", corpora=options["corpora"], labels=["happy"])


def test_every_second_is_accounted_for(benchmark: DatasetDict, ravdess: Path):
    for row in benchmark["validation"].to_list() + benchmark["test"].to_list():
        borders = [0.0]
        for source in row["sources"]:
            assert source["start"] == borders[-1]
            kept = sum(stretch["end"] - stretch["start"] for stretch in source["stretches"])
            assert kept == pytest.approx(source["end"] - source["start"], abs=1e-9)
            original = read_waveform(ravdess / source["file"])
            parts = [original[round(s["start"] * 16_000) : round(s["end"] * 16_000)] for s in source["stretches"]]
            waveform = read_waveform(row["audio"]["bytes"])
            heard = waveform[round(source["start"] * 16_000) : round(source["end"] * 16_000)]
            expected = np.concatenate(parts)
            np.testing.assert_allclose(heard, expected * (heard.std() / expected.std()), atol=2e-4)
            borders.append(source["end"])
        assert borders[-1] == row["duration"]


def test_no_silence_over_a_fifth_of_a_second_remains(benchmark: DatasetDict):
    for row in benchmark["test"].to_list():
        intervals = speech_intervals(read_waveform(row["audio"]["bytes"]))
        gaps = intervals[1:, 0] - intervals[:-1, 1]
        assert not len(gaps) or gaps.max() <= 0.2 * 16_000


def test_plan_and_statistics_are_kept_with_the_dataset(ravdess: Path, tmp_path: Path):
    splits = build(tmp_path / "out", "benchmark", corpora={"ravdess": str(ravdess)}, seed=4)
    with (tmp_path / "out" / "plan.csv").open(newline="") as file:
        plan = list(csv.DictReader(file))
    for name, rows in splits.items():
        for row in rows.to_list():
            parts = [part for part in plan if part["name"] == row["name"]]
            assert {part["split"] for part in parts} == {name}
            assert [part["file"] for part in parts] == [source["file"] for source in row["sources"]]
            assert sum(float(part["seconds"]) for part in parts) == pytest.approx(row["duration"])
    assert (tmp_path / "out" / "statistics.txt").read_text().split()[:3] == ["split", "utterances", "speakers"]


def test_what_was_heard_is_remembered(ravdess: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache_file = tmp_path / "heard.sqlite"
    first = find_sources("ravdess", ravdess, cache_file=cache_file)
    monkeypatch.setattr("modeling_sed.dataset_scripts.sources._listen_to", None)  # nothing may be decoded again
    shutil.copytree(ravdess, tmp_path / "moved")
    again = find_sources("ravdess", tmp_path / "moved", cache_file=cache_file)
    assert [source.speech for source in again] == [source.speech for source in first]
    assert [s.recording.path.name for s in again] == [s.recording.path.name for s in first]


def test_a_damaged_cache_is_named(ravdess: Path, tmp_path: Path):
    cache_file = tmp_path / "heard.sqlite"
    cache_file.write_text("this is text, and no database at all")
    with pytest.raises(InputError, match=r"heard\.sqlite, the cache .* delete the file"):
        find_sources("ravdess", ravdess, cache_file=cache_file)


def test_the_command_line_has_the_options_of_the_builder(ravdess: Path, tmp_path: Path, capsys):
    corpora, rename = f"ravdess={ravdess}", "sad=gloomy"
    arguments = ["simulated", "--corpora", corpora, "--rename", rename, "surprised=happy", "--noise-ratio", "5", "9.5"]
    arguments += ["--labels", "neutral", "happy", "gloomy", "--events", "2", "--output-dir", str(tmp_path / "out")]
    main(arguments)
    printed, built = capsys.readouterr().out, (tmp_path / "out" / "sed_dataset.json").stat().st_mtime_ns
    assert "gloomy" in printed and printed == (tmp_path / "out" / "statistics.txt").read_text()
    build(
        tmp_path / "out", "simulated", corpora={"ravdess": str(ravdess)}, noise_ratio=(5.0, 9.5), events=2,
        rename={"sad": "gloomy", "surprised": "happy"}, labels=["neutral", "happy", "gloomy"],
    )  # fmt: skip
    assert (tmp_path / "out" / "sed_dataset.json").stat().st_mtime_ns == built  # the same options: nothing is built
    with pytest.raises(SystemExit) as end:
        main(["--help"], prog="emotion-diarization build")
    text = capsys.readouterr().out
    assert end.value.code == 0 and "usage: emotion-diarization build" in text
    for option in options_of(SEDBuilderConfig):
        assert f"--{option.name.replace('_', '-')} " in text


def test_an_unknown_option_is_refused():
    with pytest.raises(InputError, match=r"There is no option corpus; the options are .*corpora.*held_out"):
        SED("simulated", corpus={"ravdess": "DIR"})
    with pytest.raises(InputError, match="The configurations are simulated, zed, benchmark; got 'real'"):
        SED("real")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["benchmark", "--output-dir", "out"], 1, "sed.py: The configuration 'benchmark' needs a corpus"),
        (
            ["simulated", "--corpora", "crema=empty", "--output-dir", "out"],
            1,
            "There is no reader for crema, and empty has no metadata.csv",
        ),
        (["simulated", "--corpora", "ravdess=missing", "--output-dir", "out"], 1, "missing is not a folder"),
        (["zed", "--output-dir", "out"], 1, "needs the folder or ZIP archive of ZED"),
        (
            ["zed", "--zed", "missing", "--output-dir", "out"],
            1,
            "missing is neither a folder nor a ZIP",
        ),
        (["simulated", "--corpora", "a=b", "a=c", "--output-dir", "out"], 2, "a is given twice"),
        (["simulated", "--corpora", "a=b", "--output", "out"], 2, "required: --output-dir"),  # no abbreviations
        (["simulated", "--corpora", "ravdess", "--output-dir", "out"], 2, "'ravdess' is not of the form NAME=VALUE"),
    ],
)
def test_wrong_usage_is_refused_with_a_sentence(tmp_path: Path, arguments: list[str], code: int, message: str):
    (tmp_path / "empty").mkdir()
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_foreign_folder_is_left_alone(ravdess: Path, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="neither empty nor a dataset of this program"):
        build(tmp_path, "simulated", corpora={"ravdess": str(ravdess)}, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_real_ravdess(real_ravdess: Path, tmp_path: Path):
    splits = build(tmp_path / "out", "benchmark", corpora={"ravdess": str(real_ravdess)}, split_by="speaker", seed=1)
    # 192 recordings of each of three emotions, less one that is the copy of another
    assert sum(map(len, splits.values())) == 3 * 192 - 1
    assert len(set().union(*(rows["speaker"] for rows in splits.values()))) == 24
    for rows in splits.values():
        emotional = [s["end"] - s["start"] for segments in rows["segments"] for s in segments]
        assert 0.5 < np.mean(emotional) < 3.5  # of about 3.7 s, half is silence
