"""Sequences of emotions, wherever their borders lie, and in how many utterances they are right.

The sequence of an utterance is its emotions in the order of time, equal neighbours joined: ``null-happy-null`` is an
emotion within neutral speech (Table 3 of arXiv 2306.12991). Only the whole sequence can be right. In it, the emotions
at a time are a tuple of labels, so that no name of an emotion means anything else; `written` makes a text of it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

NULL = "null"  # how Table 3 writes the absence of emotion

# Seconds. Gaps and overlaps of up to 1 ms come from rounding, as tools write times with three decimals; ignored.
ROUNDING = 1e-3

Emotions = tuple[str, ...]  # at a time, in alphabetical order; () for none
EmotionSequence = tuple[Emotions, ...]


def transition_accuracy(
    predictions: Sequence[Sequence[Mapping[str, Any]]],
    references: Sequence[Sequence[Mapping[str, Any]]],
    durations: Sequence[float],
    neutral_label: str | Sequence[str] = "neutral",
) -> dict[str, Any]:
    """In how many utterances the whole sequence is right.

    Args:
        predictions: for each utterance its segments, ``{"start": seconds, "end": seconds, "label": name}``, in any
            order; neutral ones may be left out.
        references: the same, of the truth.
        durations: of the utterances, in seconds.
        neutral_label: the label that means no emotion, or several.

    Returns:
        ``accuracy``, ``correct``, ``utterances``, and ``transitions``: for each sequence of the references its
        ``total``, ``correct`` and ``accuracy``, grouped by emotion, as in Table 3.

    Raises:
        ValueError: if the inputs differ in length or are empty, or a segment or duration is invalid.
    """
    return tabulate(sequence_pairs(predictions, references, durations, neutral_label))


def sequence_pairs(
    predictions: Sequence[Sequence[Mapping[str, Any]]],
    references: Sequence[Sequence[Mapping[str, Any]]],
    durations: Sequence[float],
    neutral_label: str | Sequence[str] = "neutral",
) -> list[tuple[EmotionSequence, EmotionSequence]]:
    """The true and the predicted sequence of each utterance; the arguments are those of `transition_accuracy`.

    Raises:
        ValueError: see `transition_accuracy`.
    """
    if not len(predictions) == len(references) == len(durations) or not len(durations):
        raise ValueError(
            "Each utterance needs its predictions, references and duration; got "
            f"{len(predictions)}, {len(references)} and {len(durations)} of them."
        )
    neutral = {neutral_label} if isinstance(neutral_label, str) else set(neutral_label)
    pairs: list[tuple[EmotionSequence, EmotionSequence]] = []
    try:
        for prediction, reference, duration in zip(predictions, references, durations, strict=True):
            truth = emotion_sequence(reference, duration, neutral)
            pairs.append((truth, emotion_sequence(prediction, duration, neutral)))
    except (KeyError, TypeError) as error:
        raise ValueError(f"utterance {len(pairs)}: a segment needs start and end, in seconds, and label.") from error
    except ValueError as error:
        raise ValueError(f"utterance {len(pairs)}: {error}") from error
    return pairs


def tabulate(pairs: Sequence[tuple[EmotionSequence, EmotionSequence]]) -> dict[str, Any]:
    """What `transition_accuracy` returns, of true and predicted sequences."""
    total: Counter[EmotionSequence] = Counter()
    correct: Counter[EmotionSequence] = Counter()
    for truth, answer in pairs:
        total[truth] += 1
        correct[truth] += truth == answer
    order = sorted(
        total, key=lambda sequence: ([emotions for emotions in sequence if emotions], len(sequence), sequence)
    )
    return {
        "accuracy": correct.total() / total.total(),
        "correct": correct.total(),
        "utterances": total.total(),
        "transitions": {
            written(sequence): {
                "total": total[sequence],
                "correct": correct[sequence],
                "accuracy": correct[sequence] / total[sequence],
            }
            for sequence in order
        },
    }


def format_table(result: Mapping[str, Any]) -> str:
    """The result of `transition_accuracy` as a table: sequence, number of utterances, how many are right, accuracy."""
    width = max(len("sequence of emotions"), *map(len, result["transitions"]))
    total = {"total": result["utterances"], "correct": result["correct"], "accuracy": result["accuracy"]}
    rows = {**result["transitions"], "total": total}
    return "\n".join(
        [
            f"{'sequence of emotions':<{width}}{'utterances':>12}{'correct':>10}{'accuracy':>12}",
            *(
                f"{name:<{width}}{row['total']:>12}{row['correct']:>10}{100 * row['accuracy']:>10.1f} %"
                for name, row in rows.items()
            ),
        ]
    )


def transition(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_labels: Collection[str] = ("neutral",)
) -> str:
    """The sequence of an utterance as Table 3 writes it: ``"null-happy-null"``; see `emotion_sequence`."""
    return written(emotion_sequence(segments, duration, neutral_labels))


def written(sequence: EmotionSequence) -> str:
    """A sequence as text: ``"null-happy-happy+sad"``; different ones differ.

    A label that could be taken for something else ("null", "", "non-neutral", "a+b") is put into quotes.
    """
    return "-".join("+".join(map(_quoted, emotions)) or NULL for emotions in sequence)


def _quoted(label: str) -> str:
    is_plain = re.fullmatch(r'[^-+"]+', label) and label != NULL
    return label if is_plain else json.dumps(label, ensure_ascii=False)


def emotion_sequence(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_labels: Collection[str]
) -> EmotionSequence:
    """Emotions in the order of time, equal neighbours joined: ``((), ("happy",), ("happy", "sad"))``.

    Stretches of up to `ROUNDING` are left out, unless
    the utterance has no other: then its longest one is its sequence.

    Args:
        segments: of one utterance; what lies past its end is cut.
        duration: of the utterance, in seconds.
        neutral_labels: labels that mean no emotion.

    Raises:
        ValueError: for a time that is not ``0 <= start <= end``, or a duration that is not positive.
    """
    stretches = _stretches(segments, duration, neutral_labels)
    # whole microseconds, so that a difference of 0.001 s is equal to ROUNDING whatever the rounding of the subtraction
    lasting = [emotions for emotions, seconds in stretches if round(seconds, 6) > ROUNDING]
    found = lasting or [max(stretches, key=lambda stretch: stretch[1])[0]]
    return tuple(emotions for emotions, _ in groupby(found))


def _stretches(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_labels: Collection[str]
) -> list[tuple[Emotions, float]]:
    """Stretches with the same emotions, in the order of time: these and seconds.

    Sweeps over the sorted borders and counts the segments of each label that are open, so that the time grows with the
    number of segments, and with that of emotions at a time.
    """
    if not 0 < duration < math.inf:
        raise ValueError(f"its duration must be a positive number of seconds; got {duration}.")
    borders = [(duration, "", 0)]
    for segment in segments:
        start, end, label = segment["start"], segment["end"], segment["label"]
        if not 0 <= start <= end < math.inf:
            raise ValueError(f"the segment {label!r} from {start} to {end} s needs 0 <= start <= end.")
        end = min(end, duration)
        if label not in neutral_labels and start < end:
            borders += [(start, label, 1), (end, label, -1)]
    found: list[Emotions] = []
    starts: list[float] = []
    active: Counter[str] = Counter()
    last = 0.0
    for time, label, change in sorted(borders):
        if time > last:
            emotions = tuple(sorted(active))
            if not found or found[-1] != emotions:
                found.append(emotions)
                starts.append(last)
            last = time
        active[label] += change
        if not active[label]:
            del active[label]
    ends = [*starts[1:], duration]
    return [(emotions, end - start) for emotions, start, end in zip(found, starts, ends, strict=True)]
