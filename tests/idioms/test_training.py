"""transformers' Trainer, datasets and evaluate, as people use them, on a dataset that the builder has saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest
from datasets import Dataset, DatasetDict, load_dataset, load_from_disk
from transformers import EvalPrediction, Trainer, TrainingArguments, pipeline

import modeling_sed
from modeling_sed import InputError, SEDDataCollator, eder_metrics
from modeling_sed.dataset_scripts.build import build
from tests.conftest import REPOSITORY, small_model
from tests.dataset_scripts.conftest import ravdess  # noqa: F401 - a fixture of these tests, too

LABELS = ("neutral", "happy", "sad", "angry")


@pytest.fixture(scope="module")
def folder(ravdess: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """What the builder saves."""
    out = tmp_path_factory.mktemp("built") / "OUT"
    build(out, "benchmark", corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)
    return out


@pytest.fixture
def data(folder: Path) -> DatasetDict:
    return load_from_disk(str(folder))


def new_trainer(rows: Dataset, folder: Path, **options: Any) -> Trainer:
    """As docs/training.md has it."""
    model = small_model()
    extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    arguments = {"max_steps": 2, "remove_unused_columns": False, "report_to": [], "use_cpu": True, **options}
    return Trainer(
        model,
        TrainingArguments(str(folder), **arguments),
        data_collator=SEDDataCollator(extractor, model.config),
        train_dataset=rows,
        eval_dataset=rows,
        processing_class=extractor,
        compute_metrics=eder_metrics(model.config),
    )


def test_a_trainer_trains_evaluates_and_saves(data: DatasetDict, tmp_path: Path):
    trainer = new_trainer(data["train"], tmp_path, per_device_eval_batch_size=2, learning_rate=1e-3, max_steps=4)
    before = trainer.evaluate()
    assert trainer.train().training_loss > 0
    after = trainer.evaluate()
    assert {"eval_eder", "eval_missed_emotion", "eval_false_alarm", "eval_frame_error_rate"} < after.keys()
    assert after["eval_loss"] < before["eval_loss"] and after["eval_eder"] >= 0
    trainer.save_model()
    saved = {path.name for path in tmp_path.iterdir()}
    assert {"model.safetensors", "preprocessor_config.json", "pipeline_sed.py", "audio_files_sed.py"} <= saved
    diarize = pipeline(model=str(tmp_path))
    assert diarize(data["train"]["audio"])[0][0]["label"] in LABELS


def test_a_trainer_keeps_the_best_and_resumes(data: DatasetDict, tmp_path: Path):
    options = {"eval_strategy": "steps", "eval_steps": 1, "save_steps": 1, "metric_for_best_model": "eder"}
    trainer = new_trainer(data["train"], tmp_path, **options, greater_is_better=False, load_best_model_at_end=True)
    trainer.train()
    assert trainer.state.best_metric == min(row["eval_eder"] for row in trainer.state.log_history if "eval_eder" in row)
    again = new_trainer(data["train"], tmp_path, max_steps=3)
    again.train(resume_from_checkpoint=True)
    assert again.state.global_step == 3


@pytest.mark.parametrize(
    "options", [{"gradient_checkpointing": True}, {"gradient_accumulation_steps": 2}, {"bf16": True}], ids=str
)
def test_options_of_a_trainer(options: dict[str, Any], data: DatasetDict, tmp_path: Path):
    assert new_trainer(data["train"], tmp_path, **options).train().global_step == 2


def test_a_stream_trains(data: DatasetDict, tmp_path: Path):
    assert new_trainer(data["train"].to_iterable_dataset(), tmp_path).train().global_step == 2


def test_predictions_are_scored_as_written_out(data: DatasetDict, tmp_path: Path):
    """10 frames of 20 ms, 4 of them emotional; 2 of these are missed, and 1 other frame is a false alarm: 3 / 10."""
    truth = np.array([[0] * 6 + [1] * 4 + [-100] * 2])
    found = np.array([[0] * 5 + [1] * 3 + [0] * 2 + [2] * 2])
    logits = 20.0 * np.eye(4)[found]
    scores = eder_metrics(small_model().config)(EvalPrediction(predictions=logits, label_ids=truth))
    assert scores["eder"] == pytest.approx(0.3) and scores["frame_error_rate"] == pytest.approx(0.3)
    assert scores["missed_emotion"] == pytest.approx(0.2) and scores["false_alarm"] == pytest.approx(0.1)
    predicted = new_trainer(data["train"], tmp_path).predict(data["train"])
    assert predicted.predictions.shape == (*predicted.label_ids.shape, len(LABELS))
    assert (
        predicted.metrics["test_eder"]
        == eder_metrics(small_model().config)(
            EvalPrediction(predictions=(predicted.predictions,), label_ids=predicted.label_ids)
        )["eder"]
    )


def test_unused_columns_are_what_is_needed(data: DatasetDict, tmp_path: Path):
    with pytest.raises(ValueError, match="remove_unused_columns=False"):
        new_trainer(data["train"], tmp_path, remove_unused_columns=True).train()
    collator = new_trainer(data["train"], tmp_path).data_collator
    with pytest.raises(InputError, match=r"Rows need the columns name, audio and segments; name, segments is missing"):
        collator([{"audio": data["train"][0]["audio"]}])


def test_what_the_builder_saved_is_loaded(folder: Path):
    rows = load_dataset(str(folder))["train"]
    with pytest.raises(ValueError, match="load_from_disk"):
        load_dataset(str(folder / "train"))
    if "name" not in rows.column_names:
        pytest.skip("older versions of datasets read the folder's state instead: load_from_disk, as the docs say")
    assert rows.to_list() == load_from_disk(str(folder))["train"].to_list()


def test_evaluate_scores_a_column(data: DatasetDict):
    """Its `evaluator` knows transformers' own tasks alone; a metric does what it would."""
    with pytest.raises(KeyError, match="Unknown task speech-emotion-diarization"):
        evaluate.evaluator(modeling_sed.TASK)
    model, rows = small_model(), data["train"]
    extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    diarize = pipeline(modeling_sed.TASK, model=model, feature_extractor=extractor)
    eder = evaluate.load(str(REPOSITORY / "metrics" / "eder"))
    scores = eder.compute(predictions=diarize(rows["audio"]), references=rows["segments"], durations=rows["duration"])
    assert scores["eder"] >= 0
