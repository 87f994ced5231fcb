"""A folder or a ZIP archive, read alike: the names of its files, and the content of each, up to a size."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from ..errors import InputError
from ..files import file_inside, files_below, reading

# What zipfile raises at the bytes of a damaged archive, and (RuntimeError) at those of an encrypted one.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
# Of these, no more is unpacked than is asked for; the other methods unpack a block at a time, however large it is.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MOST_FILES, MOST_BYTES = 100_000, 1 << 36  # of an archive, unpacked; ZED has 73 files


class FolderContents:
    """The files below a folder, those of linked folders too.

    Attributes:
        names: relative to the folder, with slashes.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self.names = [path.relative_to(folder).as_posix() for path in files_below(folder)]

    def check(self, name: str, where: str) -> None:
        """Raises an InputError if what a data file names ``where`` is missing, or leads out of the folder."""
        file_inside(self._folder, name, where)

    def read(self, name: str, limit: int) -> bytes:
        """The content of a file.

        Args:
            name: one of the names.
            limit: of its size, in bytes.

        Raises:
            InputError: if it is larger, or cannot be read.
        """
        path = self._folder / name
        with reading(path):
            _check_size(path.stat().st_size, limit, path)
            return path.read_bytes()


class ArchiveContents:
    """The files of a ZIP archive.

    Attributes:
        names: as the archive has them.

    Raises:
        InputError: if it is none, damaged, or cannot be read, or holds more than `MOST_FILES` or `MOST_BYTES`.
    """

    def __init__(self, path: Path):
        try:
            self._archive = zipfile.ZipFile(path)
        except ARCHIVE_ERRORS as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path} is neither a folder nor a ZIP archive that can be read ({reason}).") from error
        self._path = path
        self.names = self._archive.namelist()
        size = sum(member.file_size for member in self._archive.infolist())
        if len(self.names) > MOST_FILES or size > MOST_BYTES:
            raise InputError(
                f"{path} holds {len(self.names)} files of {size} bytes in all; more than {MOST_FILES} files or "
                f"{MOST_BYTES} bytes are not read from an archive: unpack it, if you trust it."
            )

    def check(self, name: str, where: str) -> None:
        """Raises an InputError if what a data file names ``where`` is missing."""
        if name not in self._archive.NameToInfo:
            raise InputError(f"{where}: {name} is no file in {self._path}.")

    def read(self, name: str, limit: int) -> bytes:
        """The content of a file, unpacked; arguments: see `FolderContents.read`.

        Raises:
            InputError: if it is larger, encrypted, damaged, or packed by another method than the usual one.
        """
        member = self._archive.getinfo(name)
        where = f"{self._path}: {name}"
        _check_size(member.file_size, limit, where)
        if member.compress_type not in METHODS:
            raise InputError(f"{where} is packed by method {member.compress_type}; unpack the archive.")
        try:
            with self._archive.open(member) as file:
                return file.read(member.file_size)
        except ARCHIVE_ERRORS as error:
            raise InputError(f"{where} cannot be unpacked ({error}); get the archive again, or unpack it.") from error


def open_contents(path: Path) -> FolderContents | ArchiveContents:
    """What is in a folder or a ZIP archive.

    Raises:
        InputError: if it is neither, or cannot be read.
    """
    return FolderContents(path) if path.is_dir() else ArchiveContents(path)


def _check_size(size: int, limit: int, where: str | Path) -> None:
    if size > limit:
        raise InputError(f"{where} has {size} bytes; files of more than {limit} bytes are not read.")
