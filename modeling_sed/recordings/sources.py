"""Which recordings there are: files, URLs, the lines of a list, or the utterances of a dataset."""

from __future__ import annotations

import codecs
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..annotations.dataset_rows import as_segments, row_audio, with_encoded_audio
from ..audio_sed import AudioInput, count_channels
from ..frames_sed import InputError, MissingFileError, Segment
from .states import State, state_of_content, states_of

if TYPE_CHECKING:
    from datasets import Dataset

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Recordings:
    """Recordings that are read when they are needed.

    Attributes:
        names: one each, all different.
        audio: gives the recording at a position.
        references: their true segments, where they are known.
        state: of the recording at a position; changes when that does.
    """

    names: Sequence[str]
    audio: Callable[[int], AudioInput]
    references: Sequence[Sequence[Segment]] | None = None
    state: Callable[[int], State] = lambda position: []

    @classmethod
    def of_files(cls, paths: Iterable[str | Path]) -> Recordings:
        """Files, URLs, or "-" for standard input; one that is named again counts once.

        Standard input is read when it is first needed, and kept.
        """
        names = list(dict.fromkeys(as_on_disk(str(path)) for path in paths))

        def state(position: int) -> State:
            name = names[position]
            return state_of_content(_standard_input()) if name == STANDARD_INPUT else states_of([name])

        return cls(
            names,
            lambda position: _standard_input() if names[position] == STANDARD_INPUT else names[position],
            state=state,
        )

    @classmethod
    def of_list(cls, path: Path) -> Recordings:
        """The files and URLs of a text file, one per line, in UTF-8, UTF-16 or as the file system has them.

        Raises:
            InputError: if there is no such file, it cannot be read, or is not text.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise MissingFileError(f"{path}: there is no such list of recordings.") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read as a list of recordings ({error}).") from error
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = content.decode("utf-16", errors="replace")
        else:
            text = content.decode("utf-8-sig", errors="surrogateescape")
        if "\0" in text:
            raise InputError(f"{path} is not a list of recordings, but something else than text.")
        return cls.of_files(line.strip() for line in re.split(r"\r\n|\r|\n", text) if line.strip())

    @classmethod
    def of_dataset(cls, folder: Path, split: str, limit: int | None = None) -> Recordings:
        """The (first) utterances of a split of a dataset on disk.

        Raises:
            InputError: if there is no such dataset or split, or a name in it occurs twice; for an utterance, if it
                names an address, or a file that is not in the folder, instead of having its audio.
        """
        rows = dataset_split(folder, split)
        rows = rows.select(range(min(limit or len(rows), len(rows))))
        names = list(rows["name"])
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise InputError(f"{folder}: the name {repeated[0]!r} occurs more than once in the split {split!r}.")
        files = sorted((folder / split).glob("*.arrow"))
        return cls(
            names,
            lambda position: row_audio(rows[position]["audio"], [folder]),
            list(map(as_segments, rows["segments"])),
            lambda position: states_of(files),
        )

    def by_channel(self) -> Recordings:
        """Each channel of each recording as a recording of its own."""
        channels = [
            (position, channel)
            for position in range(len(self.names))
            for channel in range(_channel_count(self.audio(position)))
        ]

        def audio(position: int) -> AudioInput:
            recording, channel = channels[position]
            given = self.audio(recording)
            return {**(given if isinstance(given, Mapping) else {"path": given}), "channel": channel}

        return Recordings(
            [f"{self.names[number]}, channel {channel + 1}" for number, channel in channels],
            audio,
            state=lambda position: self.state(channels[position][0]),
        )


@cache
def _standard_input() -> bytes:
    return sys.stdin.buffer.read()


def as_on_disk(name: str) -> str:
    """A file's name, whose accents may be composed in another way than the file system has them."""
    forms = (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))
    try:
        return next((form for form in forms if Path(form).exists()), name)
    except OSError:  # too long for a file, as addresses are
        return name


def _channel_count(audio: AudioInput) -> int:
    try:
        return count_channels(audio)
    except InputError:  # will be reported when it is diarized
        return 1


def dataset_split(folder: Path, split: str) -> Dataset:
    """A split of a dataset on disk, as `emotion-diarization build` writes it.

    Raises:
        InputError: if there is none, or it lacks a column.
    """
    from datasets import load_from_disk

    try:
        rows = load_from_disk(str(folder))[split]
    except (OSError, KeyError) as error:
        raise InputError(f"{folder} is not a dataset with a split {split!r}.") from error
    if missing := {"name", "audio", "segments"} - set(rows.column_names):
        raise InputError(
            f"{folder}: the dataset lacks the column(s) {', '.join(sorted(missing))}; it has "
            f"{', '.join(rows.column_names)}. Was it built by an earlier version? Then build it again."
        )
    return with_encoded_audio(rows)
