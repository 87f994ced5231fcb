"""What the commands with --plot have in common."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..frames_sed import InputError, import_library

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plotting_library() -> ModuleType:
    """The module `evaluation.plotting`, which imports matplotlib. Call this before long work.

    Raises:
        MissingLibraryError: if matplotlib is not installed.
    """
    import_library("matplotlib", "--plot", "matplotlib")
    from ..evaluation import plotting

    return plotting


def save_picture(figure: Figure, path: Path) -> None:
    """Writes a figure in the format of the file's suffix.

    Raises:
        InputError: if there is no such format, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InputError(f"--plot: {path} cannot be written ({error}).") from error
