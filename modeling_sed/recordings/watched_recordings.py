"""Recordings that may change: since they were diarized, or while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..audio_sed import AudioInput
from ..frames_sed import InputError
from .sources import Recordings
from .states import State, is_unchanged, states_of
from .transcript_files import transcript_path

Item = TypeVar("Item")


class WatchedRecordings:
    """Recordings whose state is taken before each of them is read, and compared after it was heard.

    Args:
        recordings: to be watched.
        turns: file that all results depend on, too.
        transcript: file, or folder with one for each recording, that results depend on.

    Attributes:
        recordings: the same, watched.
    """

    def __init__(self, recordings: Recordings, turns: Path | None = None, transcript: Path | None = None):
        self._given, self._turns, self._transcript = recordings, turns, transcript
        self._positions = {name: position for position, name in enumerate(recordings.names)}
        self._before: dict[int, State] = {}
        self.recordings = replace(recordings, audio=self._audio)

    def state_of(self, name: str) -> State | None:
        """The state of a recording and of the files beside it; None if it is none of these recordings."""
        position = self._positions.get(name)
        return None if position is None else self._state_at(position)

    def _state_at(self, position: int) -> State:
        files = [] if self._turns is None else [self._turns]
        if self._transcript is not None:
            try:
                files.append(transcript_path(self._transcript, self._given.names[position]))
            except InputError:  # there is none, which is reported when it is needed
                files.append(self._transcript)
        return [*self._given.state(position), *states_of(files)]

    def unchanged(
        self, found: Iterator[tuple[int, Item]], report: Callable[[InputError], None]
    ) -> Iterator[tuple[int, State, Item]]:
        """Results of recordings that are as they were: position, the state that it was heard in, result.

        Args:
            found: position and result of each recording.
            report: called with an error for each recording that has changed.
        """
        for position, result in found:
            name, before = self._given.names[position], self._before.pop(position)
            if is_unchanged(before, self._state_at(position)):
                yield position, before, result
            else:
                report(InputError(f"{name}: changed while it was read; when that is over, run the same command again."))

    def _audio(self, position: int) -> AudioInput:
        self._before[position] = self._state_at(position)
        return self._given.audio(position)
