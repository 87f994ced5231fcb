"""Answers of a small model, kept on disk, and what is said of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import DatasetDict

from benchmarks.accuracy import answers
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.answers import ALL_NEUTRAL, ARGMAX, MOST_FREQUENT, OWN, Answered, answer_tests
from benchmarks.accuracy.scores import ALL, by_corpus, score
from modeling_sed import InputError, SEDConfig
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.evaluation.tuning import UtterancePosteriors


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Path:
    """A model that has a decoder and a temperature, as training leaves it."""
    folder = shutil.copytree(model_folder, tmp_path / "run")
    fit(folder, {"name": "minimum_duration", "duration": 0.5}, 2.0)
    (folder / "results.json").write_text(json.dumps({"majority_emotion": "sad"}))
    return folder


def fit(folder: Path, decoder: dict, temperature: float) -> None:
    config = SEDConfig.from_pretrained(folder)
    config.decoder, config.posterior_temperature = decoder, temperature
    config.save_pretrained(folder)


@pytest.fixture(scope="session")
def tested(benchmark: DatasetDict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few utterances of the test split, on disk."""
    folder = tmp_path_factory.mktemp("tested")
    DatasetDict(test=benchmark["test"].select(range(0, len(benchmark["test"]), 3))).save_to_disk(str(folder))
    return folder


def test_posteriors_are_computed_once(run: Path, tested: Path, tmp_path: Path):
    found = answer_tests([run], [tested], tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    fit(run, {"name": "argmax"}, 1.0)
    (run / "model.safetensors").touch()
    (written,) = [file.stat().st_mtime_ns]
    again = answer_tests([run], [tested], tmp_path / "cache")
    assert [path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()] == [written]
    for before, after in zip(found, again, strict=True):
        assert before.answers[ARGMAX] == after.answers[ARGMAX] == after.answers[OWN]
        assert np.sqrt(after.truth.posteriors) / np.sqrt(after.truth.posteriors).sum(1, keepdims=True) == pytest.approx(
            before.truth.posteriors, abs=1e-6
        )
        assert len(after.truth.frame_times) == len(after.truth.frame_labels) + 1 == len(after.truth.posteriors) + 1
        assert after.answers[ALL_NEUTRAL] == []
        assert [segment["label"] for segment in after.answers[MOST_FREQUENT]] == ["sad"]


def test_another_model_or_test_has_posteriors_of_its_own(run: Path, tested: Path, tmp_path: Path, benchmark):
    rows = benchmark["test"].select(range(2))
    digests = {answers._digest(run, rows)}
    weights = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    digests |= {answers._digest(run, rows), answers._digest(run, answers.dataset_split(tested, "test"))}
    assert len(digests) == 3


def test_what_is_no_run_or_no_test_is_refused(run: Path, tested: Path, tmp_path: Path):
    with pytest.raises(InputError, match="got 2 runs and 1 tests"):
        answer_tests([run, run], [tested], tmp_path)
    with pytest.raises(InputError, match="is not a dataset with a split 'test'"):
        answer_tests([run], [tmp_path], tmp_path)
    (run / "results.json").write_text("{}")
    with pytest.raises(InputError, match=r"results\.json does not tell .* a run of train_sed\.py"):
        answer_tests([run], [tested], tmp_path)


def answered(name: str, corpus: str, own: list[dict], truth: list[dict], duration: float = 4.0) -> Answered:
    posteriors = np.tile([0.7, 0.1, 0.1, 0.1], (4, 1))
    item = UtterancePosteriors(Annotation(name, truth, duration), posteriors, np.array([0, 0, 2, 2]), np.arange(5.0))
    throughout = [{"start": 0.0, "end": duration, "label": "sad"}]
    answer = {OWN: own, ARGMAX: [], ALL_NEUTRAL: [], MOST_FREQUENT: throughout}
    return Answered(corpus, f"{corpus}/{name}", item, answer)


def test_scores_of_a_case_that_can_be_counted():
    sad = {"start": 2.0, "end": 4.0, "label": "sad"}
    utterances = [
        answered("a", "one", own=[sad | {"start": 1.0}], truth=[sad]),
        answered("b", "two", own=[sad | {"label": "happy"}], truth=[sad]),
    ]
    found = score(utterances)
    assert found[OWN]["eder"] == pytest.approx((0.25 + 0.5) / 2)
    assert (found[OWN]["false_alarm"], found[OWN]["confusion"]) == pytest.approx((0.125, 0.25))
    assert found[OWN]["sequences"] == 0.5
    assert found[OWN]["boundaries"]["onset"]["median"] == pytest.approx(1.0)
    assert found[OWN]["seconds"]["sad"] == pytest.approx({"neutral": 0, "happy": 2, "sad": 2})
    assert [found[name]["eder"] for name in (ARGMAX, ALL_NEUTRAL, MOST_FREQUENT)] == [0.5, 0.5, 0.5]
    assert found["calibration_error"] == pytest.approx(0.2)  # 70 % sure, 50 % right
    assert found[OWN]["interval"] == pytest.approx((0.25, 0.5))  # that of two speakers
    parts = by_corpus(utterances)
    assert list(parts) == [ALL, "one", "two"] and score(parts["two"])[OWN]["eder"] == 0.5


def test_commands(run: Path, tested: Path, tmp_path: Path, capsys):
    common = ["--tests", str(tested), "--cache", str(tmp_path / "cache")]
    main(["score", str(run), *common])
    table = capsys.readouterr().out
    assert "EDER, own decoder" in table and "EDER, most frequent emotion" in table and "true label, argmax" in table
    main(["compare", "--first", str(run), "--second", str(run), *common])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("own decoder, all"))
    # of one speaker, there is no interval
    assert line.split()[-8:] == ["1.000", "nan", "to", "nan", "+0.00", "+nan", "to", "+nan"]
