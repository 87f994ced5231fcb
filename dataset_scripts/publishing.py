"""Publishes a dataset on the Hub: Parquet files, and a card that says what the columns are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import datasets
from huggingface_hub import DatasetCard, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
from huggingface_hub.utils import validate_repo_id

from .build import format_statistics
from .errors import InputError
from .work_folder import RECORD_FILE

CARD = """
# {name}

Utterances for Speech Emotion Diarization: *which emotion appears when?* Built from {corpora} with the
datasets builder of the Speech Emotion Diarization toolkit: recordings of one speaker, concatenated as in section 5.1 of
[arXiv 2306.12991](https://arxiv.org/abs/2306.12991). The licences of the corpora hold for what is made of them.

```python
from datasets import load_dataset

load_dataset("{name}")
```

| column | |
| --- | --- |
| `name` | of the utterance |
| `audio` | 16 kHz, mono, FLAC |
| `duration` | seconds |
| `segments` | `start`, `end` (seconds) and `label` of each emotional segment; the rest is neutral |
| `speaker`, `corpus`, `transcription` | of the recordings |
| `transition` | sequence of labels, as in Table 3 of the paper |
| `sources` | the recordings, where each stands in the utterance, and the stretches of the file that were kept |

```
{statistics}
```
"""
STATUS = {
    401: "the Hub does not accept the token; log in with `hf auth login`, or set HF_TOKEN",
    403: "the token may not write there; use a token with write access, or another namespace",
    404: "the Hub has no such user or organisation",
}


def check_destination(repo_id: str) -> None:
    """Finds out, before anything is built, whether there is a chance to publish.

    Args:
        repo_id: ``NAMESPACE/NAME``.

    Raises:
        InputError: if it is not a name of a repository, or there is no token.
    """
    with _input_errors(repo_id):
        validate_repo_id(repo_id)
    if get_token() is None:
        raise InputError(f"{repo_id}: there is no token for the Hub; log in with `hf auth login`, or set HF_TOKEN.")


def publish(splits: datasets.DatasetDict, repo_id: str, corpora: Iterable[str], private: bool = False) -> None:
    """Pushes a dataset to the Hub as Parquet with a card, for `load_dataset(repo_id)`.

    Args:
        splits: the dataset.
        repo_id: ``NAMESPACE/NAME``.
        corpora: names of the corpora that it was built from; none for ZED alone.
        private: of a new repository.

    Raises:
        InputError: if there is no token, or the Hub refuses or cannot be reached.
    """
    check_destination(repo_id)
    with _input_errors(repo_id):
        splits.push_to_hub(repo_id, private=private)
        card = DatasetCard.load(repo_id, repo_type="dataset")  # has what load_dataset needs to know
        card.data.task_categories = ["audio-classification"]
        card.data.tags = ["speech-emotion-diarization"]
        statistics = format_statistics(splits)
        card.text = CARD.format(name=repo_id, corpora=", ".join(corpora) or "ZED", statistics=statistics)
        card.push_to_hub(repo_id, repo_type="dataset")


def push_built_dataset(folder: str | Path, repo_id: str, *, private: bool = False, dry_run: bool = False) -> str:
    """Publishes a dataset that `build` wrote.

    Args:
        folder: of the dataset.
        repo_id: ``NAMESPACE/NAME``.
        private: of a new repository.
        dry_run: only list what would be pushed.

    Returns:
        The repository's address; or, with ``dry_run``, the files' names, one per line.

    Raises:
        InputError: if `build` did not write the folder, there is no token, or the Hub refuses or cannot be reached.
    """
    record_file = Path(folder) / RECORD_FILE
    if not record_file.is_file():
        raise InputError(f"{folder} is not a dataset of this program: it has no {RECORD_FILE}.")
    splits = datasets.load_from_disk(str(folder))
    if dry_run:
        return "\n".join(["README.md", *(f"data/{name}-*.parquet ({len(rows)} rows)" for name, rows in splits.items())])
    publish(splits, repo_id, json.loads(record_file.read_text(encoding="utf-8")).get("corpora", {}), private)
    return f"{datasets.config.HF_ENDPOINT}/datasets/{repo_id}"


@contextmanager
def _input_errors(repo_id: str) -> Iterator[None]:
    """Turns what the Hub's client raises into an `InputError` of one sentence."""
    try:
        yield
    except HFValidationError as error:
        raise InputError(f"{repo_id!r} is not of the form NAMESPACE/NAME: {error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        reason = STATUS.get(status, str(error).partition("\n")[0])
        raise InputError(f"{repo_id}: {reason} (HTTP status {status}).") from error
    except (HTTPError, ConnectionError) as error:
        raise InputError(f"{repo_id}: the Hub cannot be reached ({error}); push again when it can.") from error
