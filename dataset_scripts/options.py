"""Options that are declared once, as fields of a dataclass: Python, YAML and the command line have the same names.

The command line writes them with dashes (``noise_ratio``: ``--noise-ratio``). The type of a field says what it takes:
``Mapping[str, str]`` takes ``NAME=VALUE`` pairs, ``Sequence[str]`` any number of values, ``tuple[float, float]`` two.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any, get_args, get_origin, get_type_hints


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
