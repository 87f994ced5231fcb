"""Results of many recordings in one file, made by one process or many, each result once; killed runs are resumed.

While a run lasts, results go to the journal in the work folder beside the file that is asked for. When all are done,
they are joined in the order of the recordings. What a killed run has left, the next run, of however many processes,
does not do again, except for recordings that have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from ..disk.replacing import flush
from ..disk.work_folder import beside, held, writing
from ..frames_sed import InputError
from .journal import Entry, Journal
from .states import State, is_unchanged


class ResultsFile:
    """The file ``path``, to be written.

    Args:
        path: of the file.
        write: results, each a mapping with the recording's ``name``, into an open file of the format.

    Raises:
        InputError: if there is such a file already.
    """

    def __init__(self, path: Path, write: Callable[[Iterator[Mapping[str, Any]], TextIO], None]):
        self.path, self._work, self._write = path, beside(path), write
        self._journal = Journal(self._work)
        self._refuse_to_overwrite()

    @contextmanager
    def held(self, options: Mapping[str, Any], state: Callable[[str], State | None]) -> Iterator[None]:
        """Holds the output, for one run, which may have many processes: only the main one calls this.

        Args:
            options: what the results depend on, besides the recordings.
            state: of a recording, by its name; None for one that this run has nothing to do with.

        Raises:
            InputError: if another process holds it, an unfinished run had other options, or it cannot be written.
        """

        def kept(entries: list[Entry]) -> Iterable[Entry]:
            latest = {entry["result"]["name"]: entry for entry in entries}
            return (entry for name, entry in latest.items() if is_unchanged(entry["state"], state(name)))

        with held(self._work, self.path, InputError):
            with writing(self.path, InputError):
                self._refuse_to_overwrite()  # another run may have ended meanwhile
                self._journal.begin(self.path, options, kept)
            yield

    def done(self) -> dict[str, dict[str, Any]]:
        """The results that there are, by name."""
        return {entry["result"]["name"]: entry["result"] for entry in self._journal.entries()}

    def write(self, results: Iterable[tuple[State, Mapping[str, Any]]], process_index: int = 0) -> None:
        """Adds results as they come, with the state of their recordings; what is written stays, whatever happens then.

        Raises:
            InputError: if it cannot be written.
        """
        with ExitStack() as stack:
            with writing(self.path, InputError):
                add = stack.enter_context(self._journal.appending(process_index))
            for state, result in results:
                with writing(self.path, InputError):
                    add({"state": state, "result": result})

    def join(self, names: Sequence[str]) -> int:
        """Makes the one file, of the results of these names that there are, in this order; returns their number.

        Raises:
            InputError: if it cannot be written, or is there by now.
        """
        done = self.done()
        finished = [name for name in names if name in done]
        unfinished = self._work / ".joined.unfinished"
        with writing(self.path, InputError):
            with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                self._write((done[name] for name in finished), stream)
            flush(unfinished)
            self._refuse_to_overwrite()
            unfinished.replace(self.path)
            self._journal.remove()
        return len(finished)

    def _refuse_to_overwrite(self) -> None:
        if self.path.exists():
            raise InputError(f"{self.path} exists already: delete it, or choose another --output.")
