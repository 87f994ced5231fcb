"""Builds a dataset to disk, from speech corpora to a folder that `datasets.load_from_disk` opens.

The steps: `plan_splits` finds the recordings of the corpora and plans which of them each utterance is made of. The plan
is rendered in batches, by any number of processes; each batch becomes an Arrow file in the work folder beside the
dataset, from which a build that was interrupted resumes. When all batches are there, they are copied into the dataset.
So the audio is written twice: once for resuming, once as the dataset.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import datasets
import pyarrow
from tqdm import tqdm

from ..disk.replacing import replacing
from ..disk.work_folder import beside, held, writing
from .builder import INFO, SEDBuilderConfig, annotated_row, fingerprint, in_batches, plan_splits, table_of
from .corpora.recording import EMOTIONS
from .corpora.zed import read_zed
from .errors import InputError
from .options import options_of
from .processes import process_pool
from .simulation import PlannedUtterance, plan_rows, render
from .work_folder import DATASET, RECORD_FILE, RENDERED, REPLACED, clear, prepare

PLAN_FILE = "plan.csv"  # which recordings every simulated utterance consists of
STATISTICS_FILE = "statistics.txt"
WRITTEN = {"train", "validation", "test", "dataset_dict.json", PLAN_FILE, STATISTICS_FILE, RECORD_FILE}


def build(
    output_dir: str | Path, config_name: str, *, num_proc: int | None = None, overwrite: bool = False, **options: Any
) -> datasets.DatasetDict:
    """Builds a dataset that `datasets.load_from_disk` opens; one that is there, of the same sources, is reused.

    What a build that was interrupted has made stays in a work folder beside the folder (``disk/work_folder.py``); the
    same call resumes from it. One process builds a folder at a time.

    Args:
        output_dir: the folder; new, or one that this function wrote.
        config_name: "simulated", "zed" or "benchmark".
        num_proc: processes that decode, find speech and make utterances.
        overwrite: replace a dataset of other sources or options, which is an error otherwise.
        options: of `SEDBuilderConfig`.

    Raises:
        InputError: if a source or option cannot be used, or changes while it is read; the folder holds something else
            or is being built by another process; or a file cannot be read or written.
    """
    output_dir = Path(output_dir)
    config = SEDBuilderConfig.checked(config_name, options)
    for root in filter(None, (*config.corpora.values(), config.zed, config.noises, config.rooms)):
        if output_dir.resolve().is_relative_to(Path(root).resolve()):
            raise InputError(f"{output_dir} lies in {root}, where nothing is written; choose another folder.")
    work = beside(output_dir)
    with writing(output_dir, InputError):
        record = _record(config)
        if _is_built(output_dir, record, overwrite):
            if work.exists():  # a build was killed after its last step but one
                with suppress(InputError), held(work, output_dir, InputError):
                    clear(work)
        else:
            with held(work, output_dir, InputError):
                if not _is_built(output_dir, record, overwrite):  # another process may have ended meanwhile
                    prepare(work, record)
                    _build(output_dir, config, record, work, num_proc)
    return datasets.load_from_disk(str(output_dir))


def _build(output_dir: Path, config: SEDBuilderConfig, record: str, work: Path, num_proc: int | None) -> None:
    try:
        plan = plan_splits(config, num_proc)
        # a folder of its own: a process that outlives a killed build for a moment may still write into that one's
        batches = work / RENDERED / hashlib.sha256(record.encode()).hexdigest()[:16]
        rendered = _render_splits(config, plan, batches, num_proc)
        _save(rendered, plan, record, work / DATASET)
        if _record(config) != record:
            shutil.rmtree(work / RENDERED)
            raise InputError(f"{output_dir}: the corpora changed while they were read; build again.")
        if output_dir.exists():
            output_dir.rename(work / REPLACED)
        (work / DATASET).rename(output_dir)
        clear(work)
    finally:
        if (work / RENDERED).exists():
            print(f"{work} keeps what was rendered; the same call goes on with it", file=sys.stderr)
        else:
            clear(work)


def _record(config: SEDBuilderConfig) -> str:
    """What decides the dataset's content, as JSON."""
    options = {one.name: getattr(config, one.name) for one in options_of(SEDBuilderConfig)}
    content = {"config_name": config.name, **options, "fingerprint": fingerprint(config)}
    return json.dumps(content, sort_keys=True, default=str)  # str: options may be paths


