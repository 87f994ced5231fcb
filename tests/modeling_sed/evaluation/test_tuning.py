"""Fitting decoder and temperature: what is known comes out, on the split that was given, into the model's folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset, DatasetDict
from transformers import pipeline

import modeling_sed
from modeling_sed import SEDConfig
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.decoding_sed import temper
from modeling_sed.evaluation import tuning
from modeling_sed.evaluation.tuning import (
    GRIDS,
    UtterancePosteriors,
    decode_utterances,
    expected_calibration_error,
    fit_temperature,
    tune_decoder,
)
from modeling_sed.metrics.eder.scoring import score_segments
from tests.modeling_sed.cli.test_app import run

HOP = 0.02


def posteriors_of(truth: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Evidence of deviation 1 around 1 for the truth and 0 for others; for equally frequent labels softmax is right."""
    evidence = generator.standard_normal((len(truth), 4)) + np.eye(4)[truth]
    return np.exp(evidence) / np.exp(evidence).sum(axis=1, keepdims=True)


def utterances(count: int) -> list[UtterancePosteriors]:
    """2 s with an event in the middle, in noise."""
    generator = np.random.default_rng(0)
    found = []
    for number in range(count):
        label = 1 + number % 3
        truth = np.zeros(100, dtype=int)
        truth[30:70] = label
        segments = [{"start": 0.6, "end": 1.4, "label": SEDConfig().labels[label]}]
        found.append(item(posteriors_of(truth, generator), truth, Annotation(str(number), segments, 2.0)))
    return found


def item(posteriors: np.ndarray, truth: np.ndarray, annotation: Annotation | None = None) -> UtterancePosteriors:
    times = np.arange(len(truth) + 1) * HOP
    return UtterancePosteriors(annotation or Annotation("any", duration=times[-1]), posteriors, truth, times)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_overconfidence_is_found_and_taken_back(sharpness: float):
    generator = np.random.default_rng(0)
    truth = generator.integers(4, size=20_000)
    items = [item(temper(posteriors_of(truth, generator), 1 / sharpness), truth)]
    temperature = fit_temperature(items)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    assert expected_calibration_error(items, temperature) < 0.02
    if sharpness != 1:
        assert expected_calibration_error(items) > 0.05


def test_calibration_error_by_hand():
    """Two frames say 0.7 and one is right, two say 0.9 and both are: (2 * |0.7 - 0.5| + 2 * |0.9 - 1|) / 4 = 0.15."""
    posteriors = np.array([[0.7, 0.3], [0.7, 0.3], [0.1, 0.9], [0.9, 0.1]])
    assert expected_calibration_error([item(posteriors, np.array([0, 1, 1, 0]))], bins=10) == pytest.approx(0.15)


def test_the_best_decoder_comes_first_and_keeps_its_promise():
    items, config = utterances(30), SEDConfig()
    best = tune_decoder(items, config, temperature=1.0)
    assert set(best) == set(GRIDS)
    rates = [result["eder"] for result in best.values()]
    assert rates == sorted(rates) and rates[0] < 0.5 * best["argmax"]["eder"]
    references, durations = [item.annotation.segments for item in items], [item.annotation.duration for item in items]
    for result in best.values():
        found = decode_utterances(items, config, result["decoder"])
        assert score_segments(found, references, durations)["eder"] == pytest.approx(result["eder"], abs=1e-12)


def test_the_command_stores_what_the_pipeline_then_does(model_folder: Path, tmp_path: Path):
    model = tmp_path / "model"
    shutil.copytree(model_folder, model)
    rows = []
    for number in range(4):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, 0.1 * np.random.default_rng(number).standard_normal(16_000), 16_000)
        segments = [{"start": 0.5, "end": 1.0, "label": "sad"}]
        audio = {"path": None, "bytes": path.read_bytes()}
        rows.append({"name": str(number), "audio": audio, "duration": 1.0, "segments": segments})
    DatasetDict({"validation": Dataset.from_list(rows)}).save_to_disk(tmp_path / "data")
    done = run("tune", "--model", model, "--dataset", tmp_path / "data", "--decoder", "median")
    assert done.returncode == 0, done.stderr
    stored = json.loads((model / "config.json").read_text())
    assert stored["decoder"]["name"] == "median" and stored["posterior_temperature"] != 1.0
    assert f'"duration": {stored["decoder"]["duration"]}' in done.stdout

    waveform = 0.1 * np.random.default_rng(9).standard_normal(32_000).astype(np.float32)
    tuned, before = (pipeline(modeling_sed.TASK, model=str(folder)) for folder in (model, model_folder))
    assert tuned(waveform) == tuned(waveform, decoder=stored["decoder"])
    # a bare name is the same decoder on every model, whatever was fitted
    defaults = [diarize(waveform, decoder="median", temperature=1.0) for diarize in (tuned, before)]
    assert defaults[0] == defaults[1] == tuned(waveform, decoder={"name": "median", "duration": 0.5}, temperature=1.0)
    labels = [[(s["start"], s["label"]) for s in diarize(waveform, decoder="argmax")] for diarize in (tuned, before)]
    assert labels[0] == labels[1] and len(tuned(waveform)) < len(labels[0])
    scores = tuned(waveform, return_scores=True)
    expected = temper(before(waveform, return_scores=True)["posteriors"], stored["posterior_temperature"])
    np.testing.assert_allclose(scores["posteriors"], expected, atol=1e-6)
    assert scores["segments"] == tuned(waveform) and scores["frame_times"][-1] == 2.0


def test_wrong_names_are_refused(model_folder: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="no decoder 'viterbi'"):
        SEDConfig(decoder={"name": "viterbi"})
    with pytest.raises(ValueError, match="no decoder 'viterbi'"):
        pipeline(modeling_sed.TASK, model=str(model_folder))(np.zeros(16_000, np.float32), decoder="viterbi")
    for arguments, code in (
        (("tune", "--dataset", tmp_path), 1),  # no dataset
        (("diarize", "--decoder", "viterbi", tmp_path / "a.wav"), 2),
    ):
        done = run(*arguments, "--model", model_folder)
        assert done.returncode == code and "Traceback" not in done.stderr


def test_a_failure_leaves_the_model_as_it_was(model_folder: Path, monkeypatch: pytest.MonkeyPatch):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder))
    diarize.model.config.posterior_temperature = 3.0
    audio = {"path": None, "bytes": b"no audio"}
    rows = Dataset.from_list([{"name": "bad", "audio": audio, "duration": 1.0, "segments": []}])
    with pytest.raises(modeling_sed.InputError):
        tuning.posteriors_of(diarize, rows)
    monkeypatch.setattr(tuning, "tune_decoder", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tuning.fit(utterances(3), diarize.model.config)
    assert diarize.model.config.posterior_temperature == 3.0 and diarize.model.config.decoder is None
