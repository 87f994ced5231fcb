"""Errors that the user of this package can mend, in contrast to bugs, which keep their traceback."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class InputError(ValueError):
    """A file, an option or a model that was given cannot be used; the message names it and says what to do."""


class MissingFileError(InputError, FileNotFoundError):
    """A file or folder that was given does not exist."""


class MissingLibraryError(InputError, ImportError):
    """What was asked for needs a library that is not installed."""


class InputWarning(UserWarning):
    """A file was read, but not all of it, or it may not be what was meant; the command line prints it as one line."""


def import_library(name: str, purpose: str, install: str) -> ModuleType:
    """Imports a library that not everybody installs.

    Args:
        name: of the module.
        purpose: what needs it, the beginning of the message: "Speech enhancement", "--plot".
        install: what to give to ``pip install``.

    Raises:
        MissingLibraryError: if it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise MissingLibraryError(f"{purpose} needs {library}: `pip install {install}`.") from error
