"""The command line of the datasets builder (run it as ``python dataset_scripts/sed.py``): builds a dataset to disk."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import datasets
from huggingface_hub import DatasetCard

from .corpora import READERS
from .corpora.recording import EMOTIONS
from .sed import CONFIGURATIONS, SED, fingerprint
from .simulation import plan_rows
from .splits import SPLIT_BY

RECORD_FILE = "sed_dataset.json"  # written last: what the folder was built from
PLAN_FILE = "plan.csv"  # which recordings every simulated utterance consists of
STATISTICS_FILE = "statistics.txt"


def main(arguments: list[str] | None = None) -> None:
    """Builds what the command line asks for; exit code 0, 1 (a source cannot be used) or 2 (usage)."""
    options = vars(_parser().parse_args(arguments))
    output_dir, num_proc, overwrite, repo_id, private = (
        options.pop(name) for name in ("output_dir", "num_proc", "overwrite", "push_to_hub", "private")
    )
    options |= {name: dict(options[name]) for name in ("corpora", "renamed")}
    try:
        splits = build(output_dir, num_proc=num_proc, overwrite=overwrite, **options)
        print(format_statistics(splits))
        if repo_id:
            publish(splits, repo_id, options["corpora"], private)
    except (ValueError, OSError, sqlite3.Error) as error:  # the errors of the Hub's client are OSErrors
        sys.exit(f"sed.py: {error}")


def build(
    output_dir: str | Path, config_name: str, *, num_proc: int | None = None, overwrite: bool = False, **options
) -> datasets.DatasetDict:
    """Builds a dataset that `datasets.load_from_disk` opens; one that is there, of the same sources, is reused.

    What a build that was interrupted has made stays beside the folder, in ``<output_dir>.partial``; the same call goes
    on with it.

    Args:
        output_dir: the folder; new, or one that this function wrote.
        config_name: "simulated", "zed" or "benchmark".
        num_proc: processes that decode, listen and make utterances.
        overwrite: replace a dataset of other sources or options, which is an error otherwise.
        options: of `SEDBuilderConfig`.

    Raises:
        ValueError: if a source or option cannot be used, or the folder holds something else.
        OSError: if something cannot be written.
    """
    output_dir = Path(output_dir)
    record = json.dumps({"config_name": config_name, **options, "fingerprint": fingerprint(options)}, sort_keys=True)
    record_file = output_dir / RECORD_FILE
    if record_file.is_file():
        if record_file.read_text(encoding="utf-8") == record:
            return datasets.load_from_disk(str(output_dir))
        if not overwrite:
            raise ValueError(
                f"{output_dir} holds a dataset of other sources or options; choose another folder, or --overwrite it."
            )
    elif output_dir.exists() and (output_dir.is_file() or any(output_dir.iterdir())):
        raise ValueError(f"{output_dir} is neither empty nor a dataset of this program; choose another folder.")

    partial = output_dir.with_name(output_dir.name + ".partial")
    _take_up(partial, record)
    try:
        builder = SED(config_name, cache_dir=str(partial / "cache"), rendered_dir=partial / "rendered", **options)
        builder.download_and_prepare(num_proc=num_proc)
        splits = builder.as_dataset()
        for split in splits.values():
            split.info.description += f"\n\n{format_statistics(splits)}"
        splits.save_to_disk(str(partial / "dataset"))
        _write_plan(partial / "dataset" / PLAN_FILE, plan_rows(builder.plan))
        (partial / "dataset" / STATISTICS_FILE).write_text(format_statistics(splits) + "\n", encoding="utf-8")
        (partial / "dataset" / RECORD_FILE).write_text(record, encoding="utf-8")
        shutil.rmtree(output_dir, ignore_errors=True)
        (partial / "dataset").rename(output_dir)
        shutil.rmtree(partial)
    except datasets.exceptions.DatasetGenerationError as error:  # what happened is its cause
        raise error.__cause__ or error from None
    finally:
        if (partial / "rendered").exists():
            print(f"{partial} keeps what was rendered; the same call goes on with it", file=sys.stderr)
        else:
            shutil.rmtree(partial, ignore_errors=True)
    return datasets.load_from_disk(str(output_dir))


def _take_up(partial: Path, record: str) -> None:
    """Keeps what an interrupted build of the same record has rendered, and nothing else."""
    record_file = partial / RECORD_FILE
    if record_file.is_file() and record_file.read_text(encoding="utf-8") == record:
        for name in ("cache", "dataset"):
            shutil.rmtree(partial / name, ignore_errors=True)
    else:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        record_file.write_text(record, encoding="utf-8")


CARD = """
# {name}