def _is_built(output_dir: Path, record: str, overwrite: bool) -> bool:
    """Whether the folder holds the dataset of a record.

    Raises:
        InputError: if it holds something else that may not be replaced.
    """
    record_file = output_dir / RECORD_FILE
    if record_file.is_file():
        if record_file.read_text(encoding="utf-8") == record:
            return True
        if not overwrite:
            raise InputError(
                f"{output_dir} holds a dataset of other sources or options; choose another folder, or --overwrite it."
            )
        if others := sorted({path.name for path in output_dir.iterdir()} - WRITTEN):
            raise InputError(
                f"{output_dir} holds files that no build has written ({', '.join(others)}), which --overwrite would "
                "delete; move them, or choose another folder."
            )
    elif output_dir.exists() and (output_dir.is_file() or any(output_dir.iterdir())):
        raise InputError(f"{output_dir} is neither empty nor a dataset of this program; choose another folder.")
    return False


def _render_splits(
    config: SEDBuilderConfig, plan: Mapping[str, Sequence[PlannedUtterance]], folder: Path, num_proc: int | None
) -> dict[str, list[Path]]:
    """Renders all utterances; returns each split's files, in the order of its rows."""
    work = {split: (render, in_batches(utterances)) for split, utterances in plan.items()}
    if config.has_zed:
        work["test"] = (annotated_row, in_batches(read_zed(config.zed)))
    parallel = num_proc is not None and num_proc > 1
    files = {}
    with process_pool(num_proc) if parallel else nullcontext() as pool:
        for split, (make_row, batches) in work.items():
            write = partial(_write_batch, make_row, folder, split)
            written = (pool.map if parallel else map)(write, count(), batches)
            files[split] = list(tqdm(written, f"making utterances of {split}", unit="batch"))
    return files


def _write_batch(make_row: Callable[[Any], dict], folder: Path, split: str, number: int, batch: Sequence[Any]) -> Path:
    """Writes the rows of a batch to an Arrow file, which has its name when it is complete; one that is there stays."""
    file = folder / f"{split}-{number:05d}.arrow"
    if not file.is_file():
        table = table_of(map(make_row, batch))
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(file) as unfinished, pyarrow.ipc.new_stream(str(unfinished), table.schema) as writer:
            writer.write_table(table)
    return file


def _save(
    rendered: Mapping[str, Sequence[Path]], plan: Mapping[str, Sequence[PlannedUtterance]], record: str, folder: Path
) -> None:
    """Writes the dataset of what was rendered; the record, which says that it is complete, last."""
    splits = datasets.DatasetDict()
    for split, files in rendered.items():
        tables = [datasets.Dataset.from_file(str(file)) for file in files]
        splits[split] = datasets.concatenate_datasets(tables, info=INFO.copy(), split=datasets.NamedSplit(split))
    statistics = format_statistics(splits)
    for rows in splits.values():
        rows.info.description += f"\n\n{statistics}"
    splits.save_to_disk(str(folder))
    _write_plan(folder / PLAN_FILE, plan_rows(plan))
    (folder / STATISTICS_FILE).write_text(statistics + "\n", encoding="utf-8")
    (folder / RECORD_FILE).write_text(record, encoding="utf-8")


def _write_plan(path: Path, rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["split"])
        writer.writeheader()
        writer.writerows(rows)


def format_statistics(splits: datasets.DatasetDict) -> str:
    """A table like Table 1 of the paper: size of each split, and the emotions' shares of all emotional time."""
    seconds = {name: Counter() for name in splits}
    for name, rows in splits.items():
        for segment in chain.from_iterable(rows["segments"]):
            seconds[name][segment["label"]] += segment["end"] - segment["start"]
    found = sorted(set().union(*seconds.values()), key=lambda label: ([*EMOTIONS, label].index(label), label))
    header = f"{'split':<12}{'utterances':>11}{'speakers':>10}{'minutes':>9}{'emotional':>11}"
    lines = [header + "".join(f"{emotion:>11}" for emotion in found)]
    for name, rows in splits.items():
        total, emotional = sum(rows["duration"]), seconds[name].total()
        speakers = len(set(zip(rows["corpus"], rows["speaker"], strict=True)))
        line = f"{name:<12}{len(rows):>11}{speakers:>10}{total / 60:>9.1f}{100 * emotional / total:>9.1f} %"
        lines.append(line + "".join(f"{100 * seconds[name][emotion] / (emotional or 1):>9.1f} %" for emotion in found))
    return "\n".join(lines)
