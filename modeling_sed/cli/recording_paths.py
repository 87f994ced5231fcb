"""Which recordings the arguments of a command stand for: files, URLs, folders, patterns, standard input."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from ..dataset_scripts.files import files_below
from ..frames_sed import InputError
from ..recordings.sources import STANDARD_INPUT, as_on_disk

# of the files of a folder that are recordings; a file that is named may have any suffix
SUFFIXES = frozenset(
    [
        ".wav",
        ".wave",
        ".w64",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".caf",
        ".flac",
        ".mp3",
        ".mp2",
        ".ogg",
        ".oga",
        ".opus",
        ".spx",
        ".m4a",
        ".m4b",
        ".aac",
        ".wma",
        ".amr",
        ".3gp",
        ".mka",
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".wmv",
        ".flv",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".ogv",
    ]
)


def expanded(paths: Iterable[str]) -> list[str]:
    """The recordings that paths stand for; one that is named again counts once.

    Args:
        paths: files; folders, for all recordings below them; patterns such as ``calls/*.mp3`` that the shell has left
            as they are; http(s) addresses; "-" for standard input.

    Raises:
        InputError: if a folder or pattern has no recordings, or a folder cannot be read.
    """
    return list(dict.fromkeys(name for path in paths for name in _expanded(path)))


def _expanded(path: str) -> list[str]:
    if path == STANDARD_INPUT or "://" in path:
        return [path]
    name = as_on_disk(path)
    if Path(name).is_dir():
        found = [str(file) for file in files_below(Path(name)) if _is_recording(file)]
        if not found:
            raise InputError(f"{path}: there are no recordings in this folder, nor below it.")
        return found
    if Path(name).exists() or not glob.has_magic(path):
        return [name]
    matches = glob.glob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no patterns from the root
    if not (found := sorted(match for match in matches if Path(match).is_file())):
        raise InputError(f"{path}: no file matches this pattern.")
    return found


def _is_recording(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
