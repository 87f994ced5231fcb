"""Text files of annotations: their encoding when read, where they go when written."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..frames_sed import InputError, MissingFileError

Target = str | Path | TextIO


def read_text(path: Path) -> str:
    r"""The text of a file in UTF-8 (with a byte-order mark or without) or UTF-16 (with one); lines end with ``\n``.

    Raises:
        InputError: if there is no such file, it cannot be read, or it is in another encoding.
    """
    if not path.exists():
        raise MissingFileError(f"{path}: there is no such file.")
    if not path.is_file():
        raise InputError(f"{path} is not a file.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}).") from error
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is neither UTF-8 nor UTF-16 text ({error}); save it as UTF-8.") from error
    if "\0" in text:
        raise InputError(f"{path} is not text, or in UTF-16 or UTF-32 without a mark; save it as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def numbered_lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a file that are not blank, each with its place ("FILE, line 3") for messages.

    Only line ends end lines: form feeds and Unicode's separators are characters of names.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}, line {number}", line


@contextmanager
def opened(target: Target) -> Iterator[TextIO]:
    """A file to write text into, in UTF-8, or the stream that was given.

    Raises:
        InputError: if the file cannot be written.
    """
    if not isinstance(target, str | Path):
        yield target
        return
    try:
        # a name that is not Unicode is escaped; the others of the file are written
        with Path(target).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error}).") from error
