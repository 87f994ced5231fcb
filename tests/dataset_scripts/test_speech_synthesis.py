"""The synthetic corpus: the same seed gives the same bytes; the emotions are in the sound, and measurable."""

from __future__ import annotations

import csv
import hashlib
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

parselmouth = pytest.importorskip("parselmouth", reason="needs the extra `synthesis`")

from modeling_sed.dataset_scripts import speech_synthesis  # noqa: E402
from modeling_sed.dataset_scripts.corpora import read_corpus  # noqa: E402
from modeling_sed.dataset_scripts.speech_synthesis import write_corpus  # noqa: E402

SETTINGS = {"speakers": 4, "utterances": 3, "seed": 5}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("synthetic"), **SETTINGS)


@pytest.fixture(scope="module")
def rows(corpus) -> list[dict[str, str]]:
    with (corpus / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def measured(corpus, rows) -> dict[str, dict[str, dict[str, float]]]:
    """Means over a speaker's utterances of an emotion: measured[speaker][emotion][quantity]."""
    collected = defaultdict(list)
    for row in rows:
        collected[row["speaker"], row["label"]].append(measure(corpus / row["file_name"]))
    means = defaultdict(dict)
    for (speaker, emotion), values in collected.items():
        means[speaker][emotion] = {key: np.mean([value[key] for value in values]) for key in values[0]}
    return means


def measure(path: Path) -> dict[str, float]:
    sound = parselmouth.Sound(str(path))
    pitch = sound.to_pitch(pitch_floor=50.0, pitch_ceiling=700.0).selected_array["frequency"]
    semitones = 12 * np.log2(pitch[pitch > 0])
    spectrum = np.abs(np.fft.rfft(sound.values[0])) ** 2
    hertz = np.fft.rfftfreq(sound.values.shape[1], 1 / sound.sampling_frequency)
    return {
        "pitch": np.median(semitones),
        "pitch_range": np.subtract(*np.percentile(semitones, [90, 10])),
        "duration": sound.duration,
        "intensity": 10 * np.log10(np.mean(sound.values**2)),
        "brightness": 10 * np.log10(spectrum[hertz > 1000].sum() / spectrum[hertz < 1000].sum()),
    }


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_files_are_as_the_layout_says(corpus, rows):
    assert len(rows) == 4 * 3 * 4  # speakers x utterances x emotions
    assert {row["file_name"] for row in rows} == {str(path.relative_to(corpus)) for path in corpus.rglob("*.wav")}
    for row in rows:
        folder, name = row["file_name"].split("/")
        assert folder == row["speaker"]
        assert name.startswith(f"{row['speaker']}_{row['label']}_")
        info = soundfile.info(corpus / row["file_name"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        wave, _ = soundfile.read(corpus / row["file_name"])
        assert 0.8 < info.duration < 8
        assert 0.02 < np.abs(wave).max() < 0.99  # neither silent nor clipped


def test_every_speaker_says_the_same_sentences_in_every_emotion(rows):
    said = defaultdict(set)
    for row in rows:
        said[row["speaker"], row["label"]].add(row["transcription"])
    for speaker in {row["speaker"] for row in rows}:
        neutral = said[speaker, "neutral"]
        assert len(neutral) == 3
        assert all(said[speaker, emotion] == neutral for emotion in speech_synthesis.EMOTIONS)


def test_speakers_differ_and_half_are_of_each_sex(measured):
    speakers = [speech_synthesis.draw_speaker(index, seed=0) for index in range(24)]
    assert [speaker.sex for speaker in speakers].count("female") == 12
    assert len({(speaker.pitch, speaker.formants) for speaker in speakers}) == 24
    female, male = (
        [means["neutral"]["pitch"] for name, means in measured.items() if name.startswith(sex)]
        for sex in ("female", "male")
    )
    assert min(female) > max(male)


@pytest.mark.parametrize(
    ("quantity", "order"),
    [
        ("pitch", ("sad", "neutral", "angry")),
        ("pitch", ("sad", "neutral", "happy")),
        ("pitch_range", ("sad", "neutral", "happy")),
        ("duration", ("angry", "neutral", "sad")),
        ("duration", ("happy", "sad")),
        ("intensity", ("sad", "neutral", "angry")),
        ("brightness", ("sad", "neutral", "angry")),
    ],
)
def test_emotions_sound_as_the_literature_says(measured, quantity, order):
    for speaker, means in measured.items():
        values = [means[emotion][quantity] for emotion in order]
        assert values == sorted(values), f"{speaker}: {dict(zip(order, values, strict=True))}"


def test_same_seed_same_bytes_and_another_seed_another_corpus(corpus, tmp_path):
    # As a script, and one speaker after another: neither may matter.
    options = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command = [sys.executable, speech_synthesis.__file__, str(tmp_path / "same"), "--processes=1", *options]
    subprocess.run(command, check=True, capture_output=True)
    assert hashes(tmp_path / "same") == hashes(corpus)

    other = hashes(write_corpus(tmp_path / "other", speakers=1, utterances=1, seed=6))
    waves = {name: value for name, value in other.items() if name.endswith(".wav")}
    assert len(waves) == 4
    assert not waves.items() & hashes(corpus).items()


def test_interrupted_run_is_resumed_and_complete_one_reused(corpus, tmp_path):
    expected = hashes(corpus)
    folder = tmp_path / "copy"
    shutil.copytree(corpus, folder)
    (folder / "metadata.csv").unlink()
    (folder / "male01").rename(folder / "male01.partial")
    (folder / "male01.partial" / "male01_sad_002.wav").write_bytes(b"RIFF")
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("female*/*.wav")}

    write_corpus(folder, **SETTINGS)
    assert hashes(folder) == expected
    assert kept == {path: path.stat().st_mtime_ns for path in folder.glob("female*/*.wav")}

    complete = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_corpus(folder, **SETTINGS)
    assert complete == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_other_settings_replace_a_corpus_only_on_request(tmp_path):
    write_corpus(tmp_path, speakers=1, utterances=1)
    with pytest.raises(ValueError, match="other settings"):
        write_corpus(tmp_path, speakers=1, utterances=1, seed=1)
    before = hashes(tmp_path)
    write_corpus(tmp_path, speakers=1, utterances=1, seed=1, overwrite=True)
    assert before.keys() == hashes(tmp_path).keys()
    assert before != hashes(tmp_path)


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="neither empty nor a synthetic corpus"):
            write_corpus(tmp_path, overwrite=overwrite)
    with pytest.raises(ValueError, match="neither empty nor a synthetic corpus"):
        write_corpus(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("option", ["--speakers=0", "--utterances=0", "--seed=-1"])
def test_out_of_range_is_a_usage_error(option, tmp_path, capsys):
    with pytest.raises(SystemExit) as error:
        speech_synthesis.main([str(tmp_path / "corpus"), option])
    assert error.value.code == 2
    assert "must be at least" in capsys.readouterr().err
    assert not (tmp_path / "corpus").exists()


def test_it_is_read_by_its_table(corpus, rows):
    recordings = read_corpus("synthetic", corpus).recordings
    found = [(recording.path, recording.speaker, recording.label, recording.transcription) for recording in recordings]
    expected = [(corpus / row["file_name"], row["speaker"], row["label"], row["transcription"]) for row in rows]
    assert found == expected


def test_an_incomplete_corpus_is_not_read(corpus, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(corpus, folder)
    (folder / "male01" / "male01_sad_002.wav").unlink()
    with pytest.raises(ValueError, match="line 20: male01/male01_sad_002\\.wav is no file in"):
        read_corpus("synthetic", folder)
    (folder / "metadata.csv").unlink()  # written last
    with pytest.raises(ValueError, match=r"no reader for synthetic, and .* has no metadata\.csv"):
        read_corpus("synthetic", folder)
