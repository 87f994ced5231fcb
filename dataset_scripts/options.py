"""Options that are declared once, as fields of a dataclass: Python, YAML and the command line have the same names.

The command line writes them with dashes (``noise_ratio``: ``--noise-ratio``). The type of a field says what it takes:
``Mapping[str, str]`` takes ``NAME=VALUE`` pairs, ``Sequence[str]`` any number of values, ``tuple[float, float]`` two.
"""

from __future__ import annotations

import argparse
import os
import reprlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from .errors import InputError


def option(help: str, default: Any = MISSING, default_factory: Any = MISSING, **keywords: Any) -> Any:
    """A field of a dataclass that is an option of the command line, too.

    Args:
        help: what the option means.
        default, default_factory: as in `dataclasses.field`.
        keywords: further ones of `argparse.ArgumentParser.add_argument`, such as ``metavar``.
    """
    return field(default=default, default_factory=default_factory, metadata={"help": help, **keywords})


def options_of(options_class: type) -> list[Field]:
    """The fields of a dataclass that are options."""
    return [one for one in fields(options_class) if "help" in one.metadata]


def check_types(options: Any) -> None:
    """Checks that each option has a value of its type, as Python and YAML, unlike the command line, may give any.

    Raises:
        InputError: for the first that has not; a whole number is a number, and a path is text.
    """
    types = get_type_hints(type(options))
    for one in options_of(type(options)):
        if not _is_a(value := getattr(options, one.name), types[one.name]):
            kind = str(types[one.name]).replace("collections.abc.", "").replace("<class '", "").removesuffix("'>")
            raise InputError(f"{one.name} must be of the type {kind}; got {reprlib.repr(value):.200}.")


def _is_a(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_is_a(part, str) for pair in value.items() for part in pair)
    if origin is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str) and all(_is_a(one, str) for one in value)
    if origin is tuple:
        return isinstance(value, Sequence) and len(value) == len(arguments) and all(map(_is_a, value, arguments))
    if arguments:  # of ``float | None``
        return any(_is_a(value, one) for one in arguments)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None if hint is NoneType else isinstance(value, str | os.PathLike)


def add_options(group: argparse._ActionsContainer, options_class: type, options: Iterable[Field]) -> None:
    """Adds options to a parser or an argument group.

    Args:
        group: the parser or group.
        options_class: the dataclass.
        options: those of its options that are added.
    """
    types = get_type_hints(options_class)
    for one in options:
        default = one.default if one.default_factory is MISSING else one.default_factory()
        keywords = {**_values(types[one.name]), **one.metadata, "default": default}
        if default not in (None, {}):
            text = " ".join(map(str, default)) if isinstance(default, tuple) else default
            keywords["help"] += f" (default: {text})"
        group.add_argument("--" + one.name.replace("_", "-"), **keywords)


def _values(hint: Any) -> dict[str, Any]:
    """How argparse reads the values of a type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Mapping:
        return {"nargs": "+", "type": _pair, "action": _Pairs}
    if origin is Sequence:
        return {"nargs": "+", "type": arguments[0]}
    if origin is tuple:
        return {"nargs": len(arguments), "type": arguments[0]}
    return {"type": arguments[0] if arguments else hint}  # the arguments of ``float | None``


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


class _Pairs(argparse.Action):
    """Collects ``NAME=VALUE`` pairs in a dictionary."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[tuple[str, str]],
        option_string: str | None = None,
    ) -> None:
        collected = dict(getattr(namespace, self.dest))
        for name, value in values:
            if name in collected:
                raise argparse.ArgumentError(self, f"{name} is given twice")
            collected[name] = value
        setattr(namespace, self.dest, collected)
