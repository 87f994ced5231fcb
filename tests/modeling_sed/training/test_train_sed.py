"""Training, for real: one and two processes, from a dataset on disk, the Hub or a stream to a model that opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from datasets import load_from_disk
from huggingface_hub import ModelCard, parse_eval_result_entries
from safetensors.torch import load_file
from transformers import AutoFeatureExtractor, pipeline

import modeling_sed
import train_sed
from modeling_sed import InputError, SEDForAudioFrameClassification
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.evaluation import frame_error_rate, predict
from tests.local_hub import LocalHub
from tests.modeling_sed.training.conftest import train, train_here


def test_training_leaves_a_model_and_its_scores(data: Path, encoder: Path, tmp_path: Path):
    run = tmp_path / "run"
    options = ("--dataset", data, "--encoder", encoder, "--output-dir", run, "--num-train-epochs", 2)
    done = train(*options, "--report-to", "tensorboard")
    assert done.returncode == 0, done.stderr
    results = json.loads((run / "results.json").read_text())
    components = [results[name] for name in ("false_alarm", "missed_emotion", "confusion", "overlap")]
    assert results["eder"] == pytest.approx(sum(components), abs=1e-12)
    assert results["eder_all_neutral"] == pytest.approx(0.6)  # 0.6 of 1 s is emotional, in every utterance
    # the majority emotion is right in one utterance of three, but for 0.4 s
    assert results["eder_majority"] == pytest.approx((0.4 + 1 + 1) / 3)
    assert [item["step"] for item in results["history"]] == [6, 12]
    diarize = pipeline(modeling_sed.TASK, model=str(run))
    assert diarize({"array": np.zeros(16_000), "sampling_rate": 16_000})[-1]["end"] == 1.0
    config = diarize.model.config  # what was fitted on validation is what the model does from now on
    assert config.decoder == results["decoder"] == next(iter(results["tuning"]["decoders"].values()))["decoder"]
    assert config.posterior_temperature == results["tuning"]["temperature"]
    rows = load_from_disk(str(data))["test"]
    references, durations = list(rows["segments"]), list(rows["duration"])
    for decoder, name in ((None, "eder"), ("argmax", "eder_argmax")):
        found = diarize(list(rows["audio"]), decoder=decoder)
        assert score_segments(found, references, durations)["eder"] == pytest.approx(results[name], abs=1e-9)
    report = (run / "report.md").read_text()
    assert f"{100 * results['eder']:.2f}" in report and "WavLM-large (the paper's)" in report
    for picture in ("learning_curves.png", "confusion.png", "worst_utterances.png"):
        assert f"({picture})" in report and (run / picture).is_file()
    assert list(run.rglob("events.out.tfevents*"))  # of TensorBoard


PUSH = "import sys; from datasets import load_from_disk; load_from_disk(sys.argv[1]).push_to_hub(sys.argv[2])"


def hub_environment(hub: LocalHub, home: Path) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1"}


def test_a_dataset_of_the_hub_trains_as_the_one_on_disk(data: Path, encoder: Path, tmp_path: Path):
    with LocalHub() as hub:
        environment = hub_environment(hub, tmp_path / "home")
        command = [sys.executable, "-c", PUSH, str(data), "someone/tones"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment}, timeout=300)
        options = ("--encoder", encoder, "--num-train-epochs", 1, "--output-dir")
        runs = {
            "disk": ("--dataset", data),
            "hub": ("--dataset", "someone/tones"),
            "stream": ("--dataset", "someone/tones", "--streaming"),
        }
        for name, dataset in runs.items():
            done = train(*dataset, *options, tmp_path / name, **environment)
            assert done.returncode == 0, done.stderr
    disk, hub, stream = (json.loads((tmp_path / name / "results.json").read_text()) for name in runs)
    assert disk["history"] == hub["history"] and disk["eder"] == hub["eder"]
    assert stream["history"][0]["step"] == 6  # in another order: a stream is shuffled as it comes
    assert stream["utterances"] == disk["utterances"]
    assert not (tmp_path / "disk" / ".eval_results").exists()  # leaderboards are those of datasets of the Hub
    (entry,) = parse_eval_result_entries(yaml.safe_load((tmp_path / "hub" / ".eval_results" / "eder.yaml").read_text()))
    assert (entry.dataset_id, entry.dataset_revision) == ("someone/tones", "0" * 40)
    assert entry.value == pytest.approx(hub["eder"], abs=1e-6) and entry.date == hub["date"]
    card = ModelCard.load(tmp_path / "hub" / "README.md")
    assert card.data.datasets == ["someone/tones"] and card.data.eval_results[0].dataset_revision == "0" * 40


def test_training_renders_what_was_not_built(encoder: Path, ravdess: Path, tmp_path: Path):
    options = {"corpora": {"ravdess": str(ravdess)}, "split_by": "speaker", "seed": 1}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(options))
    done = train(
        *("--dataset", tmp_path / "data.yaml", "--encoder", encoder, "--output-dir", tmp_path / "run"),
        *("--max-steps", 2, "--per-device-train-batch-size", 4),
        HF_DATASETS_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["utterances"] == 9 and [item["step"] for item in results["history"]] == [2]


def assert_same_weights(first: Path, second: Path, **tolerance: float) -> None:
    expected, actual = (load_file(folder / "model.safetensors") for folder in (first, second))
    assert expected.keys() == actual.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, **tolerance, msg=f"{second.name}: {name}")


@pytest.mark.parametrize(
    "batches", [{"per_device_train_batch_size": 1}, {"max_batch_seconds": 3}], ids=["size", "seconds"]
)
def test_two_processes_train_as_one(odd_data: Path, encoder: Path, tmp_path: Path, batches: dict):
    common = {"dataset": odd_data, "encoder": encoder, "num_train_epochs": 1, "encoder_learning_rate": 1e-3} | batches
    train_here(**common, gradient_accumulation_steps=4, output_dir=tmp_path / "one")
    options = [str(part) for name, value in common.items() for part in (f"--{name}", value)]
    two = ("--gradient-accumulation-steps", 2, "--output-dir", tmp_path / "two")
    done = train(*options, *two, processes=2)
    assert done.returncode == 0, done.stderr
    runs = ["one", "two"]
    if "per_device_train_batch_size" in batches:
        train_here(**common | {"per_device_train_batch_size": 4}, output_dir=tmp_path / "larger")
        runs.append("larger")
    results = {name: json.loads((tmp_path / name / "results.json").read_text()) for name in runs}
    assert results["two"]["num_processes"] == 2  # a launcher that silently ran one would prove nothing
    for name in runs:
        assert_same_weights(tmp_path / "one", tmp_path / name, atol=2e-5, rtol=1e-4)
        assert results[name]["history"][0]["step"] == results["one"]["history"][0]["step"] > 1
        assert results[name]["history"][0]["train_loss"] == pytest.approx(results["one"]["history"][0]["train_loss"])
        assert results[name]["utterances"] == 3


def test_training_stops_early(data: Path, encoder: Path, tmp_path: Path):
    rates = {"encoder_learning_rate": 1e-12, "head_learning_rate": 1e-12}  # nothing changes, so nothing improves
    common = {"dataset": data, "encoder": encoder, "output_dir": tmp_path / "run", "num_train_epochs": 9} | rates
    results = train_here(**common, early_stopping_patience=2)
    assert [item["epoch"] for item in results["history"]] == [1, 2, 3]


@pytest.mark.parametrize(
    "options",
    [
        ("--mixed-precision", "bf16", "--gradient-checkpointing"),
        ("--lora-rank", 4, "--head-learning-rate", 1e-2, "--encoder-learning-rate", 1e-2),
        (
            "--dataloader-num-workers",
            2,
            "--lr-scheduler-type",
            "linear",
            "--warmup-steps",
            2,
            "--use-weighted-layer-sum",
        ),
    ],
    ids=["bf16", "lora", "workers"],
)
def test_what_is_saved_is_what_was_best(data: Path, encoder: Path, tmp_path: Path, options: tuple):
    run = tmp_path / "run"
    done = train("--dataset", data, "--encoder", encoder, "--output-dir", run, "--num-train-epochs", 3, *options)
    assert done.returncode == 0, done.stderr
    results = json.loads((run / "results.json").read_text())
    model = SEDForAudioFrameClassification.from_pretrained(run)
    feature_extractor = AutoFeatureExtractor.from_pretrained(run)
    assert not [name for name in model.state_dict() if "lora" in name]
    defaults = TrainingOptions(dataset=str(data), encoder="", output_dir="")
    collator = SEDDataCollator(feature_extractor, model.config)
    rows = load_from_disk(str(data))["validation"]
    # A model that has learnt this little is undecided: for half of the frames the two most probable labels differ by
    # less than 0.02, so which one wins depends on the precision and, in bf16, on the processor. The weights are those
    # of the best epoch if the rate is the same in the precision of the training.
    torch.set_num_threads(1)  # as in the process that trained
    with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in options):
        again = predict(Accelerator(cpu=True), model, rows, collator, defaults)
    assert frame_error_rate(again) == pytest.approx(results["best_validation_frame_error_rate"], abs=1e-9)
    for one, other in zip(again, predict(Accelerator(cpu=True), model, rows, collator, defaults), strict=True):
        np.testing.assert_allclose(one.posteriors, other.posteriors, atol=0.05)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--labels", "neutral", "happy"], 1, "label(s) angry, sad, which the model does not know"),
        (["--encoder", "{folder}/bert.json"], 1, "'bert' is not supported: use one of wavlm, wav2vec2, hubert"),
        (["--dataset", "{data}/train"], 1, "no utterances in the split(s) train, validation, test"),
        (["--per-device-train-batch-size", "0"], 1, "--per-device-train-batch-size must be at least 1; got 0"),
        (["--lr-scheduler-type", "step"], 1, "--lr-scheduler-type is newbob or one of linear, cosine"),
        (["--warmup-steps", "5"], 1, "--warmup-steps needs another --lr-scheduler-type than newbob"),
        (["--streaming", "--lr-scheduler-type", "cosine"], 1, "needs --max-steps here"),
        (["--streaming", "--balance"], 1, "--balance needs the whole train split"),
        (["--train-last-layers", "3"], 1, "--train-last-layers 3: the encoder has 2 layers"),
        (["--lora-rank", "4", "--lora-target-modules", "nonsense"], 1, "nonsense"),
        (["--train-last-layers", "1", "--lora-rank", "4"], 1, "Choose one of"),
        (["--augment-noises", "{folder}"], 1, "holds no audio files"),
        (["--config", "{folder}/unknown.yaml"], 1, "unknown option(s) learning_rat"),
        (["--learning-rat", "3"], 2, "--learning-rat"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(
    data: Path, encoder: Path, tmp_path: Path, monkeypatch, capsys, options: list[str], code: int, message: str
):
    (tmp_path / "bert.json").write_text('{"model_type": "bert"}')
    (tmp_path / "unknown.yaml").write_text("learning_rat: 3")
    options = [option.format(data=data, folder=tmp_path) for option in options]
    given = ["--dataset", data, "--encoder", encoder, "--output-dir", tmp_path / "run", *options]
    monkeypatch.setattr(sys, "argv", ["train_sed.py", *map(str, given)])
    with pytest.raises(InputError if code == 1 else SystemExit) as stopped:
        train_sed.main()
    if code == 1:
        assert message in str(stopped.value)
    else:
        assert stopped.value.code == code and message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_seeds_are_reported_together_and_the_best_is_published(data: Path, encoder: Path, tmp_path: Path):
    with LocalHub() as hub:
        common = ("--dataset", data, "--encoder", encoder, "--num-train-epochs", 1, "--output-dir", tmp_path / "runs")
        publishing = (
            "--seeds",
            1,
            2,
            "--push-to-hub",
            "--hub-model-id",
            "someone/tones-model",
            "--license",
            "cc-by-nc-sa-4.0",
        )
        done = train(*common, *publishing, **hub_environment(hub, tmp_path / "home"))
        assert done.returncode == 0, done.stderr
        published = hub.repositories["models/someone/tones-model"]
    summary = json.loads((tmp_path / "runs" / "results.json").read_text())
    rates = [run["eder"] for run in summary["runs"]]
    assert summary["eder"]["mean"] == pytest.approx(sum(rates) / 2)
    assert summary["eder"]["deviation"] == pytest.approx(abs(rates[0] - rates[1]) / 2**0.5)  # of a sample of two
    report = (tmp_path / "runs" / "report.md").read_text()
    assert f"{100 * summary['eder']['mean']:.2f} ± {100 * summary['eder']['deviation']:.2f}" in report
    assert published.keys() >= {"config.json", "model.safetensors", "preprocessor_config.json", "modeling_sed.py"}
    assert not [name for name in published if name.startswith(("checkpoints", "."))]
    card = published["README.md"].decode()
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["license"] == "cc-by-nc-sa-4.0" and "# someone/tones-model\n" in card
    assert metadata["model-index"][0]["results"][0]["metrics"][0]["type"] == "eder"
