"""Simulated utterances with known emotion boundaries: recordings of one speaker, concatenated (section 5.1).

A *plan* says what is concatenated; it is pure, and the same for the same seed. *Rendering* a planned utterance is
pure, too: what it gives depends on nothing but the plan and the source files, so any process may render any part.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any

import numpy as np

from .corpora.recording import Recording
from .speech_activity import keep_intervals
from .waveforms import SAMPLING_RATE, encode_waveform, read_waveform

NEUTRAL = "neutral"
# The paper's sequences, each with a probability of 0.25; None stands for the emotion.
SEQUENCES = ((None,), (NEUTRAL, None), (None, NEUTRAL), (NEUTRAL, None, NEUTRAL))
PEAK = 0.99  # of full scale: an utterance that matched levels would clip is scaled down to it


@dataclass(frozen=True)
class Source:
    """A recording that is ready to be concatenated.

    Attributes:
        recording: the file.
        speech: first sample and last + 1 of each stretch that is kept, at 16 kHz.
    """

    recording: Recording
    speech: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class PlannedUtterance:
    """What a simulated utterance is made of.

    Attributes:
        name: its id.
        parts: what is concatenated, in order; one of them is emotional.
    """

    name: str
    parts: tuple[Source, ...]

    @property
    def transition(self) -> str:
        """The sequence as Table 3 of the paper writes it: ``null-happy-null``."""
        return "-".join("null" if part.recording.emotion == NEUTRAL else part.recording.emotion for part in self.parts)


def plan_utterances(sources: Sequence[Source], seed: int, split: str) -> list[PlannedUtterance]:
    """Puts every emotional recording into one utterance, beside neutral ones of the same speaker.

    Neutral recordings are few and used in turn, as often as they are needed.

    Args:
        sources: the recordings of one split.
        seed: another one gives another plan. What a speaker's utterances are does not depend on other speakers.
        split: name of the split, a part of the utterances' names.

    Raises:
        ValueError: if a speaker has emotional recordings but no neutral one.
    """
    by_speaker: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        by_speaker[source.recording.corpus, source.recording.speaker].append(source)
    plan = []
    for (corpus, speaker), own in sorted(by_speaker.items()):
        generator = random.Random(f"{seed}/{split}/{corpus}/{speaker}")
        neutral = [source for source in own if source.recording.emotion == NEUTRAL]
        emotional = [source for source in own if source.recording.emotion != NEUTRAL]
        if emotional and not neutral:
            raise ValueError(
                f"{corpus}: speaker {speaker} has no neutral recording with speech for the {split} split; "
                "without one the paper's sequences cannot be made."
            )
        generator.shuffle(neutral)
        generator.shuffle(emotional)
        turn = cycle(neutral)
        for number, source in enumerate(emotional):
            parts = [source if kind is None else next(turn) for kind in generator.choice(SEQUENCES)]
            plan.append(PlannedUtterance(f"{corpus}_{speaker}_{split}_{number:04d}", tuple(parts)))
    return plan


def render(utterance: PlannedUtterance) -> dict[str, Any]:
    """The utterance as a row of the dataset (columns: see sed.py).

    All parts get the level (root mean square) of the first, as in the authors' scripts.
    """
    waveforms = [keep_intervals(read_waveform(part.recording.path), np.array(part.speech)) for part in utterance.parts]
    waveform = np.concatenate(match_levels(waveforms))
    waveform *= min(1.0, PEAK / np.abs(waveform).max())
    borders = np.cumsum([0, *map(len, waveforms)])
    times = [(first / SAMPLING_RATE, last / SAMPLING_RATE) for first, last in pairwise(borders)]
    recordings = [part.recording for part in utterance.parts]
    return {
        "id": utterance.name,
        "audio": {"path": f"{utterance.name}.flac", "bytes": encode_waveform(waveform)},
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
                "file": _file_name(part.recording),
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
            "file": _file_name(part.recording),
            "corpus": part.recording.corpus,
            "speaker": part.recording.speaker,
            "emotion": part.recording.emotion,
            "seconds": sum(last - first for first, last in part.speech) / SAMPLING_RATE,
        }
        for split, utterances in plan.items()
        for utterance in utterances
        for number, part in enumerate(utterance.parts)
    ]


def _file_name(recording: Recording) -> str:
    """The file with its folder: enough to find it in its corpus, and nothing about this machine."""
    return f"{recording.path.parent.name}/{recording.path.name}"


def match_levels(waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Scales waveforms ``(samples,)`` to the root mean square of the first one."""
    levels = [np.sqrt(np.mean(np.square(waveform, dtype=np.float64))) for waveform in waveforms]
    return [waveform * np.float32(levels[0] / level) for waveform, level in zip(waveforms, levels, strict=True)]
