"""Simulated utterances with known emotion boundaries: recordings of one speaker, concatenated (section 5.1).

A *plan* says what is concatenated; it is pure, and the same for the same seed. *Rendering* a planned utterance is
pure, too: what it gives depends on nothing but the plan and the source files, so any process may render any part.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from ..metrics.emotion_transition_accuracy.transitions import transition
from . import acoustics
from .corpora.recording import Recording
from .errors import InputError
from .options import option
from .speech_activity import keep_intervals
from .waveforms import SAMPLING_RATE, encode_waveform, read_waveform

NEUTRAL = "neutral"
LONGEST = 3_600  # seconds, of a cross-fade or a silence
# The paper's sequences, each with a probability of 0.25; None stands for the emotion.
SEQUENCES = ((None,), (NEUTRAL, None), (None, NEUTRAL), (NEUTRAL, None, NEUTRAL))


@dataclass
class SimulationOptions:
    """What goes beyond the paper; the defaults add nothing to it. The help texts say what the options mean."""

    events: int = option(
        "maximum number of emotional segments in an utterance; between two of them there is neutral speech with a "
        "probability of 0.5",
        default=1,
    )
    crossfade: float = option("duration of the cross-fade between two recordings, in seconds", default=0.0)
    pause_mean: float = option("mean duration of the silence between two recordings, in seconds", default=0.0)
    pause_deviation: float = option(
        "standard deviation of the silence between two recordings, in seconds; a negative value means no silence",
        default=0.0,
    )
    noises: str | None = option(
        "folder of noise recordings; one of them is added to each utterance", default=None, metavar="DIR"
    )
    noise_ratio: tuple[float, float] = option(
        "minimum and maximum signal-to-noise ratio, in dB", default=(10.0, 30.0), metavar=("MIN", "MAX")
    )
    rooms: str | None = option(
        "folder of room impulse responses; each utterance is convolved with one of them", default=None, metavar="DIR"
    )
    hours: float | None = option(
        "duration of the train split, in hours; recordings are used again, in other utterances, until it is reached "
        "(default: every emotional recording is used once)",
        default=None,
    )

    def check(self) -> None:
        """Raises an InputError if an option is out of range."""
        if self.events < 1:
            raise InputError(f"events must be at least 1; got {self.events}.")
        if self.hours is not None and not 0 < self.hours < math.inf:
            raise InputError(f"hours must be a positive number; got {self.hours}.")
        for name in ("crossfade", "pause_mean", "pause_deviation"):
            if not 0 <= getattr(self, name) <= LONGEST:
                raise InputError(f"{name} must be 0 to {LONGEST} seconds; got {getattr(self, name)}.")
        if len(self.noise_ratio) != 2 or not self.noise_ratio[0] <= self.noise_ratio[1]:
            raise InputError(f"noise_ratio must be the minimum and the maximum in dB; got {self.noise_ratio}.")


@dataclass(frozen=True)
class Source:
    """A recording that is ready to be concatenated.

    Attributes:
        recording: the file.
        speech: first sample and last + 1 of each stretch that is kept, at 16 kHz.
    """

    recording: Recording
    speech: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> float:
        """How long its speech is."""
        return sum(last - first for first, last in self.speech) / SAMPLING_RATE


@dataclass(frozen=True)
class PlannedUtterance:
    """What a simulated utterance is made of.

    Attributes:
        name: its name in the dataset.
        parts: what is concatenated, in order.
        pauses: seconds of silence at each join; () for none.
        crossfade: seconds over which parts without a pause between them fade into each other.
        noise: file that is put under it, with the ratio of speech to noise in dB and where in the file to begin (0-1).
        room: impulse response that it is heard through.
    """

    name: str
    parts: tuple[Source, ...]
    pauses: tuple[float, ...] = ()
    crossfade: float = 0.0
    noise: tuple[Path, float, float] | None = None
    room: Path | None = None


def plan_utterances(
    sources: Sequence[Source],
    seed: int,
    split: str,
    options: SimulationOptions | None = None,
    noises: Sequence[Path] = (),
    rooms: Sequence[Path] = (),
) -> list[PlannedUtterance]:
    """Puts every emotional recording into one utterance, beside neutral ones of the same speaker.

    Neutral recordings are few and used in turn, as often as they are needed. A speaker without any gets utterances of
    emotions alone; one without an emotional recording gets none.

    Args:
        sources: the recordings of one split.
        seed: another one gives another plan. What a speaker's utterances are does not depend on other speakers.
        split: name of the split, a part of the utterances' names; only "train" is filled up to ``options.hours``.
        options: what goes beyond the paper.
        noises, rooms: the audio files of the folders that the options name.

    Raises:
        InputError: if no recording has an emotion.
    """
    options = options or SimulationOptions()
    if all(source.recording.label == NEUTRAL for source in sources):
        raise InputError(f"The {split} split has no recording with an emotion; use more recordings, or another seed.")
    by_speaker: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        by_speaker[source.recording.corpus, source.recording.speaker].append(source)
    speakers = [
        _speaker_utterances(own, f"{seed}/{split}/{corpus}/{speaker}", f"{corpus}_{speaker}_{split}", options)
        for (corpus, speaker), own in sorted(by_speaker.items())
    ]
    if options.hours is None or split != "train":
        plan = [utterance for passes in speakers for utterance in next(passes)]
    else:
        plan = list(_fill_hours(speakers, options.hours, random.Random(f"{seed}/{split}/hours")))
    return [_add_surroundings(utterance, seed, options, noises, rooms) for utterance in plan]


def _speaker_utterances(
    own: Sequence[Source], seed: str, name: str, options: SimulationOptions
) -> Iterator[list[PlannedUtterance]]:
    """Yields passes over a speaker's recordings, without end: every emotional one is used once in each."""
    generator = random.Random(seed)
    neutral = [source for source in own if source.recording.label == NEUTRAL]
    emotional = [source for source in own if source.recording.label != NEUTRAL]
    sequences = SEQUENCES if neutral else [(None,)]
    generator.shuffle(neutral)
    turn, number = cycle(neutral), 0
    while True:
        generator.shuffle(emotional)
        waiting, utterances = list(reversed(emotional)), []
        while waiting:
            parts = [waiting.pop() if kind is None else next(turn) for kind in generator.choice(sequences)]
            for _ in range(min(generator.randrange(options.events), len(waiting)) if options.events > 1 else 0):
                if neutral and parts[-1].recording.label != NEUTRAL and generator.random() < 0.5:
                    parts.append(next(turn))
                parts.append(waiting.pop())
                if neutral and generator.random() < 0.5:
                    parts.append(next(turn))
            utterances.append(PlannedUtterance(f"{name}_{number:04d}", tuple(parts)))
            number += 1
        yield utterances


