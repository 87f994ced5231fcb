"""The command line of the datasets builder: ``python dataset_scripts/sed.py`` and ``emotion-diarization build``."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from .build import build, format_statistics
from .builder import CONFIGURATIONS, SEDBuilderConfig
from .options import add_options, options_of
from .publishing import DatasetUpload
from .repository import check_token
from .simulation import SimulationOptions


def main(arguments: list[str] | None = None, prog: str = "sed.py") -> None:
    """Builds, and on request publishes, what the command line asks for; prints the dataset's statistics.

    Args:
        arguments: of the command line; default: those of this process.
        prog: how the command is called, for its messages.

    Raises:
        InputError: if a source or option cannot be used, or the dataset cannot be written or published.
        SystemExit: with code 2, for a usage error; with 0, for ``--help``.
    """
    options = vars(_parser(prog).parse_args(arguments))
    repo_id, private = options.pop("push_to_hub"), options.pop("private")
    if repo_id:
        check_token(repo_id)
    splits = build(**options)
    print(format_statistics(splits))
    if repo_id:
        DatasetUpload(options["output_dir"], repo_id).push(private=private)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Builds a dataset for Speech Emotion Diarization; datasets.load_from_disk opens it. A build that "
        "was interrupted is resumed by the same command.",
        epilog=f"Example: {prog} benchmark --corpora ravdess=RAVDESS_DIR --split-by speaker --seed 1 --output-dir OUT",
        allow_abbrev=False,
    )
    parser.add_argument(
        "config_name",
        choices=CONFIGURATIONS,
        help="simulated: train and validation splits of concatenated recordings; zed: the Zaion Emotion Dataset as "
        "test split; benchmark: all three splits, with a simulated test split if --zed is not given",
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, metavar="DIR", help="folder that the dataset is written to"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a dataset of other sources or options")
    parser.add_argument("--num-proc", type=int, metavar="N", help="number of processes (default: 1)")
    parser.add_argument("--push-to-hub", metavar="NAMESPACE/NAME", help="publish the dataset on the Hub, as Parquet")
    parser.add_argument("--private", action="store_true", help="make a new repository on the Hub private")
    simulation = {one.name for one in fields(SimulationOptions)}
    options = options_of(SEDBuilderConfig)
    sources = [one for one in options if one.name not in simulation]
    add_options(parser.add_argument_group("sources and splits"), SEDBuilderConfig, sources)
    beyond_the_paper = [one for one in options if one.name in simulation]
    add_options(parser.add_argument_group("simulation beyond the paper"), SEDBuilderConfig, beyond_the_paper)
    return parser
