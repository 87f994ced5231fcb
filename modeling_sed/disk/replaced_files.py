"""Replaces the files of a model's folder, all of them: whoever opens the folder finds the old model or the new one.

New files are complete in the work folder before the first of them is moved. A process that is killed between two moves
leaves a folder without a configuration, which is no model; `finish` moves the others, and is called before a model is
opened and before a training begins.
"""

from __future__ import annotations

import filecmp
import shutil
from contextlib import suppress
from pathlib import Path

from .work_folder import OutputError, acquired, within, writing

COMPLETE = "complete"  # in the work folder: files that are to be moved, all of them
CONFIG_FILE = "config.json"  # without it, a folder holds no model


def replace_files(new: Path, folder: Path) -> None:
    """Moves all files of a folder into another one, whose work folder this process holds; other files there stay.

    Equal files are not replaced, so for a model that was trained further only the weights are, in one step. If more has
    changed, the configuration of the older model is deleted first and that of the new one moved last.

    Args:
        new: a folder on the same disk, which is gone then.
        folder: of a model.

    Raises:
        OSError: if that is not possible.
    """
    new.rename(within(folder) / COMPLETE)  # from here on, the new files are there
    finish_here(folder)


def finish_here(folder: Path) -> None:
    """Ends what a process that was killed has begun, in a folder whose work folder this process holds."""
    complete = within(folder) / COMPLETE
    names = [path.name for path in complete.iterdir()] if complete.is_dir() else []
    changed = {
        name
        for name in names
        if not (folder / name).is_file() or not filecmp.cmp(complete / name, folder / name, shallow=False)
    }
    if len(changed) > 1 and CONFIG_FILE in names:
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        changed.add(CONFIG_FILE)
    for name in sorted(changed, key=lambda name: name == CONFIG_FILE):
        (complete / name).replace(folder / name)
    shutil.rmtree(complete, ignore_errors=True)


def finish(folder: Path, raised: type[ValueError]) -> None:
    """`finish_here`, of a folder that nobody works in; who works there ends it himself.

    Args:
        folder: of a model.
        raised: if the folder cannot be written.
    """
    if (within(folder) / COMPLETE).is_dir():
        with writing(folder, raised), suppress(OutputError), acquired(within(folder), folder):
            finish_here(folder)
