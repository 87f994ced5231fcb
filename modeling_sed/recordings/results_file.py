"""Results of many recordings in one file, made by one process or many, each result once; killed runs are resumed.

While a run lasts, each process appends its results to a file of its own beside the one that is asked for, as JSON
lines. When all are done, they are joined in the order of the recordings. What a killed run has left, the next run, of
however many processes, does not do again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..frames_sed import InputError


class ResultsFile:
    """The file ``path``, to be written.

    Args:
        path: of the file.
        options: what the results depend on, besides the recordings.
        write: results, each a mapping with the recording's ``name``, into a file of the format.

    Raises:
        InputError: if there is such a file already, an unfinished run had other options, or the file cannot be written.
    """

    def __init__(
        self, path: Path, options: Mapping[str, Any], write: Callable[[Iterator[Mapping[str, Any]], Path], None]
    ):
        self.path, self._parts, self._write = path, path.with_name(path.name + ".parts"), write
        self._options = json.loads(json.dumps(options))
        if path.exists():
            raise InputError(f"{path} exists already: delete it, or choose another --output.")
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error}); choose another --output.") from error
        for part in self._part_paths():
            begun, *_ = _complete_lines(part) or [self._options]
            if begun != self._options:
                raise InputError(
                    f"{self._parts} holds results of a run with other options ({begun}; now {self._options}): "
                    "delete it, or choose another --output."
                )

    def done(self) -> dict[str, dict[str, Any]]:
        """The results that there are, by name."""
        return {result["name"]: result for part in self._part_paths() for result in _complete_lines(part)[1:]}

    def write(self, results: Iterable[Mapping[str, Any]], process_index: int = 0) -> None:
        """Adds results as they come; what is written stays, whatever happens then."""
        part = self._parts / f"{process_index}.jsonl"
        lines = _complete_lines(part) if part.exists() else []
        kept = part.with_suffix(".new")  # without a line that a killed process did not finish
        kept.write_text("".join(json.dumps(line) + "\n" for line in lines or [self._options]), encoding="utf-8")
        kept.replace(part)
        with part.open("a", encoding="utf-8") as file:
            for result in results:
                file.write(json.dumps(result) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def join(self, names: Sequence[str]) -> int:
        """Makes the one file, of the results of these names that there are, in this order; returns their number."""
        done = self.done()
        finished = [name for name in names if name in done]
        unfinished = self._parts / "joined"
        self._write((done[name] for name in finished), unfinished)
        unfinished.replace(self.path)
        shutil.rmtree(self._parts)
        return len(finished)

    def _part_paths(self) -> list[Path]:
        return sorted(self._parts.glob("*.jsonl"))


def _complete_lines(path: Path) -> list[dict[str, Any]]:
    """A line that lacks its end was not finished."""
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]
