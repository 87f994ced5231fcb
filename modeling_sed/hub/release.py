"""A whole family on the Hub under one name: dataset, metrics, model and demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..dataset_scripts.publishing import DatasetUpload
from ..dataset_scripts.repository import Upload
from ..frames_sed import InputError
from .demo import demo_upload
from .metric_modules import MODULES, module_upload
from .model_upload import RESULTS_FILE, model_upload


def release_uploads(
    repo_id: str, model: str | Path, dataset: str | Path | None = None, *, metrics: bool = True, demo: bool = True
) -> Iterator[Upload | DatasetUpload]:
    """The parts of a release, in the order in which they need each other.

    Dataset, model and demo are all called ``repo_id``, the metrics ``NAMESPACE/eder`` and so on. The model names the
    dataset in its card and its evaluation results if it was trained on that.

    Args:
        repo_id: ``NAMESPACE/NAME``.
        model: folder of the model.
        dataset: folder of a dataset that the builder has written.
        metrics: whether the metrics are a part.
        demo: whether the demo is a part.

    Raises:
        InputError: if a folder is not what it should be, or the demo would have the name of a metric.
    """
    namespace, _, name = repo_id.partition("/")
    if metrics and demo and name in MODULES:
        raise InputError(f"{repo_id}: the metric {name} is a Space of this name; choose another one, or --no-metrics.")
    data = DatasetUpload(dataset, repo_id) if dataset else None
    own_data = data is not None and data.digest == _trained_on(Path(model))
    parts = [model_upload(model, repo_id, dataset_id=repo_id if own_data else None)]
    if data:
        yield data
    if metrics:
        yield from (module_upload(module, namespace) for module in MODULES)
    yield from parts
    if demo:
        yield demo_upload(repo_id, repo_id)


def _trained_on(model: Path) -> str | None:
    """The digest of the dataset that a model was trained on, as its results.json has it."""
    try:
        return json.loads((model / RESULTS_FILE).read_text(encoding="utf-8"))["data"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
