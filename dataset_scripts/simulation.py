"""Simulated utterances with known emotion boundaries: recordings of one speaker, concatenated (section 5.1).

A *plan* says what is concatenated; it is pure, and the same for the same seed. *Rendering* a planned utterance is
pure, too: what it gives depends on nothing but the plan and the source files, so any process may render any part.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from . import acoustics
from .corpora.recording import Recording
from .speech_activity import keep_intervals
from .waveforms import SAMPLING_RATE, encode_waveform, read_waveform

NEUTRAL = "neutral"
# The paper's sequences, each with a probability of 0.25; None stands for the emotion.
SEQUENCES = ((None,), (NEUTRAL, None), (None, NEUTRAL), (NEUTRAL, None, NEUTRAL))


@dataclass(frozen=True)
class SimulationOptions:
    """What goes beyond the paper; the defaults add nothing to it.

    Attributes:
        events: the most emotional events of an utterance; conversations have more than one. Neutral speech stands
            between two of them with a probability of 0.5.
        crossfade: seconds over which parts fade into each other; a hard cut tells a model where the join is.
        pause_mean: seconds of silence at joins, on average; people pause where their mood changes.
        pause_deviation: its standard deviation; what comes out negative is no pause.
        noises: audio files that are put under utterances, for recordings that are not of a studio.
        noise_ratio: least and most ratio of speech to noise, in dB.
        rooms: impulse responses that utterances are heard through.
        hours: size of the train split; recordings are used again, in other utterances, until it is reached.
    """

    events: int = 1
    crossfade: float = 0.0
    pause_mean: float = 0.0
    pause_deviation: float = 0.0
    noises: tuple[Path, ...] = ()
    noise_ratio: tuple[float, float] = (10.0, 30.0)
    rooms: tuple[Path, ...] = ()
    hours: float | None = None

    def __post_init__(self):
        if self.events < 1 or (self.hours is not None and self.hours <= 0):
            raise ValueError(f"events must be at least 1 and hours positive; got {self.events} and {self.hours}.")
        if min(self.crossfade, self.pause_mean, self.pause_deviation) < 0:
            raise ValueError("crossfade, pause_mean and pause_deviation are seconds, at least 0.")
        if not self.noise_ratio[0] <= self.noise_ratio[1]:
            raise ValueError(f"noise_ratio is the least and the most ratio in dB; got {self.noise_ratio}.")


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
        name: its id.
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

    @property
    def transition(self) -> str:
        """The sequence as Table 3 of the paper writes it: ``null-happy-null``; equal neighbours are one."""
        names = []
        for index, part in enumerate(self.parts):
            names.append("null" if part.recording.emotion == NEUTRAL else part.recording.emotion)
            if index < len(self.pauses) and self.pauses[index] > 0:
                names.append("null")
        return "-".join(name for index, name in enumerate(names) if index == 0 or name != names[index - 1])


def plan_utterances(
    sources: Sequence[Source], seed: int, split: str, options: SimulationOptions | None = None
) -> list[PlannedUtterance]:
    """Puts every emotional recording into one utterance, beside neutral ones of the same speaker.

    Neutral recordings are few and used in turn, as often as they are needed.

    Args:
        sources: the recordings of one split.
        seed: another one gives another plan. What a speaker's utterances are does not depend on other speakers.
        split: name of the split, a part of the utterances' names.
        options: what goes beyond the paper.

    Raises:
        ValueError: if a speaker has emotional recordings but no neutral one.
    """
    options = options or SimulationOptions()
    by_speaker: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        by_speaker[source.recording.corpus, source.recording.speaker].append(source)
    speakers = [
        _speaker_utterances(own, f"{seed}/{split}/{corpus}/{speaker}", f"{corpus}_{speaker}_{split}", options)
        for (corpus, speaker), own in sorted(by_speaker.items())
    ]
    if options.hours is None:
        plan = [utterance for passes in speakers for utterance in next(passes)]
    else:
        plan = list(_fill_hours(speakers, options.hours, random.Random(f"{seed}/{split}/hours")))
    return [_add_surroundings(utterance, seed, options) for utterance in plan]


def _speaker_utterances(
    own: Sequence[Source], seed: str, name: str, options: SimulationOptions
) -> Iterator[list[PlannedUtterance]]:
    """Yields passes over a speaker's recordings, without end: every emotional one is used once in each."""
    generator = random.Random(seed)
    neutral = [source for source in own if source.recording.emotion == NEUTRAL]
    emotional = [source for source in own if source.recording.emotion != NEUTRAL]
    if emotional and not neutral:
        recording = own[0].recording
        raise ValueError(
            f"{recording.corpus}: speaker {recording.speaker} has no neutral recording with speech "
            f"({name.rpartition('_')[2]} split); without one the paper's sequences cannot be made."
        )
    generator.shuffle(neutral)
    turn, number = cycle(neutral), 0
    while True:
        generator.shuffle(emotional)
        waiting, utterances = list(reversed(emotional)), []
        while waiting:
            parts = [waiting.pop() if kind is None else next(turn) for kind in generator.choice(SEQUENCES)]
            for _ in range(min(generator.randrange(options.events), len(waiting)) if options.events > 1 else 0):
                if parts[-1].recording.emotion != NEUTRAL and generator.random() < 0.5:
                    parts.append(next(turn))
                parts.append(waiting.pop())
                if generator.random() < 0.5:
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


def _add_surroundings(utterance: PlannedUtterance, seed: int, options: SimulationOptions) -> PlannedUtterance:
    """Draws pauses, noise and room; from the utterance's name, so that no option changes what another one draws."""
    changes: dict[str, Any] = {"crossfade": options.crossfade}
    if options.pause_mean or options.pause_deviation:
        generator = random.Random(f"{seed}/{utterance.name}/pauses")
        changes["pauses"] = tuple(
            max(0.0, generator.gauss(options.pause_mean, options.pause_deviation)) for _ in utterance.parts[1:]
        )
    if options.noises:
        generator = random.Random(f"{seed}/{utterance.name}/noise")
        changes["noise"] = (
            generator.choice(options.noises),
            generator.uniform(*options.noise_ratio),
            generator.random(),
        )
    if options.rooms:
        changes["room"] = random.Random(f"{seed}/{utterance.name}/room").choice(options.rooms)
    return replace(utterance, **changes)


def render(utterance: PlannedUtterance) -> dict[str, Any]:
    """The utterance as a row of the dataset (columns: see sed.py).

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
    return {
        "id": utterance.name,
        "audio": {
            "path": f"{utterance.name}.flac",
            "bytes": encode_waveform(acoustics.limit_peak(waveform)),
        },
        "duration": len(waveform) / SAMPLING_RATE,
        "segments": [
            {"start": start, "end": end, "label": recording.emotion}
            for (start, end), recording in zip(times, recordings, strict=True)
            if recording.emotion != NEUTRAL
        ],
        "speaker": recordings[0].speaker,
        "corpus": recordings[0].corpus,
        "transition": utterance.transition,
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
            "id": utterance.name,
            "part": number,
            "file": _file_name(part.recording.path),
            "corpus": part.recording.corpus,
            "speaker": part.recording.speaker,
            "emotion": part.recording.emotion,
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
