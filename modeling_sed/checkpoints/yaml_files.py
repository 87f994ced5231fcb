"""YAML that somebody wrote, as plain data: no objects, no aliases, and as much of it as options need."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ..frames_sed import InputError, MissingFileError
from ..values_sed import shown

LARGEST = 1_000_000  # bytes


class DataLoader(yaml.SafeLoader):
    """Builds dictionaries, lists and scalars; refuses aliases, with which a few lines stand for gigabytes.

    Attributes:
        takes_aliases: whether they are taken nevertheless; then what is read must not be walked through, nor shown
            but by `shown`. Merging (``<<``), which copies, is refused anyway.
    """

    takes_aliases = False

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent) and not self.takes_aliases:
            event = self.peek_event()
            problem = f"the alias *{event.anchor:.60}; write out what it stands for"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [key for key, count in keys.items() if count > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{shown(twice[0])} comes twice", node.start_mark)
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "<< is not read; write it out", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, loader: type[DataLoader] = DataLoader) -> dict[str, Any]:
    """What a file says by name.

    Raises:
        InputError: if there is no such file, it cannot be read, is not YAML, has aliases or a name twice, or is no
            mapping of names; with the line.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST} bytes, which are too many for options.")
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {path}.") from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply.") from error
    except InputError:
        raise
    except (OSError, yaml.YAMLError, ValueError) as error:  # ValueError: dates that are none, and text that is no UTF-8
        raise InputError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    found = {} if found is None else found
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{path} must hold values by name; got {shown(found)}.")
    return found
