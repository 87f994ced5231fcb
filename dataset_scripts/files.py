"""Files that other people wrote: which there are, what they say, and that the names in them stay in their folder."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turns the system's errors (missing, no permission, name too long …) into an `InputError` that names the path."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error


def read_text(path: Path, errors: str = "strict") -> str:
    """What a file says: UTF-8 with or without a byte-order mark, or UTF-16 with one.

    Args:
        path: of the file.
        errors: "strict", or "replace" where damaged letters do not matter.

    Raises:
        InputError: if the file cannot be read, or has another encoding; with the line.
    """
    with reading(path):
        content = path.read_bytes()
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf_16 else "utf-8-sig"
    try:
        return content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].decode(encoding, "replace").count("\n") + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-{16 if utf_16 else 8}; save the "
            "file as UTF-8, or as UTF-16 with a byte-order mark."
        ) from error


def numbered_lines(path: Path, errors: str = "strict") -> Iterator[tuple[str, str]]:
    """Each line of a file, after where it is (``FILE, line N``), for messages; see `read_text`."""
    for number, line in enumerate(io.StringIO(read_text(path, errors), newline=None), 1):
        yield f"{path}, line {number}", line.removesuffix("\n")


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted.

    Links to folders are followed, as people arrange corpora with them, but no folder is read twice: not one that a
    link and a path without links both lead to, nor one that holds the link or the whole folder.

    Raises:
        InputError: if there is no such folder, or one below it cannot be read.
    """
    with reading(folder):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder.")

    def refuse(error: OSError) -> None:
        with reading(error.filename):
            raise error

    found, known, waiting = [], set(), [folder]
    while waiting:  # first the folder itself, without its links; then what they lead to
        for parent, folders, names in os.walk(waiting.pop(0), onerror=refuse):
            here = Path(parent)
            if here.resolve() in known:
                folders.clear()
                continue
            known.add(here.resolve())
            found += [path for path in map(here.joinpath, names) if path.is_file()]
            links = [path for path in map(here.joinpath, sorted(folders)) if path.is_symlink()]
            holders = [folder.resolve(), here.resolve()]
            waiting += [link for link in links if not any(own.is_relative_to(link.resolve()) for own in holders)]
    return sorted(found)


def inside(root: Path, name: str, where: str) -> Path:
    """The path of what a data file names, which need not exist; links count as what they lead to.

    Args:
        root: the folder that it must be in.
        name: relative to that folder.
        where: it is named, for messages.

    Raises:
        InputError: if it is not in the folder.
    """
    path = root / name
    try:
        stays = not Path(name).is_absolute() and path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL byte, links in a circle
        raise InputError(f"{where}: {name!r} is no name of a file ({error}).") from error
    if not stays:
        raise InputError(f"{where}: {name} leads out of {root}; only files of that folder are read.")
    return path


def file_inside(root: Path, name: str, where: str) -> Path:
    """The file that a data file names; arguments: see `inside`.

    Raises:
        InputError: if it is not in the folder, or missing.
    """
    path = inside(root, name, where)
    with reading(f"{where}: {name}"):
        if not path.is_file():
            raise InputError(f"{where}: {name} is no file in {root}.")
    return path
