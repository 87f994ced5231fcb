"""What a run over many recordings has done, line by line, so that a run that was killed can be resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import fsync
from pathlib import Path
from typing import Any

from ..disk.replacing import replacing
from ..frames_sed import InputError

OPTIONS, EARLIER = "options.json", "earlier.jsonl"  # of earlier runs; each process of this run has a file of its own
OF_PROCESS = "process_{}.jsonl"

Entry = dict[str, Any]


class Journal:
    """The journal of a run in its work folder.

    Args:
        folder: the work folder. Only the process that holds it calls `begin` and `remove`.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def begin(self, output: Path, options: Mapping[str, Any], kept: Callable[[list[Entry]], Iterable[Entry]]) -> None:
        """Begins a run, or resumes one.

        Args:
            output: for messages.
            options: what the results depend on, besides the recordings.
            kept: all entries, the oldest first -> those that hold for this run.

        Raises:
            InputError: if the entries are of a run with other options.
        """
        record, options = self._folder / OPTIONS, json.loads(json.dumps(options))
        entries = self.entries()
        begun = json.loads(record.read_text(encoding="utf-8")) if record.exists() and entries else options
        if begun != options:
            changed = [name for name in {**begun, **options} if begun.get(name) != options.get(name)]
            raise InputError(
                f"{output} holds results of a run with other options ("
                + "; ".join(f"{name}: {begun.get(name)}, now {options.get(name)}" for name in changed)
                + f"): choose another --output, or delete it and {self._folder}."
            )
        lines = "".join(json.dumps(entry) + "\n" for entry in kept(entries))
        with replacing(record) as file:
            file.write_text(json.dumps(options, indent=2) + "\n", encoding="utf-8")
        with replacing(self._folder / EARLIER) as file:
            file.write_text(lines, encoding="utf-8")
        for path in self._of_processes():
            path.unlink()

    def entries(self) -> list[Entry]:
        """All entries, those of earlier runs first."""
        return [entry for path in (self._folder / EARLIER, *self._of_processes()) for entry in _complete_lines(path)]

    @contextmanager
    def appending(self, process_index: int) -> Iterator[Callable[[Entry], None]]:
        """Yields a function that adds an entry, which stays whatever happens then."""
        with (self._folder / OF_PROCESS.format(process_index)).open("a", encoding="utf-8") as file:

            def add(entry: Entry) -> None:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                fsync(file.fileno())

            yield add

    def remove(self) -> None:
        """Forgets everything."""
        for path in (*self._of_processes(), self._folder / EARLIER, self._folder / OPTIONS):
            path.unlink(missing_ok=True)

    def _of_processes(self) -> list[Path]:
        return sorted(self._folder.glob(OF_PROCESS.format("*")))


def _complete_lines(path: Path) -> Iterator[Entry]:
    """A line that lacks its end, or is damaged, was not finished."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if path.exists() else []
    for line in lines:
        with suppress(ValueError):
            yield json.loads(line)
