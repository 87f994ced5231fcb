"""Fuzzing: `python -m tests.fuzz --seconds 3600` (or `make fuzz`) gives every reader inputs that nobody would write.

A file ``fuzz_NAME.py`` in this folder has two functions, and needs no registration:

- ``targets() -> dict[str, Callable[[bytes], None]]``: by name, what takes any bytes and returns where the outcome is
  allowed (a result, or one of our documented exceptions, which it catches). All else that it raises is a finding, and
  so is an input that takes more than `SECONDS` or `MEBIBYTES`, or that ends the process.
- ``seeds() -> dict[str, list[bytes]]``: for each target some good inputs, which are changed.

Findings are kept in ``findings/TARGET/``; once mended they are committed, and test_findings.py tries them ever after.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
FINDINGS = FOLDER / "findings"
SECONDS, MEBIBYTES = 20, 2048  # for one input; bytes of address space beyond what the process has when it begins


def all_targets() -> dict[str, tuple[Callable[[bytes], None], list[bytes]]]:
    """By name, the targets of all files in this folder, and their seeds with what was found before.

    Raises:
        ValueError: if two files have a target of the same name.
    """
    found: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {}
    for path in sorted(FOLDER.glob("fuzz_*.py")):
        module = import_module(f"{__name__}.{path.stem}")
        seeds = module.seeds()
        for name, target in module.targets().items():
            if name in found:
                raise ValueError(f"{path.name}: there is a target {name!r} already.")
            found[name] = (target, [*seeds[name], *findings(name)])
    return found


def findings(target: str) -> list[bytes]:
    """What was found before, of a target."""
    return [path.read_bytes() for path in sorted((FINDINGS / target).glob("*"))]
