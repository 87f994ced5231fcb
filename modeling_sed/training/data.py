"""The splits of a dataset, and the batches of them that a process gets."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute
import torch
from accelerate import Accelerator
from datasets import Dataset, IterableDataset, load_dataset, load_from_disk
from datasets.config import DOWNLOADED_DATASETS_PATH, HF_DATASETS_CACHE
from datasets.exceptions import DatasetsError
from huggingface_hub.constants import HF_HUB_CACHE
from torch.utils.data import DataLoader

from ..annotations.dataset_rows import as_segments, with_encoded_audio
from ..checkpoints.yaml_files import read_yaml
from ..dataset_scripts.sed import SED
from ..dataset_scripts.simulation import NEUTRAL
from ..frames_sed import InputError
from .arguments import TrainingOptions
from .batching import balanced, grouped, make_batches, share_of_process, shuffled
from .collation import SEDDataCollator

SPLITS = ("train", "validation", "test")
COLUMNS = {"name", "audio", "duration", "segments"}
ROWS_AT_ONCE = 1_000
SHUFFLED_TOGETHER = 1_000  # utterances in the shuffle buffer of a stream


def load_splits(options: TrainingOptions) -> dict[str, Dataset | IterableDataset]:
    """The train, validation and test splits; the train split is a stream if the options say so.

    Raises:
        InputError: if there is no such dataset, a split or column is missing, a split is empty or has a label that is
            not among the options' labels.
    """
    name = options.dataset_name
    splits = _stream(name) if options.streams else _load(name)
    missing = [split for split in SPLITS if split not in splits or _is_empty(splits[split])]
    if missing:
        raise InputError(f"{name}: no utterances in the split(s) {', '.join(missing)}.")
    for split in SPLITS:
        if isinstance(splits[split], IterableDataset):
            continue  # the collator checks every utterance when it is read
        if lacking := sorted(COLUMNS - set(splits[split].column_names)):
            raise InputError(
                f"{name}: the {split} split lacks the column(s) {', '.join(lacking)}; it has "
                f"{', '.join(splits[split].column_names)}. Was it built by an earlier version? Then build it again."
            )
        found = {segment["label"] for segments in splits[split]["segments"] for segment in as_segments(segments)}
        if unknown := sorted(found - set(options.labels)):
            raise InputError(
                f"{name}: the {split} split has the label(s) {', '.join(unknown)}, "
                f"which the model does not know: its labels are {', '.join(options.labels)}."
            )
    return splits


def audio_folders(name: str) -> list[Path | str]:
    """Where files have to be that rows of a dataset name, as `row_audio` takes them.

    They are in its folder; for a dataset of the Hub, in its repository, or in the caches.
    """
    if Path(name).is_dir():
        return [Path(name)]
    caches = [HF_DATASETS_CACHE, HF_HUB_CACHE, DOWNLOADED_DATASETS_PATH]
    return [*map(Path, caches), f"hf://datasets/{name}@", f"hf://datasets/{name}/"]


def fingerprint(splits: Mapping[str, Dataset | IterableDataset]) -> str:
    """Changes when the utterances that are trained and validated on do; of a stream, which is not known, never.

    Audio counts by its size in bytes, which is read at once. Where a dataset lies, and when it was written, does not
    matter.
    """
    digest = hashlib.sha256()
    for split in ("train", "validation"):
        if isinstance(rows := splits[split], IterableDataset):
            continue
        table = rows.with_format("arrow").remove_columns([name for name in rows.column_names if name not in COLUMNS])
        for part in table.iter(ROWS_AT_ONCE):
            content = pyarrow.compute.struct_field(part["audio"], "bytes")
            sizes = pyarrow.compute.binary_length(content).to_pylist()
            others = part.select(sorted(COLUMNS - {"audio"})).to_pylist()
            digest.update(json.dumps([split, sizes, others]).encode())
    return digest.hexdigest()[:16]


def _load(name: str) -> dict[str, Dataset]:
    try:
        splits = load_from_disk(name) if Path(name).is_dir() else load_dataset(name)
    except (OSError, DatasetsError) as error:
        raise InputError(f"Cannot load the dataset {name}: {error}") from error
    return {split: with_encoded_audio(rows) for split, rows in splits.items()} if isinstance(splits, dict) else {}


def _stream(name: str) -> dict[str, Dataset | IterableDataset]:
    """The train split as a stream; the others, which are small, in memory."""
    if name.endswith((".yaml", ".yml")):
        splits = _rendered_stream(Path(name))
    elif Path(name).is_dir():
        splits = {split: rows.to_iterable_dataset() for split, rows in _load(name).items()}
    else:
        splits = {split: with_encoded_audio(rows) for split, rows in load_dataset(name, streaming=True).items()}
    return {split: rows if split == "train" else Dataset.from_list(list(rows)) for split, rows in splits.items()}


def _rendered_stream(path: Path) -> dict[str, IterableDataset]:
    """The splits of the builder, with the options in the file; nothing is written."""
    options = read_yaml(path)
    return SED(options.pop("config_name", "benchmark"), **options).as_streaming_dataset()


def _is_empty(rows: Dataset | IterableDataset) -> bool:
    return next(iter(rows), None) is None if isinstance(rows, IterableDataset) else len(rows) == 0


@dataclass
class Batches(torch.utils.data.Dataset):
    """Collated batches of a split, by number.

    Attributes:
        rows: the split.
        plan: for each batch the numbers of its utterances, and whether it counts.
        collator: makes a batch of rows.
    """

    rows: Dataset
    plan: list[tuple[list[int], bool]]
    collator: SEDDataCollator

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        numbers, counts = self.plan[index]
        return self.collator(self.rows.select(numbers).to_list(), counts)


@dataclass
class StreamedBatches(torch.utils.data.IterableDataset):
    """Collated batches of a split that is read during training. See `Batches`.

    Attributes:
        plan: for each batch its rows, and whether it counts.
        collator: makes a batch of rows.
    """

    plan: Iterator[tuple[list[dict[str, Any]], bool]]
    collator: SEDDataCollator

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        for rows, counts in self.plan:
            yield self.collator(rows, counts)


def train_loader(
    rows: Dataset | IterableDataset,
    collator: SEDDataCollator,
    options: TrainingOptions,
    accelerator: Accelerator,
    epoch: int,
    first_batch: int = 0,
) -> DataLoader:
    """Batches of the train split for this process, in an order that depends on the seed and the epoch alone.

    Args:
        rows: the split.
        collator: makes batches.
        options: of the run.
        accelerator: gives the number of processes and the index of this one.
        epoch: from 0.
        first_batch: number of batches to skip in this process, as a resumed run has trained on them.
    """
    packing = (options.per_device_train_batch_size, options.max_batch_seconds)
    process = (accelerator.process_index, accelerator.num_processes)
    collator = replace(collator, epoch=epoch)
    if isinstance(rows, IterableDataset):
        stream = rows.shuffle(seed=options.seed, buffer_size=SHUFFLED_TOGETHER)
        stream.set_epoch(epoch)
        generator = random.Random(f"{options.seed}/{epoch}")
        row_batches = make_batches(stream, lambda row: row["duration"], *packing, generator)
        row_plan = islice(share_of_process(row_batches, *process), first_batch, None)
        return _loader(StreamedBatches(row_plan, collator), 0, accelerator)
    durations = rows["duration"][:]
    order, generator = _order(rows, options, epoch)
    batches = make_batches(order, durations.__getitem__, *packing, generator)
    plan = list(share_of_process(batches, *process))[first_batch:]
    return _loader(Batches(rows, plan, collator), options.dataloader_num_workers, accelerator)


def _order(rows: Dataset, options: TrainingOptions, epoch: int) -> tuple[Sequence[int], random.Random]:
    """The numbers of an epoch's utterances, and the generator for other random choices in it."""
    if not options.balance:
        return shuffled(len(rows), options.seed, epoch)
    corpora = rows["corpus"][:] if "corpus" in rows.column_names else [""] * len(rows)
    emotions = [{segment["label"] for segment in as_segments(segments)} - {NEUTRAL} for segments in rows["segments"]]
    groups = [f"{corpus}: {', '.join(sorted(found))}" for corpus, found in zip(corpora, emotions, strict=True)]
    return balanced(groups, options.seed, epoch)