Utterances for Speech Emotion Diarization: *which emotion appears when?* Built from {corpora} with the
datasets builder of the Speech Emotion Diarization toolkit: recordings of one speaker, concatenated as in section 5.1 of
[arXiv 2306.12991](https://arxiv.org/abs/2306.12991). The licences of the corpora hold for what is made of them.

```python
from datasets import load_dataset

load_dataset("{name}")
```

| column | |
| --- | --- |
| `audio` | 16 kHz, mono, FLAC |
| `duration` | seconds |
| `segments` | `start`, `end` (seconds) and `label` of each emotional segment; the rest is neutral |
| `speaker`, `corpus`, `transcription` | of the recordings |
| `transition` | sequence of labels, as in Table 3 of the paper |
| `sources` | the recordings, where each stands in the utterance, and the stretches of the file that were kept |

```
{statistics}
```
"""


def publish(splits: datasets.DatasetDict, repo_id: str, corpora: Iterable[str], private: bool = False) -> None:
    """Pushes a dataset to the Hub as Parquet with a card, for `load_dataset(repo_id)`.

    Raises:
        huggingface_hub.errors.HfHubHTTPError: if the Hub refuses.
    """
    splits.push_to_hub(repo_id, private=private)
    card = DatasetCard.load(repo_id, repo_type="dataset")  # has what load_dataset needs to know
    card.data.task_categories = ["audio-classification"]
    card.data.tags = ["speech-emotion-diarization"]
    card.text = CARD.format(name=repo_id, corpora=", ".join(corpora) or "ZED", statistics=format_statistics(splits))
    card.push_to_hub(repo_id, repo_type="dataset")


def push_built_dataset(folder: str | Path, repo_id: str, *, private: bool = False, dry_run: bool = False) -> str:
    """Publishes a dataset that `build` wrote.

    Args:
        folder: of the dataset.
        repo_id: ``NAMESPACE/NAME``.
        private: of a new repository.
        dry_run: only list what would go up.

    Returns:
        The repository's address; or, with ``dry_run``, the files' names, a line each.

    Raises:
        FileNotFoundError: if the folder is none of `build`.
        OSError: if the Hub refuses or cannot be reached.
    """
    record_file = Path(folder) / RECORD_FILE
    if not record_file.is_file():
        raise FileNotFoundError(f"{folder} is no dataset of this program: it has no {RECORD_FILE}.")
    splits = datasets.load_from_disk(str(folder))
    if dry_run:
        return "\n".join(["README.md", *(f"data/{name}-*.parquet ({len(rows)} rows)" for name, rows in splits.items())])
    publish(splits, repo_id, json.loads(record_file.read_text(encoding="utf-8")).get("corpora", {}), private)
    return f"{datasets.config.HF_ENDPOINT}/datasets/{repo_id}"


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
        lines.append(line + "".join(f"{100 * seconds[name][emotion] / emotional:>9.1f} %" for emotion in found))
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sed.py",
        description="Builds a dataset for Speech Emotion Diarization; datasets.load_from_disk opens it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("config_name", choices=CONFIGURATIONS, help="which splits: see the top of this file")
    parser.add_argument(
        "--corpus",
        dest="corpora",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=DIR",
        help=f"a corpus to simulate from and its folder ({', '.join(READERS)}; or any name, for a folder with a "
        "metadata.csv that has the columns file_name, speaker, emotion); repeatable",
    )
    parser.add_argument("--labels", nargs="+", default=list(EMOTIONS), help="emotions to use, neutral among them")
    parser.add_argument(
        "--rename",
        dest="renamed",
        action="append",
        default=[],
        type=_pair,
        metavar="EMOTION=OTHER",
        help="an emotion of a corpus that counts as another, such as calm=neutral; repeatable",
    )
    parser.add_argument("--zed", metavar="PATH", help="folder or ZIP archive of ZED: the test split")
    parser.add_argument("--split_by", choices=SPLIT_BY, default="recording", help="what splits do not share")
    parser.add_argument("--held_out", metavar="NAME", help="corpus that is left out of training (--split_by corpus)")
    parser.add_argument("--events", type=int, default=1, help="most emotional events in an utterance")
    parser.add_argument("--crossfade", type=float, default=0.0, help="seconds over which parts fade into each other")
    parser.add_argument("--pause_mean", type=float, default=0.0, help="seconds of silence at joins, on average")
    parser.add_argument("--pause_deviation", type=float, default=0.0, help="their standard deviation")
    parser.add_argument("--noises", metavar="DIR", help="folder of noise that is put under utterances")
    parser.add_argument(
        "--noise_ratio",
        type=float,
        nargs=2,
        default=[10.0, 30.0],
        help="least and most ratio of speech to noise, in dB",
    )
    parser.add_argument("--rooms", metavar="DIR", help="folder of impulse responses that utterances are heard through")
    parser.add_argument("--hours", type=float, help="size of the train split; recordings are used again until then")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes")
    parser.add_argument("--validation_fraction", type=float, default=0.1, help="share of recordings or speakers")
    parser.add_argument("--test_fraction", type=float, default=0.2, help="share of speakers, if ZED is not given")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="OUT", help="folder of the dataset")
    parser.add_argument("--num_proc", type=int, help="processes that decode, listen and make utterances")
    parser.add_argument("--push_to_hub", metavar="NAMESPACE/NAME", help="publish the dataset on the Hub, as Parquet")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--overwrite", action="store_true", help="replace a dataset of other sources or options")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not name or not separator or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value
