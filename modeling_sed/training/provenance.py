"""What results, cards and trackers tell of a run: names in place of paths of this machine, and where data are from."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypedDict

from datasets import Dataset, IterableDataset

from ..dataset_scripts.publishing import record_digest
from ..dataset_scripts.work_folder import RECORD_FILE
from .arguments import TrainingOptions

PATHS = ("dataset", "encoder", "output_dir", "augment_noises", "augment_rooms")  # options that may name a place here
LIBRARIES = ("speech-emotion-diarization", "torch", "transformers", "accelerate", "datasets")


class DataOrigin(TypedDict):
    """Where the data of a run are from.

    ``name`` is a folder's name or a hub id, ``hub_id`` and ``revision`` (a commit) are known for datasets of the Hub,
    ``digest`` (see `record_digest`) for those that the builder wrote, ``corpora`` of each split that has the column
    ``corpus`` and is no stream.
    """

    name: str
    hub_id: str | None
    revision: str | None
    digest: str | None
    corpora: dict[str, list[str]]


def provenance(options: TrainingOptions, splits: Mapping[str, Dataset | IterableDataset]) -> dict[str, Any]:
    """What a model was made of, by what, and when, for results.json."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "options": public_options(options),
        "data": data_origin(options, splits),
        "encoder_hub_id": None if Path(options.encoder).exists() else options.encoder,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
    }


def public_options(options: TrainingOptions) -> dict[str, Any]:
    """The options, without the folders that a dataset, an encoder and so on lie in on this machine."""
    values = asdict(options) | {"dataset": options.dataset_name}
    return values | {name: public_name(values[name]) for name in PATHS if values[name]}


def public_name(source: str) -> str:
    """The last part of a path of this machine; a hub id as it is."""
    path = Path(source).expanduser()
    return path.resolve().name if path.is_absolute() or path.exists() else source


def data_origin(options: TrainingOptions, splits: Mapping[str, Dataset | IterableDataset]) -> DataOrigin:
    """See `DataOrigin`."""
    source = options.dataset_name
    here = Path(source).exists()
    known = {split: rows for split, rows in splits.items() if isinstance(rows, Dataset)}
    record_file = Path(source) / RECORD_FILE
    return {
        "name": public_name(source),
        "hub_id": None if here else source,
        "revision": None if here else _revision(known.get("test")),
        "digest": record_digest(record_file.read_text(encoding="utf-8")) if record_file.is_file() else None,
        "corpora": {
            split: sorted(set(rows["corpus"])) for split, rows in known.items() if "corpus" in rows.column_names
        },
    }


def _revision(rows: Dataset | None) -> str | None:
    """The commit that a split was downloaded at: `datasets` keeps each in a folder of its own."""
    folders = [Path(file["filename"]).parent.name for file in rows.cache_files] if rows is not None else []
    return next(filter(re.compile(r"[0-9a-f]{40}").fullmatch, folders), None)
