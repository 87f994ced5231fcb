"""The files of a model in the folder of a run: of one model, or none."""

from __future__ import annotations

import filecmp
from pathlib import Path

CONFIG_FILE = "config.json"  # without it, a folder holds no model


def replace_model(new: Path, folder: Path) -> None:
    """Moves the files of a complete model into a folder that may hold an older one; other files stay.

    Files that are equal are left alone, so that of a model that was trained further only the weights are replaced, in
    one step. Where more has changed, the older model loses its configuration first and the new one gets it last: a
    process that is killed in between leaves a folder without a model, never a mixture.
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
