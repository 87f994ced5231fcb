"""A repository of the Hub: which of its files are new, and one commit for those. A push that broke is just repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import validate_repo_id

from .errors import InputError

NEW, CHANGED, SAME, UNKNOWN = "new", "changed", "same", "unknown"
MESSAGE = "Publish with speech-emotion-diarization"
STATUS = {
    401: "the token is missing or not valid: `hf auth login`, or set HF_TOKEN",
    403: "the token may not write there: the name belongs to somebody else, or the token is read-only",
    404: "there is no such user or organisation",
}


class RepositoryError(InputError):
    """Says why something could not be published, and what to do."""


@dataclass(frozen=True)
class Upload:
    """What a repository is to hold.

    Attributes:
        repo_id: ``NAMESPACE/NAME``.
        repo_type: "model", "dataset" or "space" (of Gradio).
        files: by their names there: a file of this machine, or its content.
        left_out: what lies beside these files and is not theirs, by name.
    """

    repo_id: str
    repo_type: str
    files: Mapping[str, Path | bytes]
    left_out: Sequence[str] = ()

    @cached_property
    def states(self) -> dict[str, str]:
        """For each file `NEW`, `CHANGED` or `SAME` as in the repository; `UNKNOWN` if the Hub cannot be asked.

        Raises:
            RepositoryError: if ``repo_id`` is not a name of a repository, or the Hub refuses.
        """
        with clear_errors(self.repo_id):
            validate_repo_id(self.repo_id)
            try:
                found = HfApi().get_paths_info(self.repo_id, list(self.files), repo_type=self.repo_type)
            except RepositoryNotFoundError:
                found = []
            except HfHubHTTPError:
                raise
            except (HTTPError, ConnectionError):
                return dict.fromkeys(self.files, UNKNOWN)
        there = {entry.path: entry for entry in found if isinstance(entry, RepoFile)}
        return {
            name: NEW if name not in there else SAME if _is_same(content, there[name]) else CHANGED
            for name, content in self.files.items()
        }

    def listing(self) -> str:
        """A line for the repository, and one for each file with its state, and for what is left out.

        Raises:
            RepositoryError: as ``states``.
        """
        return format_listing(self.repo_type, self.repo_id, self.states, self.left_out)

    def push(self, *, private: bool = False) -> str:
        """Creates the repository if need be, and commits what is not there, or not the same, in one commit.

        Large files of a push that broke are at the Hub already and are not sent again; other files there stay.

        Args:
            private: whether a new repository is private.

        Returns:
            The repository's address.

        Raises:
            RepositoryError: if there is no token, or the Hub refuses or cannot be reached.
        """
        check_token(self.repo_id)
        with clear_errors(self.repo_id):
            api = HfApi()
            sdk = "gradio" if self.repo_type == "space" else None
            url = api.create_repo(self.repo_id, repo_type=self.repo_type, space_sdk=sdk, private=private, exist_ok=True)
            added = [CommitOperationAdd(name, self.files[name]) for name in self.files if self.states[name] != SAME]
            if added:
                api.create_commit(self.repo_id, added, commit_message=MESSAGE, repo_type=self.repo_type)
        return str(url)


def format_listing(repo_type: str, repo_id: str, states: Mapping[str, str], left_out: Sequence[str] = ()) -> str:
    """The text of `Upload.listing`."""
    lines = [f"{repo_type} {repo_id}", *(f"  {state:<9} {name}" for name, state in sorted(states.items()))]
    return "\n".join([*lines, *(f"  left out  {name}" for name in left_out)])


def contents(folder: Path) -> dict[str, Path | bytes]:
    """The content of all files below a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def check_token(repo_id: str) -> None:
    """Raises a `RepositoryError` if ``repo_id`` is not a name of a repository, or there is no token for the Hub."""
    with clear_errors(repo_id):
        validate_repo_id(repo_id)
    if get_token() is None:
        raise RepositoryError(f"{repo_id}: {STATUS[401]}.")


@contextmanager
def clear_errors(repo_id: str) -> Iterator[None]:
    """Turns what the Hub's client raises into a `RepositoryError` of one sentence."""
    try:
        yield
    except HFValidationError as error:
        raise RepositoryError(f"{repo_id!r} is not of the form NAMESPACE/NAME: {error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        reason = STATUS.get(status, str(error).partition("\n")[0])
        raise RepositoryError(f"{repo_id}: {reason} (status {status}).") from error
    except (HTTPError, ConnectionError) as error:
        raise RepositoryError(f"{repo_id}: the Hub cannot be reached ({error}); push again when it can.") from error


def _is_same(content: Path | bytes, there: RepoFile) -> bool:
    if isinstance(content, Path) and content.stat().st_size != there.size:
        return False
    if there.lfs is None:  # a blob of git
        data = content.read_bytes() if isinstance(content, Path) else content
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == there.blob_id
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest() == there.lfs.sha256
    with content.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == there.lfs.sha256
