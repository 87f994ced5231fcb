"""The results of shards, joined: those of folders, and of files of JSON lines.

Where each result is lies in memory, not the results: an archive's may be larger. Names stay exactly as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..annotations.json_files import parse_json
from ..annotations.values import shown
from ..frames_sed import InputError, MissingFileError
from ..recordings.results_folder import file_names


class Place(NamedTuple):
    """Where a result is: the file, and the byte that its line starts at; None if it is all that the file holds."""

    file: Path
    start: int | None

    def __str__(self) -> str:
        return str(self.file)


def find_results(parts: Iterable[Path]) -> dict[str, Place]:
    """The places of results, by the names of recordings.

    Args:
        parts: folders with a JSON file for each recording, and files of JSON lines.

    Raises:
        InputError: if a part is not there, or holds something else than results; or a recording has two that differ.
    """
    places: dict[str, Place] = {}
    for part in parts:
        for name, place in _results_of(part):
            first = places.setdefault(name, place)
            if first != place and read_result(first) != read_result(place):
                raise InputError(f"{name} has different results in {first} and in {place}; leave one of them out.")
    return places


def _results_of(part: Path) -> Iterator[tuple[str, Place]]:
    if part.is_dir():
        for path in result_files(part):
            place = Place(path, None)
            yield read_result(place)["name"], place
    elif not part.exists():
        raise MissingFileError(f"{part}: there is no such file or folder; has its shard been finished?")
    elif part.suffix.lower() != ".jsonl":
        raise InputError(f"{part}: shards that are to be joined are written into folders, or files that end in .jsonl.")
    else:
        yield from _results_of_lines(part)


def _results_of_lines(path: Path) -> Iterator[tuple[str, Place]]:
    with path.open("rb") as file:
        start = 0
        for number, line in enumerate(file, start=1):
            yield _parsed(line, f"{path}, line {number}")["name"], Place(path, start)
            start += len(line)


def read_result(place: Place) -> dict[str, Any]:
    """The result that is there, with all of its fields.

    Raises:
        InputError: if there is something else, or more than one result in a file of a folder.
    """
    if place.start is None:
        return _parsed(place.file.read_bytes(), str(place.file))
    with place.file.open("rb") as file:
        file.seek(place.start)
        return _parsed(file.readline(), str(place.file))


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    try:
        found = parse_json(content.decode("utf-8"), where)
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not text in UTF-8 ({error}).") from error
    if isinstance(found, list) and len(found) == 1:  # as files of one recording are
        (found,) = found
    if not isinstance(found, dict) or not isinstance(found.get("name"), str) or "segments" not in found:
        raise InputError(
            f"{where}: it needs name, duration and segments, as `diarize` writes them; got {shown(found)}. Folders of "
            "other formats can be joined into a folder."
        )
    return found


def in_order(places: dict[str, Place], names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The names of the results in the order of the recordings, and those of recordings that have none.

    Args:
        places: by the names of recordings.
        names: of all recordings; without them, the order is that of the names.

    Raises:
        InputError: if there is a result of no such recording.
    """
    if names is None:
        return sorted(places), []
    if unknown := places.keys() - set(names):
        name = min(unknown)
        more = f", and so are {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise InputError(f"{name}, whose result is in {places[name]}, is missing in the list of recordings{more}.")
    return [name for name in names if name in places], [name for name in names if name not in places]


def result_files(folder: Path) -> list[Path]:
    """The files below a folder, in order; not those that are hidden, or in hidden folders."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def join_folders(parts: Sequence[Path], output: Path, names: Sequence[str] | None) -> tuple[int, list[str]]:
    """Copies the files of folders, whatever their format, into one.

    Args:
        parts: the folders.
        output: an empty folder.
        names: of all recordings.

    Returns:
        The number of files, and the names of the recordings that have none.

    Raises:
        InputError: if a part is no folder, or a file is in two of them, and differs.
    """
    stems: set[str] = set()
    for part in parts:
        if not part.is_dir():
            raise InputError(f"{part} is no folder: into a folder, folders are joined; choose a file as --output.")
        for path in result_files(part):
            name = path.relative_to(part)
            target = output / name
            if target.exists():
                if target.read_bytes() != path.read_bytes():
                    raise InputError(f"{name} in {part} differs from that of another part; leave one of them out.")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            stems.add(str(name.with_suffix("")))
    expected = [] if names is None else zip(names, file_names(names), strict=True)
    return len(stems), [name for name, stem in expected if stem not in stems]