def _fill_hours(
    speakers: Sequence[Iterator[list[PlannedUtterance]]], hours: float, generator: random.Random
) -> Iterator[PlannedUtterance]:
    """Passes over all speakers' recordings, each in random order, until the hours are full."""
    remaining = hours * 3600
    while True:
        utterances = [utterance for passes in speakers for utterance in next(passes)]
        generator.shuffle(utterances)
        for utterance in utterances:
            yield utterance
            remaining -= sum(part.seconds for part in utterance.parts)
            if remaining <= 0:
                return


def _add_surroundings(
    utterance: PlannedUtterance, seed: int, options: SimulationOptions, noises: Sequence[Path], rooms: Sequence[Path]
) -> PlannedUtterance:
    """Draws pauses, noise and room; from the utterance's name, so that no option changes what another one draws."""
    changes: dict[str, Any] = {"crossfade": options.crossfade}
    if options.pause_mean or options.pause_deviation:
        generator = random.Random(f"{seed}/{utterance.name}/pauses")
        changes["pauses"] = tuple(
            max(0.0, generator.gauss(options.pause_mean, options.pause_deviation)) for _ in utterance.parts[1:]
        )
    if noises:
        generator = random.Random(f"{seed}/{utterance.name}/noise")
        changes["noise"] = (
            generator.choice(noises),
            generator.uniform(*options.noise_ratio),
            generator.random(),
        )
    if rooms:
        changes["room"] = random.Random(f"{seed}/{utterance.name}/room").choice(rooms)
    return replace(utterance, **changes)


def render(utterance: PlannedUtterance) -> dict[str, Any]:
    """The utterance as a row of the dataset (columns: see builder.py).

    All parts get the level (root mean square) of the first, as in the authors' scripts.
    """
    waveforms = [keep_intervals(read_waveform(part.recording.path), np.array(part.speech)) for part in utterance.parts]
    pauses = [round(seconds * SAMPLING_RATE) for seconds in utterance.pauses] or [0] * (len(waveforms) - 1)
    waveform, intervals = acoustics.join(
        acoustics.match_levels(waveforms), pauses, round(utterance.crossfade * SAMPLING_RATE)
    )
    if utterance.room:
        waveform = acoustics.add_room(waveform, read_waveform(utterance.room))
    if utterance.noise:
        file, ratio, offset = utterance.noise
        waveform = acoustics.add_noise(waveform, read_waveform(file), ratio, offset)
    times = [(first / SAMPLING_RATE, last / SAMPLING_RATE) for first, last in intervals]
    recordings = [part.recording for part in utterance.parts]
    segments = [
        {"start": start, "end": end, "label": recording.label}
        for (start, end), recording in zip(times, recordings, strict=True)
        if recording.label != NEUTRAL
    ]
    return {
        "name": utterance.name,
        "audio": {
            "path": f"{utterance.name}.flac",
            "bytes": encode_waveform(acoustics.limit_peak(waveform)),
        },
        "duration": len(waveform) / SAMPLING_RATE,
        "segments": segments,
        "speaker": recordings[0].speaker,
        "corpus": recordings[0].corpus,
        "transition": transition(segments, len(waveform) / SAMPLING_RATE),
        "transcription": " ".join(recording.transcription for recording in recordings).strip(),
        "sources": [
            {
                "file": _file_name(part.recording.path),
                "start": start,
                "end": end,
                "stretches": [
                    {"start": first / SAMPLING_RATE, "end": last / SAMPLING_RATE} for first, last in part.speech
                ],
            }
            for (start, end), part in zip(times, utterance.parts, strict=True)
        ],
    }


def plan_rows(plan: Mapping[str, Sequence[PlannedUtterance]]) -> list[dict[str, Any]]:
    """The plan of all splits as a table: a row for each part of each utterance, with its length in seconds."""
    return [
        {
            "split": split,
            "name": utterance.name,
            "part": number,
            "file": _file_name(part.recording.path),
            "corpus": part.recording.corpus,
            "speaker": part.recording.speaker,
            "label": part.recording.label,
            "seconds": part.seconds,
            "pause_before": utterance.pauses[number - 1] if number and utterance.pauses else 0.0,
            "noise": _file_name(utterance.noise[0]) if utterance.noise else "",
            "noise_ratio": utterance.noise[1] if utterance.noise else "",
            "room": _file_name(utterance.room) if utterance.room else "",
        }
        for split, utterances in plan.items()
        for utterance in utterances
        for number, part in enumerate(utterance.parts)
    ]


def _file_name(path: Path) -> str:
    """The file with its folder: enough to find it in its corpus, and nothing about this machine."""
    return f"{path.parent.name}/{path.name}"
