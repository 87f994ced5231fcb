"""Results of many recordings in a folder, a file each, as they come; killed runs are resumed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ..frames_sed import InputError

OPTIONS = ".emotion-diarization.json"  # in the folder: what the results in it depend on


class ResultsFolder:
    """The folder ``path``, to be written; it may have other files.

    Args:
        path: of the folder.
        options: what the results depend on, besides the recordings.
        names: of the recordings, whose files are called as `file_names` says.
        suffix: of the files.
        write: a result into a file.

    Raises:
        InputError: if there are results of other options, or files that this would overwrite; or the folder cannot be
            written.
    """

    def __init__(
        self,
        path: Path,
        options: Mapping[str, Any],
        names: Sequence[str],
        suffix: str,
        write: Callable[[Mapping[str, Any], Path], None],
    ):
        self._write = write
        self._files = {name: path / (stem + suffix) for name, stem in zip(names, file_names(names), strict=True)}
        options = json.loads(json.dumps({**options, "suffix": suffix}))
        record = path / OPTIONS
        try:
            path.mkdir(parents=True, exist_ok=True)
            if record.exists():
                begun = json.loads(record.read_text(encoding="utf-8"))
                if begun != options:
                    raise InputError(
                        f"{path} holds results of a run with other options ({begun}; now {options}): choose another "
                        "--output, or delete what is in it."
                    )
                return
            if done := self.done():
                raise InputError(f"{self._files[min(done)]} exists already: delete it, or choose another --output.")
            _replace(record, json.dumps(options, indent=2) + "\n")
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} cannot be used ({error}); choose another --output.") from error

    def done(self) -> set[str]:
        """The names of the recordings whose results there are."""
        return {name for name, file in self._files.items() if file.exists()}

    def write(self, results: Iterable[Mapping[str, Any]], process_index: int = 0) -> None:
        """Writes results as they come; each file is there completely or not at all."""
        for result in results:
            file = self._files[result["name"]]
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f".{process_index}.{file.name}")
            self._write(result, unfinished)
            unfinished.replace(file)

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


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
