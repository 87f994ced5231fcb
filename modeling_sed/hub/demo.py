"""The demo of a model: a Space with the page of `emotion-diarization app`, and a tool for language models (MCP)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .. import metrics
from ..dataset_scripts.repository import Upload, contents

PACKAGE = Path(__file__).parents[1]
DEMO_SPACE = Path(__file__).with_name("demo_space")
DEMO_ROOMS = ("annotations", "evaluation", "fast_encoder", "hub", "page")  # what the page imports
NOT_COPIED = shutil.ignore_patterns("__pycache__", DEMO_SPACE.name, "endpoint")


def write_demo(model: str, folder: Path) -> None:
    """Writes a complete Space into a folder: its app, and beside it what that needs of this package.

    Args:
        model: hub id of the model.
        folder: an empty one.
    """
    for path in DEMO_SPACE.iterdir():
        content = path.read_text(encoding="utf-8").replace("MODEL", model)
        (folder / path.name).write_text(content, encoding="utf-8")
    copy = folder / PACKAGE.name
    copy.mkdir()
    for path in PACKAGE.glob("*.py"):
        shutil.copy(path, copy)
    for source in (*(PACKAGE / room for room in DEMO_ROOMS), Path(next(iter(metrics.__path__)))):
        shutil.copytree(source, copy / source.name, ignore=NOT_COPIED)


def demo_upload(model: str, repo_id: str) -> Upload:
    """A Space in which anybody can try a model of the Hub.

    Args:
        model: hub id of the model.
        repo_id: of the Space.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_demo(model, Path(folder))
        return Upload(repo_id, "space", contents(Path(folder)))
