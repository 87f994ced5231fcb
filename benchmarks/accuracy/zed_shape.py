"""Utterances with the sequences and durations of an annotated corpus, ZED, filled with recordings of other speakers.

Every utterance of the annotation becomes one with the same parts, neutral or emotional, in the same order. A part is
filled with recordings of one speaker and of the part's emotion, taken in turn, until it lasts as long as in the
annotation. Where two parts meet, recordings end and begin as they were spoken: what is too long is cut at the beginning
of the utterance, or at its end. A part in the middle has neither; it is made of stretches between silences, as near to
its duration as they come.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

from modeling_sed import InputError
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.segments import fill_neutral, join_equal
from modeling_sed.annotations.times import cut_ends
from modeling_sed.dataset_scripts.simulation import PlannedUtterance, Source, render
from modeling_sed.dataset_scripts.waveforms import SAMPLING_RATE

# Samples. What is shorter is not worth a cut: a tenth of a second of it is the silence around speech.
SHORTEST = round(0.3 * SAMPLING_RATE)

Speaker = tuple[str, str]  # corpus and name
Turns = dict[str, Iterator[Source]]  # by emotion, a speaker's recordings without end


def plan_like(annotations: Mapping[str, Annotation], sources: Sequence[Source], seed: int) -> list[PlannedUtterance]:
    """An utterance for each of the annotation, of the same name.

    The speakers of the annotation, in the order of their first utterance, are given the recordings' speakers in turn.

    Args:
        annotations: with durations, by names that begin with the speaker's and an underscore, as ZED's do.
        sources: the recordings.
        seed: another one gives another order of speakers and of their recordings.

    Raises:
        InputError: if an utterance has no duration, or no speaker has recordings of all emotions of the annotation.
    """
    if unknown := [name for name, annotation in annotations.items() if annotation.duration is None]:
        raise InputError(f"The annotation does not say how long {', '.join(unknown)} last(s).")
    parts = {name: parts_of(annotation) for name, annotation in annotations.items()}
    needed = {label for own in parts.values() for label, _ in own}
    by_speaker: dict[Speaker, dict[str, list[Source]]] = {}
    for source in sources:
        own = by_speaker.setdefault((source.recording.corpus, source.recording.speaker), {})
        own.setdefault(source.recording.label, []).append(source)
    able = sorted(speaker for speaker, own in by_speaker.items() if needed <= own.keys())
    if not able:
        raise InputError(
            f"None of the {len(by_speaker)} speakers has recordings of all of {', '.join(sorted(needed))}."
        )
    random.Random(f"{seed}/speakers").shuffle(able)
    speakers = list(dict.fromkeys(name.split("_")[0] for name in annotations))
    filling = dict(zip(speakers, cycle(able)))
    pools = {speaker: by_speaker[speaker] for speaker in able}
    turns = {speaker: _turns(own, f"{seed}/{'/'.join(speaker)}") for speaker, own in pools.items()}
    utterances = []
    for name, own in parts.items():
        speaker = filling[name.split("_")[0]]
        utterances.append(PlannedUtterance(name, tuple(_fill(own, pools[speaker], turns[speaker]))))
    return utterances


def parts_of(annotation: Annotation) -> list[tuple[str, float]]:
    """Label and seconds of the parts that tile an utterance, the neutral ones, too."""
    (segments,) = cut_ends([annotation.segments], [annotation.duration])
    tiles = join_equal(fill_neutral(segments, annotation.duration))
    return [(tile["label"], tile["end"] - tile["start"]) for tile in tiles]


def _turns(own: Mapping[str, Sequence[Source]], seed: str) -> Turns:
    turns = {}
    for label, sources in own.items():
        order = sorted(sources, key=lambda source: source.recording.path)
        random.Random(f"{seed}/{label}").shuffle(order)
        turns[label] = cycle(order)
    return turns


def _fill(parts: Sequence[tuple[str, float]], pool: Mapping[str, Sequence[Source]], turns: Turns) -> list[Source]:
    """The recordings of an utterance, in order."""
    filled: list[Source] = []
    for number, (label, seconds) in enumerate(parts):
        samples = round(seconds * SAMPLING_RATE)
        if number == len(parts) - 1:
            filled += _in_turn(samples, turns[label], keep_beginning=True)
        elif number == 0:
            filled += reversed(_in_turn(samples, turns[label], keep_beginning=False))
        else:
            filled += nearest(samples, pool[label])
    return filled


def _in_turn(samples: int, turn: Iterator[Source], keep_beginning: bool) -> list[Source]:
    """Whole recordings and, to fill what is missing, the beginning or the end of a last one."""
    taken: list[Source] = []
    while not taken or samples >= SHORTEST:
        source = shortened(next(turn), samples, keep_beginning)
        taken.append(source)
        samples -= _length(source)
    return taken


def shortened(source: Source, samples: int, keep_beginning: bool) -> Source:
    """The beginning or the end of a recording's speech, or all of it if it has no more than so many samples."""
    if _length(source) <= samples:
        return source
    kept: list[tuple[int, int]] = []
    for first, last in source.speech if keep_beginning else reversed(source.speech):
        length = min(last - first, samples)
        if length:
            kept.append((first, first + length) if keep_beginning else (last - length, last))
        samples -= length
    return replace(source, speech=tuple(sorted(kept)))


def nearest(samples: int, pool: Sequence[Source]) -> list[Source]:
    """Neighbouring stretches of recordings, each recording once, that last about as long as asked for.

    One after the other, what comes nearest to what is missing is added, as long as that brings the whole nearer.
    """
    remaining = sorted(pool, key=lambda source: source.recording.path)
    taken: list[Source] = []
    while remaining:
        runs = [(run, source) for source in remaining for run in _runs(source)]
        run, source = min(runs, key=lambda pair: abs(samples - _length(pair[0])))
        if taken and abs(samples - _length(run)) >= abs(samples):
            break
        taken.append(run)
        remaining.remove(source)
        samples -= _length(run)
    return taken


def _runs(source: Source) -> Iterator[Source]:
    """All neighbouring stretches of a recording, but for those that are shorter than `SHORTEST`."""
    for first in range(len(source.speech)):
        for last in range(first + 1, len(source.speech) + 1):
            run = replace(source, speech=source.speech[first:last])
            if _length(run) >= min(SHORTEST, _length(source)):
                yield run


def _length(source: Source) -> int:
    """Samples of speech."""
    return sum(last - first for first, last in source.speech)


def render_parts(utterance: PlannedUtterance) -> dict[str, Any]:
    """The utterance as a row of the dataset, with one segment for each emotional part.

    It has no transcription, since recordings are cut.
    """
    row = render(utterance)
    return row | {"segments": join_equal(row["segments"]), "transcription": ""}
