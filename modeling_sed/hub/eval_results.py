"""Evaluation results in the Hub's own form, ``.eval_results/*.yaml``, for leaderboards of benchmark datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

EVAL_RESULTS_FILE = ".eval_results/eder.yaml"
TASK = "eder"  # as in the eval.yaml of datasets that the builder publishes


def write_eval_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Writes the file into a model's folder if the model was scored on a dataset of the Hub; else none is left there.

    Args:
        folder: of the model.
        results: what train_sed.py writes to results.json.
    """
    path, origin = folder / EVAL_RESULTS_FILE, results["data"]
    path.unlink(missing_ok=True)
    if origin["hub_id"]:
        path.parent.mkdir(exist_ok=True)
        text = eval_results(results, origin["hub_id"], origin["revision"], results["options"]["hub_model_id"])
        path.write_text(text, encoding="utf-8")


def eval_results(
    results: Mapping[str, Any], dataset_id: str, revision: str | None = None, model_id: str | None = None
) -> str:
    """The test split's Emotion Diarization Error Rate, as YAML.

    Args:
        results: what train_sed.py writes to results.json.
        dataset_id: hub id of the dataset.
        revision: commit of the dataset, if it is known.
        model_id: hub id of the model, whose report is named as the source.
    """
    low, high = results["confidence_interval"]["eder"]
    entry = EvalResultEntry(
        dataset_id=dataset_id,
        task_id=TASK,
        value=round(results["eder"], 6),
        dataset_revision=revision,
        date=results["date"],
        source_url=f"https://huggingface.co/{model_id}/blob/main/report.md" if model_id else None,
        source_name="report" if model_id else None,
        notes=f"a rate, lower is better; 95 % interval {low:.4f} to {high:.4f}",
    )
    return yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True)
