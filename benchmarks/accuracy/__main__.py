"""How well trained models do on unseen speakers, unseen corpora and utterances in the shape of ZED.

    python -m benchmarks.accuracy data --corpora NAME=DIR … --annotation ZED.json --output-dir DATA
    python -m benchmarks.accuracy score RUN … --tests TEST … --cache DIR
    python -m benchmarks.accuracy compare --first RUN … --second RUN … --tests TEST … --cache DIR

README.md beside this file says what the tests are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modeling_sed import InputError
from modeling_sed.dataset_scripts.builder import SEDBuilderConfig
from modeling_sed.dataset_scripts.errors import InputError as DatasetInputError
from modeling_sed.dataset_scripts.options import add_options, options_of

from .answers import answer_tests
from .data import prepare
from .scores import format_comparison, format_scores


def main(arguments: list[str] | None = None) -> None:
    """Prepares the data, or prints a table."""
    given = _parser().parse_args(arguments)
    if given.command == "data":
        prepare(given.corpora, given.annotation, given.output_dir, given.num_proc)
    elif given.command == "score":
        print(format_scores(answer_tests(given.runs, given.tests, given.cache)))
    else:
        first, second = (answer_tests(runs, given.tests, given.cache) for runs in (given.first, given.second))
        print(format_comparison(first, second))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="build the datasets")
    add_options(data, SEDBuilderConfig, [one for one in options_of(SEDBuilderConfig) if one.name == "corpora"])
    data.add_argument("--annotation", type=Path, required=True, metavar="FILE", help="ZED.json; its audio is not read")
    data.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    data.add_argument("--num-proc", type=int, metavar="N", help="number of processes (default: 1)")
    score = commands.add_parser("score", help="print the scores of runs, each on its own test, all together")
    score.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of trained models")
    compare = commands.add_parser("compare", help="print whether the second runs are better than the first")
    for name in ("first", "second"):
        compare.add_argument(f"--{name}", type=Path, nargs="+", required=True, metavar="RUN")
    for command in (score, compare):
        command.add_argument(
            "--tests", type=Path, nargs="+", required=True, metavar="TEST", help="folders of datasets, one for each run"
        )
        command.add_argument("--cache", type=Path, required=True, metavar="DIR", help="folder that keeps posteriors")
    return parser


if __name__ == "__main__":
    try:
        main()
    except (InputError, DatasetInputError) as error:
        sys.exit(f"benchmarks.accuracy: {error}")
