"""Publishes a dataset on the Hub: Parquet files, a card, and, with ZED, what makes it a benchmark there."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import datasets
import yaml
from huggingface_hub import DatasetCard, DatasetCardData

from .build import format_statistics
from .corpora.about import corpora_table, languages_of
from .errors import InputError
from .repository import CHANGED, NEW, SAME, UNKNOWN, RepositoryError, Upload, check_token, clear_errors, format_listing
from .work_folder import RECORD_FILE

CARD = """---
{{ card_data }}
---

# {{ name }}

Utterances for Speech Emotion Diarization: *which emotion appears when?* {{ making }}

```python
from datasets import load_dataset

load_dataset("{{ name }}")  # revision="COMMIT" pins what you have seen
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
{{ statistics }}
```

## What it is made of

{{ corpora }}

The licences of the corpora hold for what is made of them.

## Limits

Where emotions are acted, they are what actors make of a word. Where recordings are concatenated, the joins are not
those of natural speech, and people do not change their emotions so fast. Voices and languages are those of the corpora.
What people feel cannot be read off their voices with certainty: do not decide about people by what was learnt here.
"""
MAKING = """Made with the datasets builder of the
Speech Emotion Diarization toolkit: recordings of one speaker, concatenated as in section 5.1 of
[arXiv 2306.12991](https://arxiv.org/abs/2306.12991)."""
ZED_IS_TEST = "The test split is ZED, the Zaion Emotion Dataset: natural speech that people annotated in time."
EVAL_FILE = "eval.yaml"
BENCHMARK = {  # https://huggingface.co/docs/hub/eval-results
    "name": "Speech Emotion Diarization on ZED",
    "description": "Which emotion appears when? Emotion Diarization Error Rate (arXiv 2306.12991) on the Zaion Emotion "
    "Dataset: the share of an utterance in which the answer is wrong, averaged over utterances. Lower is better.",
    "evaluation_framework": "speech-emotion-diarization",
    "tasks": [{"id": "eder", "config": "default", "split": "test"}],
}


class DatasetUpload:
    """A dataset that `build` wrote, as Parquet with a card, for `load_dataset(repo_id)`.

    Beside these, the repository gets a file that names what it was built from, last of all: as long as that is the
    same, so is the rest. With ZED as test split, ``eval.yaml`` declares a benchmark.

    Args:
        folder: of the dataset.
        repo_id: ``NAMESPACE/NAME``.

    Raises:
        InputError: if `build` did not write the folder.
    """

    def __init__(self, folder: str | Path, repo_id: str):
        record_file = Path(folder) / RECORD_FILE
        if not record_file.is_file():
            raise InputError(f"{folder} is not a dataset of this program: it has no {RECORD_FILE}.")
        text = record_file.read_text(encoding="utf-8")
        self.repo_id, self.digest = repo_id, record_digest(text)
        self.record: dict[str, Any] = json.loads(text)
        self.splits = datasets.load_from_disk(str(folder))

    @property
    def corpora(self) -> list[str]:
        """Names of the corpora that the dataset was built from."""
        return sorted(self.record.get("corpora") or {}) + (["zed"] if self.has_zed else [])

    @property
    def has_zed(self) -> bool:
        """Whether ZED is the test split."""
        return self.record.get("config_name") != "simulated" and bool(self.record.get("zed"))

    @cached_property
    def states(self) -> dict[str, str]:
        """See `Upload.states`; a split's files have one name here."""
        found = Upload(self.repo_id, "dataset", {"README.md": b"", **self._declarations()}).states
        # the card and the data of a push that broke may be there, but only the record says that they are complete
        known = SAME if found[RECORD_FILE] == SAME else NEW if found["README.md"] == NEW else CHANGED
        rest = dict.fromkeys(["README.md", *map(_parquet_files, self.splits.items())], known)
        return found | (rest if found[RECORD_FILE] != UNKNOWN else dict.fromkeys(rest, UNKNOWN))

    def listing(self) -> str:
        """See `Upload.listing`."""
        return format_listing("dataset", self.repo_id, self.states)

    def push(self, *, private: bool = False) -> str:
        """Publishes what is not there. See `Upload.push`.

        If the Hub refuses to list the dataset as a benchmark, that is said, and the dataset is published nevertheless.
        """
        check_token(self.repo_id)
        declarations = self._declarations()
        record = {RECORD_FILE: declarations.pop(RECORD_FILE)}
        if self.states[RECORD_FILE] != SAME:
            with clear_errors(self.repo_id):
                self.splits.push_to_hub(self.repo_id, private=private)
                card = self._card(DatasetCard.load(self.repo_id, repo_type="dataset").data)
            Upload(self.repo_id, "dataset", {"README.md": str(card).encode(), **record}).push()
        if declarations:
            try:
                Upload(self.repo_id, "dataset", declarations).push()
            except RepositoryError as error:
                print(f"{EVAL_FILE} could not be published, the rest is: {error}", file=sys.stderr)
        return f"{datasets.config.HF_ENDPOINT}/datasets/{self.repo_id}"

    def _declarations(self) -> dict[str, bytes]:
        """The small files beside card and data: what it was built from, without a path, and the benchmark."""
        options = {"config_name": self.record.get("config_name"), "corpora": self.corpora, "digest": self.digest}
        files = {RECORD_FILE: (json.dumps(options, indent=2) + "\n").encode()}
        if self.has_zed:
            files[EVAL_FILE] = yaml.safe_dump(BENCHMARK, sort_keys=False, width=120).encode()
        return files

    def _card(self, data: DatasetCardData) -> DatasetCard:
        """The card; its data are what `load_dataset` needs to know already."""
        data.pretty_name = self.repo_id.partition("/")[2]
        data.language = languages_of(self.corpora) or None
        data.license, data["license_name"], data["license_link"] = "other", "of-the-corpora", "README.md"
        data.task_categories, data["tags"] = ["audio-classification"], ["speech-emotion-diarization"]
        making = [MAKING] if self.record.get("corpora") else []
        return DatasetCard.from_template(
            data,
            template_str=CARD,
            name=self.repo_id,
            making="\n".join([*making, *([ZED_IS_TEST] if self.has_zed else [])]),
            statistics=format_statistics(self.splits),
            corpora=corpora_table(self.corpora),
        )


def record_digest(record: str) -> str:
    """Tells datasets apart: of the text of the file that says what one was built from."""
    return hashlib.sha256(record.encode()).hexdigest()[:16]


def _parquet_files(split: tuple[str, datasets.Dataset]) -> str:
    return f"data/{split[0]}-*.parquet ({len(split[1])} rows)"
