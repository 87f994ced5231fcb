"""Replaces the model in the folder of a run, which never holds files of two models."""

from __future__ import annotations

import filecmp
from pathlib import Path

CONFIG_FILE = "config.json"  # without it, a folder holds no model


def replace_model(new: Path, folder: Path) -> None:
    """Moves the files of a complete model into a folder that may hold an older one; other files stay.

    Equal files are not replaced, so for a model that was trained further only the weights are, in one step. If more has
    changed, the configuration of the older model is deleted first and that of the new one moved last: a process that is
    killed in between leaves a folder without a model, never a mixture.
    """
    changed = [
        path.name
        for path in new.iterdir()
        if not (folder / path.name).is_file() or not filecmp.cmp(path, folder / path.name, shallow=False)
    ]
    if len(changed) > 1:
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        changed = [name for name in {*changed, CONFIG_FILE} if name != CONFIG_FILE] + [CONFIG_FILE]
    for name in changed:
        (new / name).replace(folder / name)
