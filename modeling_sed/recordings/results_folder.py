"""Results of many recordings in a folder, a file each, as they come; killed runs are resumed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, TextIO
from urllib.parse import urlsplit

from ..disk.replacing import flush
from ..disk.work_folder import held, within, writing
from ..frames_sed import InputError
from .journal import Entry, Journal
from .states import State, is_unchanged


class ResultsFolder:
    """The folder ``path``, to be written; it may have other files.

    In its work folder, a journal says which files are results, and of which recordings; other files are never written.

    Args:
        path: of the folder.
        names: of the recordings, whose files are called as `file_names` says.
        suffix: of the files.
        write: a result into an open file.
    """

    def __init__(
        self, path: Path, names: Sequence[str], suffix: str, write: Callable[[Mapping[str, Any], TextIO], None]
    ):
        self.path, self._work, self._suffix, self._write = path, within(path), suffix, write
        self._files = {name: stem + suffix for name, stem in zip(names, file_names(names), strict=True)}
        self._journal = Journal(self._work)

    @contextmanager
    def held(self, options: Mapping[str, Any], state: Callable[[str], State | None]) -> Iterator[None]:
        """Holds the output, for one run, which may have many processes: only the main one calls this.

        Args:
            options: what the results depend on, besides the recordings.
            state: of a recording, by its name.

        Raises:
            InputError: if another process holds it, there are results of other options, or files that this would
                overwrite; or the folder cannot be written.
        """

        def kept(entries: list[Entry]) -> Iterable[Entry]:
            latest = {entry["file"]: entry for entry in entries}
            for name, file in self._files.items():
                known = latest.get(file)
                if (known is None or known["name"] != name) and os.path.lexists(self.path / file):
                    raise InputError(
                        f"{self.path / file} exists already"
                        + (", the result of another recording" if known else "")
                        + ": delete it, or choose another --output."
                    )
                if known and known["complete"] and known["name"] == name:
                    known["complete"] = is_unchanged(known["state"], state(name))
            return latest.values()

        with held(self._work, self.path, InputError):
            with writing(self.path, InputError):
                self._journal.begin(self.path, {**options, "suffix": self._suffix}, kept)
            yield

    def done(self) -> set[str]:
        """The names of the recordings whose results there are."""
        latest = {entry["file"]: entry for entry in self._journal.entries()}
        complete = {entry["name"] for entry in latest.values() if entry["complete"]}
        return {name for name, file in self._files.items() if name in complete and (self.path / file).exists()}

    def write(self, results: Iterable[tuple[State, Mapping[str, Any]]], process_index: int = 0) -> None:
        """Writes results as they come, with the state of their recordings; each is there completely or not at all.

        Raises:
            InputError: if one cannot be written, or a file of that name is there by now.
        """
        known = {entry["file"] for entry in self._journal.entries()}
        unfinished = self._work / f".{process_index}.unfinished"
        with ExitStack() as stack:
            with writing(self.path, InputError):
                add = stack.enter_context(self._journal.appending(process_index))
            for state, result in results:
                file = self._files[result["name"]]
                path = self.path / file
                if file not in known and os.path.lexists(path):
                    raise InputError(f"{path} exists by now: delete it, or choose another --output.")
                with writing(path, InputError):
                    with unfinished.open("w", encoding="utf-8", newline="\n") as stream:
                        self._write(result, stream)
                    flush(unfinished)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    # what a process that is killed between these leaves, is known to be ours, but not for complete
                    add({"file": file, "name": result["name"], "complete": False})
                    unfinished.replace(path)
                    add({"file": file, "name": result["name"], "complete": True, "state": state})

    def join(self, names: Sequence[str]) -> int:
        """The number of results that there are."""
        return len(self.done() & set(names))


def file_names(names: Sequence[str]) -> list[str]:
    """What the files of recordings are called, without their suffix, relative to the folder that they are written into.

    Those below a common folder keep the folders in between; a recording's own suffix is left out unless another
    recording would get the same name.

    >>> file_names(["calls/a.wav", "calls/b/a.wav", "calls/b/c.wav", "calls/b/c.mp3"])
    ['a', 'b/a', 'b/c.wav', 'b/c.mp3']

    Raises:
        InputError: if two recordings would still get the same name.
    """
    folders = [Path(name).absolute().parent for name in names if not _is_address(name)]
    root = os.path.commonpath(folders) if folders else ""
    relative = [_below_host(name) if _is_address(name) else os.path.relpath(name, root) for name in names]
    stems = [str(PurePath(name).with_suffix("")) for name in relative]
    count = Counter(stems)
    found = [name if count[stem] > 1 else stem for name, stem in zip(relative, stems, strict=True)]
    if twice := [name for name, times in Counter(found).items() if times > 1]:
        first, second, *_ = (name for name, file in zip(names, found, strict=True) if file == twice[0])
        raise InputError(f"{first} and {second} would both be written to {twice[0]}; diarize them one by one.")
    return found


def _is_address(name: str) -> bool:
    return "://" in name


def _below_host(address: str) -> str:
    """What the file of an address is called: its host is the folder."""
    parts = urlsplit(address)
    host = parts.netloc.replace(":", "_")  # a port; Windows allows no colon
    return str(PurePath(host, *(part for part in PurePosixPath(parts.path).parts if part not in ("/", ".."))))
