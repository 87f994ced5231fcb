"""The command line of train_sed.py: its options in groups, on top of a YAML file, on top of a recipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool

from ..checkpoints.yaml_files import read_yaml
from ..configs import FOLDER, config_names, find_config
from ..frames_sed import InputError, MissingFileError
from ..values_sed import shown
from .arguments import (
    AugmentationOptions,
    DataOptions,
    ModelOptions,
    OptimisationOptions,
    RunOptions,
    TrainingOptions,
    flag,
)
from .recipes import RECIPES

GROUPS = (DataOptions, ModelOptions, OptimisationOptions, AugmentationOptions, RunOptions)
METAVARS = {int: "N", float: "X", string_to_bool: "{true,false}"}  # for options that name none


def parse_options(
    arguments: Sequence[str] | None = None, description: str | None = None, prog: str | None = None
) -> TrainingOptions:
    """Options of the command line, on top of those of the YAML file that ``--config`` names, on top of a recipe.

    Either may name the ``recipe``, which is no option itself: what it stands for are options.

    Args:
        arguments: of the command line; default: those of this process.
        description: for ``--help``.
        prog: name of the command, for ``--help``.

    Raises:
        InputError: for a bad value, a missing file, or an unknown option in the file.
        SystemExit: with code 2, for bad usage; with 0, for ``--help``.
    """
    parser = _parser(description, prog)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if config := _value_of("--config", arguments):
        arguments = [*_read_config(_config_file(config)), *arguments]
    parser.set_defaults(**RECIPES.get(_value_of("--recipe", arguments) or "", {}))
    namespace = parser.parse_args(arguments)
    del namespace.config, namespace.recipe
    return TrainingOptions(**vars(namespace))


def _parser(description: str | None, prog: str | None) -> argparse.ArgumentParser:
    parser = HfArgumentParser(
        GROUPS,  # type: ignore[arg-type]  # transformers' DataClassType is the type of nothing
        description=description,
        prog=prog,
        usage="%(prog)s --dataset DATA --encoder ENCODER --output-dir DIR [options]",
        epilog=f"Names for --config: {', '.join(config_names('.yaml'))}.\nTheir files: {FOLDER}",
        allow_abbrev=False,
        formatter_class=_HelpFormatter,
    )
    parser.add_argument(
        "--config",
        metavar="FILE.yaml",
        help="Options by name; those of the command line win. A path, or one of the names at the end.",
    )
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default="paper",
        help="Defaults of the other options: the paper's, or those for natural recordings (docs/recipe.md).",
    )
    for action in parser._actions:
        if action.type is string_to_bool:  # a flag, also where None is the default
            action.nargs, action.const = "?", True
        action.metavar = action.metavar or METAVARS.get(action.type)
        # options with underscores are accepted, too, but --help shows one spelling
        action.option_strings = [option for option in action.option_strings if "_" not in option]
    return parser


class _HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults of options that have one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False, []) else super()._get_help_string(action)


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    """What a command line says of one option, before the others are looked at."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option, nargs="?", dest="value")
    return parser.parse_known_args(arguments)[0].value


def _config_file(name: str) -> Path:
    """The file that ``--config`` names: a path, or the name of one that comes with the package."""
    if Path(name).is_file():
        return Path(name)
    if found := find_config(name, ".yaml"):
        return found
    raise MissingFileError(f"--config: there is no file {name}; by name there are {', '.join(config_names('.yaml'))}.")


def _read_config(path: Path) -> list[str]:
    """The file's options as a command line, so that one parser checks both."""
    options, types = read_yaml(path), {"recipe": str, **get_type_hints(TrainingOptions)}
    if unknown := [name for name in options if name not in types]:
        raise InputError(f"{path}: unknown option(s) {', '.join(unknown):.200}; see --help.")
    arguments = []
    for name, value in options.items():
        takes_list = "list" in str(types[name])
        values = value if takes_list and isinstance(value, list) else [value]
        if not all(isinstance(one, str | int | float | None) and not str(one).startswith("--") for one in values):
            raise InputError(f"{path}: {name} must be {'values' if takes_list else 'one value'}; got {shown(value)}.")
        if value is not None:
            arguments += [flag(name), *map(str, values)]
    return arguments
