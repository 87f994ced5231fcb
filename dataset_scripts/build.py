"""The command line of the datasets builder (run it as ``python dataset_scripts/sed.py``): builds a dataset to disk."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import datasets

from .corpora import READERS
from .corpora.recording import EMOTIONS
from .sed import CONFIGURATIONS, SED, fingerprint
from .splits import SPLIT_BY

RECORD_FILE = "sed_dataset.json"  # written last: what the folder was built from


def main(arguments: list[str] | None = None) -> None:
    """Builds what the command line asks for; exit code 0, 1 (a source cannot be used) or 2 (usage)."""
    options = vars(_parser().parse_args(arguments))
    output_dir, num_proc, overwrite = (options.pop(name) for name in ("output_dir", "num_proc", "overwrite"))
    options["corpora"] = dict(options["corpora"])
    try:
        splits = build(output_dir, num_proc=num_proc, overwrite=overwrite, **options)
    except (ValueError, OSError) as error:
        sys.exit(f"sed.py: {error}")
    print(format_statistics(splits))


def build(
    output_dir: str | Path, config_name: str, *, num_proc: int | None = None, overwrite: bool = False, **options
) -> datasets.DatasetDict:
    """Builds a dataset that `datasets.load_from_disk` opens; one that is there, of the same sources, is reused.

    Args:
        output_dir: the folder; new, or one that this function wrote.
        config_name: "simulated", "zed" or "benchmark".
        num_proc: processes that make utterances.
        overwrite: replace a dataset of other sources or options, which is an error otherwise.
        options: of `SEDBuilderConfig`.

    Raises:
        ValueError: if a source or option cannot be used, or the folder holds something else.
    """
    output_dir = Path(output_dir)
    sources = [*options.get("corpora", {}).values(), *filter(None, [options.get("zed")])]
    record = json.dumps({"config_name": config_name, **options, "fingerprint": fingerprint(sources)}, sort_keys=True)
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
    shutil.rmtree(partial, ignore_errors=True)
    try:
        builder = SED(config_name, cache_dir=str(partial / "cache"), **options)
        builder.download_and_prepare(num_proc=num_proc)
        builder.as_dataset().save_to_disk(str(partial / "dataset"))
        (partial / "dataset" / RECORD_FILE).write_text(record, encoding="utf-8")
        shutil.rmtree(output_dir, ignore_errors=True)
        (partial / "dataset").rename(output_dir)
    except datasets.exceptions.DatasetGenerationError as error:  # what happened is its cause
        raise error.__cause__ or error from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return datasets.load_from_disk(str(output_dir))


def format_statistics(splits: datasets.DatasetDict) -> str:
    """A table like Table 1 of the paper: size of each split, and its emotions' shares of all emotional utterances."""
    emotions = [emotion for emotion in EMOTIONS if emotion != "neutral"]
    header = f"{'split':<12}{'utterances':>11}{'speakers':>10}{'minutes':>9}{'emotional':>11}"
    lines = [header + "".join(f"{emotion:>9}" for emotion in emotions)]
    for name, rows in splits.items():
        seconds = Counter()
        for segments in rows["segments"]:
            for segment in segments:
                seconds[segment["label"]] += segment["end"] - segment["start"]
        total, emotional = sum(rows["duration"]), seconds.total()
        speakers = len(set(zip(rows["corpus"], rows["speaker"], strict=True)))
        line = f"{name:<12}{len(rows):>11}{speakers:>10}{total / 60:>9.1f}{100 * emotional / total:>9.1f} %"
        lines.append(line + "".join(f"{100 * seconds[emotion] / emotional:>7.1f} %" for emotion in emotions))
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
        type=_named_folder,
        metavar="NAME=DIR",
        help=f"a corpus to simulate from ({', '.join(READERS)}) and its folder; repeatable",
    )
    parser.add_argument("--zed", metavar="PATH", help="folder or ZIP archive of ZED: the test split")
    parser.add_argument("--split_by", choices=SPLIT_BY, default="recording", help="what splits do not share")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes")
    parser.add_argument("--validation_fraction", type=float, default=0.1, help="share of recordings or speakers")
    parser.add_argument("--test_fraction", type=float, default=0.2, help="share of speakers, if ZED is not given")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="OUT", help="folder of the dataset")
    parser.add_argument("--num_proc", type=int, help="processes that make utterances")
    parser.add_argument("--overwrite", action="store_true", help="replace a dataset of other sources or options")
    return parser


def _named_folder(text: str) -> tuple[str, str]:
    name, separator, folder = text.partition("=")
    if not separator or not folder:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=DIR")
    return name, folder