def batches_in_epoch(rows: Dataset, options: TrainingOptions, num_processes: int) -> int:
    """How many batches of the first epoch each process gets."""
    order, generator = _order(rows, options, 0)
    durations = rows["duration"][:]
    packing = (options.per_device_train_batch_size, options.max_batch_seconds)
    batches = make_batches(order, durations.__getitem__, *packing, generator)
    return sum(1 for _ in share_of_process(batches, 0, num_processes))


def eval_loader(
    rows: Dataset, collator: SEDDataCollator, options: TrainingOptions, accelerator: Accelerator
) -> tuple[DataLoader, list[tuple[list[int], bool]]]:
    """Batches of a whole split for this process, by duration; and the numbers of the utterances in them."""
    order = np.argsort(rows["duration"], kind="stable").tolist()
    batches = grouped(order, options.per_device_eval_batch_size)
    plan = list(share_of_process(batches, accelerator.process_index, accelerator.num_processes))
    return _loader(Batches(rows, plan, collator), options.dataloader_num_workers, accelerator), plan


def _loader(batches: torch.utils.data.Dataset, num_workers: int, accelerator: Accelerator) -> DataLoader:
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=num_workers,
        pin_memory=accelerator.device.type == "cuda",
        generator=torch.Generator(),  # its own: loaders must not draw from the generator that dropout draws from
    )
