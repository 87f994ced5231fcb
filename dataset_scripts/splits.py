"""Divides the recordings of corpora into train, validation and test, so that nothing is in two of them."""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

from .errors import InputError
from .simulation import NEUTRAL, Source

SPLIT_BY = ("recording", "speaker", "corpus")


def split_sources(
    sources: Sequence[Source],
    split_by: str,
    seed: int,
    validation_fraction: float,
    test_fraction: float,
    held_out: str | None = None,
) -> dict[str, list[Source]]:
    """Shares recordings out; each is in one split only. What speakers lack goes to stderr, a line for each corpus.

    Args:
        sources: of any number of corpora; each corpus is divided by itself.
        split_by: "recording" (the paper's 90/10): validation has its own recordings of the train split's speakers.
            "speaker": it has its own speakers. "corpus": a whole corpus is left out of training; it is the test split,
            beside which validation has its own speakers, or, where there is no test split, validation itself.
        seed: another one gives other splits.
        validation_fraction: share of the speakers, or of each speaker's recordings of an emotion, for validation.
        test_fraction: share of the speakers for test, who are in no other split; 0 for no test split.
        held_out: the corpus that is left out.

    Returns:
        ``train``, ``validation`` and, if ``test_fraction`` is not 0, ``test``.

    Raises:
        InputError: if a corpus has too few speakers or recordings.
    """
    by_corpus: dict[str, dict[str, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        by_corpus[source.recording.corpus][source.recording.speaker].append(source)
    # who has fewer neutral recordings than both splits need is in train only, unless that goes for everybody
    needed = 2 if any(_neutral(own) > 1 for speakers in by_corpus.values() for own in speakers.values()) else 0
    splits: dict[str, list[Source]] = {"train": [], "validation": []} | ({"test": []} if test_fraction else {})
    for corpus, speakers in sorted(by_corpus.items()):
        _report_speakers(corpus, speakers, needed if split_by == "recording" else 0)
        if corpus == held_out:
            splits["test" if test_fraction else "validation"] += chain.from_iterable(speakers.values())
            continue
        fractions = {"test": test_fraction} if test_fraction and split_by != "corpus" else {}
        if split_by == "speaker" or (split_by == "corpus" and test_fraction):
            fractions["validation"] = validation_fraction
        shares = _share_speakers(corpus, sorted(speakers), fractions, seed)
        emotional = _emotional(speakers)
        if len(emotional) > len(fractions) and any(set(names).isdisjoint(emotional) for names in shares.values()):
            shares = _share_speakers(corpus, emotional, fractions, seed)  # no split may have none of them
        for split, names in shares.items():
            for name in names:
                if split == "train" and split_by == "recording":
                    train, validation = _share_recordings(speakers[name], seed, validation_fraction, needed)
                    splits["train"] += train
                    splits["validation"] += validation
                else:
                    splits[split] += speakers[name]
    if not splits["validation"]:
        raise InputError("No speaker has enough recordings for a validation split; split by speaker instead.")
    if not splits["train"]:
        raise InputError(f"Nothing is left to train on without {held_out}; add another corpus.")
    return splits


def _neutral(own: Sequence[Source]) -> int:
    """How many neutral recordings a speaker has."""
    return sum(source.recording.label == NEUTRAL for source in own)


def _emotional(speakers: Mapping[str, Sequence[Source]]) -> list[str]:
    """The speakers with an emotional recording, of whom utterances can be made; sorted."""
    return sorted(name for name, own in speakers.items() if _neutral(own) < len(own))


def _report_speakers(corpus: str, speakers: Mapping[str, Sequence[Source]], needed: int) -> None:
    counts = [_neutral(speakers[name]) for name in _emotional(speakers)]
    lacking = {
        "without a neutral recording (no neutral speech in their utterances)": counts.count(0),
        "without an emotional recording (left out)": len(speakers) - len(counts),
        "with a single neutral recording (train split only)": sum(0 < count < needed for count in counts),
    }
    if any(lacking.values()):
        reasons = "; ".join(f"{count} {reason}" for reason, count in lacking.items() if count)
        print(f"{corpus}: of {len(speakers)} speakers, {reasons}", file=sys.stderr)


def _share_speakers(corpus: str, names: list[str], fractions: dict[str, float], seed: int) -> dict[str, list[str]]:
    if len(names) < 1 + len(fractions):
        raise InputError(
            f"{corpus} has {len(names)} speaker(s); the splits train, {', '.join(fractions)} need one each at least."
        )
    random.Random(f"{seed}/{corpus}").shuffle(names)
    shares, taken = {}, 0
    for split, fraction in fractions.items():
        count = max(1, min(round(fraction * len(names)), len(names) - taken - (len(fractions) - len(shares))))
        shares[split] = sorted(names[taken : taken + count])
        taken += count
    return {"train": sorted(names[taken:]), **shares}


def _share_recordings(
    own: list[Source], seed: int, validation_fraction: float, needed: int
) -> tuple[list[Source], list[Source]]:
    """One speaker's recordings; for validation at least one of each emotion, but never all."""
    by_label: dict[str, list[Source]] = defaultdict(list)
    for source in own:
        by_label[source.recording.label].append(source)
    if len(by_label[NEUTRAL]) < needed:
        return own, []
    train, validation = [], []
    recording = own[0].recording
    generator = random.Random(f"{seed}/{recording.corpus}/{recording.speaker}/recordings")
    for _, group in sorted(by_label.items()):
        generator.shuffle(group)
        count = min(max(1, round(validation_fraction * len(group))), len(group) - 1)
        validation += group[:count]
        train += group[count:]
    return train, validation
