"""Publishes models, metrics and demos on the Hub. The files can be listed first, and a push can be repeated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
from huggingface_hub.utils import filter_repo_objects

from .. import metrics
from ..frames_sed import InputError, MissingFileError

PACKAGE = Path(__file__).parents[1]
DEMO_SPACE = Path(__file__).with_name("demo_space")
DEMO_ROOMS = ("annotations", "evaluation", "fast_encoder", "hub", "page")  # what the page imports
NEVER = ("checkpoints/*", "logs/*", "__pycache__/*", "*/__pycache__/*", ".*", "*/.*", "*.unfinished/*")
STATUS = {
    401: "the token is missing or not valid: `hf auth login`, or set HF_TOKEN",
    403: "the token may not write there: the name belongs to somebody else, or the token is read-only",
    404: "there is no such user or organisation",
}


class PushError(InputError):
    """Says why something could not be pushed, and what to do."""


@contextmanager
def clear_errors(repo_id: str) -> Iterator[None]:
    """Turns what the Hub's client raises into a `PushError` of one sentence."""
    try:
        yield
    except HFValidationError as error:
        raise PushError(f"{repo_id!r} is not of the form NAMESPACE/NAME: {error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        raise PushError(f"{repo_id}: {STATUS.get(status, str(error).splitlines()[0])} (status {status}).") from error
    except (HTTPError, ConnectionError) as error:
        raise PushError(f"{repo_id}: the Hub cannot be reached ({error}); push again when it can.") from error


def files_to_push(folder: str | Path) -> list[str]:
    """Names of a folder's files that are uploaded.

    Raises:
        MissingFileError: if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"{folder} is not a folder.")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return list(filter_repo_objects(names, ignore_patterns=list(NEVER)))


def push_folder(
    folder: str | Path, repo_id: str, repo_type: str = "model", *, private: bool = False, dry_run: bool = False
) -> str:
    """Uploads a folder as one commit; files that are there already are not sent again.

    Args:
        folder: what to push; checkpoints, logs and hidden files are left out.
        repo_id: ``NAMESPACE/NAME``.
        repo_type: "model", "dataset" or "space" (of Gradio).
        private: whether a new repository is private.
        dry_run: only list the files.

    Returns:
        The repository's address; or, with ``dry_run``, the names of the files, one per line.

    Raises:
        PushError: if the Hub refuses or cannot be reached, or there is no token.
        MissingFileError: if there is no such folder.
    """
    names = files_to_push(folder)
    if dry_run:
        return "\n".join(names)
    if get_token() is None:
        raise PushError(f"{repo_id}: {STATUS[401]}.")
    with clear_errors(repo_id):
        api = HfApi()
        sdk = "gradio" if repo_type == "space" else None
        url = api.create_repo(repo_id, repo_type=repo_type, space_sdk=sdk, private=private, exist_ok=True)
        api.upload_folder(repo_id=repo_id, repo_type=repo_type, folder_path=folder, ignore_patterns=list(NEVER))
    return str(url)


def push_model(folder: str | Path, repo_id: str, *, private: bool = False, dry_run: bool = False) -> str:
    """Publishes a saved model, which `from_pretrained(repo_id, trust_remote_code=True)` loads anywhere.

    Raises:
        PushError, MissingFileError: as `push_folder`, and if the folder holds no model.
    """
    missing = {"config.json", "model.safetensors", "preprocessor_config.json"} - set(files_to_push(folder))
    if missing:
        raise MissingFileError(f"{folder} is not a saved model: it has no {', '.join(sorted(missing))}.")
    return push_folder(folder, repo_id, private=private, dry_run=dry_run)


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
        shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__", DEMO_SPACE.name))


def push_demo(model: str, repo_id: str, *, private: bool = False, dry_run: bool = False) -> str:
    """Publishes a Space in which anybody can try a model of the Hub: the page of `emotion-diarization app`.

    Args:
        model: hub id of the model.
        repo_id: of the Space.
        private: whether a new Space is private.
        dry_run: only list the files.

    Raises:
        PushError: as `push_folder`.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_demo(model, Path(folder))
        return push_folder(folder, repo_id, "space", private=private, dry_run=dry_run)
