"""How far annotators agree on which emotion appears when: Fleiss' kappa over frames (section 4.4 of arXiv 2306.12991).

Fleiss 1971, Measuring nominal scale agreement among many raters. Psychological Bulletin 76 (5).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

MOST_FRAMES = 2**40  # of an utterance: 350 years of 10 ms; so that sums are exact

Category = tuple[str, ...]  # the emotions of a frame, in alphabetical order; () is neutral


def annotator_agreement(
    annotations: Sequence[Sequence[Sequence[Mapping[str, Any]]]],
    durations: Sequence[float],
    step: float = 0.01,
    neutral_label: str = "neutral",
) -> dict[str, Any]:
    """Fleiss' kappa of the emotions at the centres of frames.

    Args:
        annotations: for each utterance, for each annotator (the same number everywhere), the marked segments:
            ``{"start": seconds, "end": seconds, "label": name}``; neutral ones may be left out.
        durations: of the utterances, in seconds.
        step: length of a frame in seconds.
        neutral_label: the label that means no emotion.

    Returns:
        ``fleiss_kappa``, ``observed_agreement``, ``expected_agreement`` and the numbers ``frames``, ``annotators``.

    Raises:
        ValueError: if there are fewer than two annotators or their number varies, or a segment or duration is invalid.
    """
    if len(annotations) != len(durations) or not len(durations):
        raise ValueError(
            f"Each utterance needs its annotations and duration; got {len(annotations)} and {len(durations)} of them."
        )
    if not 0 < step < math.inf:
        raise ValueError(f"step must be a positive number of seconds; got {step}.")
    counts = {len(annotators) for annotators in annotations}
    if len(counts) > 1 or min(counts) < 2:
        raise ValueError(
            f"Every utterance needs the same number of annotators, two at least; got {sorted(counts)} of them."
        )
    frames, squares, totals = 0, 0, Counter[Category]()
    for index, (annotators, duration) in enumerate(zip(annotations, durations, strict=True)):
        try:
            number = _frame_count(duration, step)
            squares += _rate_frames(annotators, number, step, neutral_label, totals)
        except (KeyError, TypeError) as error:
            raise ValueError(f"utterance {index}: a segment needs start and end, in seconds, and label.") from error
        except ValueError as error:
            raise ValueError(f"utterance {index}: {error}") from error
        frames += number
    raters = counts.pop()
    kappa, observed, expected = _kappa(frames, raters, squares, totals.values())
    return {
        "fleiss_kappa": kappa,
        "observed_agreement": observed,
        "expected_agreement": expected,
        "frames": frames,
        "annotators": raters,
    }


def fleiss_kappa(ratings: np.ndarray) -> tuple[float, float, float]:
    """Kappa, observed and expected agreement; kappa is 1 where all ratings are of one category.

    Args:
        ratings: ``(items, categories)``, how many raters chose the category; each row has the same sum.
    """
    ratings = np.asarray(ratings)
    return _kappa(len(ratings), int(ratings[0].sum()), int((ratings**2).sum()), ratings.sum(axis=0).tolist())


def _kappa(items: int, raters: int, squares: int, totals: Iterable[int]) -> tuple[float, float, float]:
    """The same of sums: of the squares of all ratings, and of the ratings of each category."""
    observed = (squares - items * raters) / (items * raters * (raters - 1))
    expected = sum((total / (items * raters)) ** 2 for total in totals)
    return (observed - expected) / (1 - expected) if expected < 1 else 1.0, observed, expected


def _frame_count(duration: float, step: float) -> int:
    if not 0 < duration < math.inf:
        raise ValueError(f"its duration must be a positive number of seconds; got {duration}.")
    if duration / step > MOST_FRAMES:
        raise ValueError(f"{duration} s have more than {MOST_FRAMES} frames of {step} s.")
    return max(1, round(duration / step))


def _rate_frames(
    annotators: Sequence[Sequence[Mapping[str, Any]]],
    frames: int,
    step: float,
    neutral_label: str,
    totals: Counter[Category],
) -> int:
    """Adds the ratings of an utterance's frames to the totals; returns the sum of the squares of all of them.

    The category of a frame is the emotions at its centre, for each annotator. Sweeps over the frames at which one
    changes, so that time and memory grow with the number of segments, not with that of frames.
    """
    changes = [(frames, 0, "", 0)]  # the end, at which nothing changes
    for annotator, segments in enumerate(annotators):
        for segment in segments:
            start, end, label = segment["start"], segment["end"], segment["label"]
            if not 0 <= start <= end < math.inf:
                raise ValueError(f"the segment {label!r} from {start} to {end} s needs 0 <= start <= end.")
            first, last = (min(_first_frame(time, step, frames), frames) for time in (start, end))
            if label != neutral_label and first < last:
                changes += [(first, annotator, label, 1), (last, annotator, label, -1)]
    active: list[Counter[str]] = [Counter() for _ in annotators]
    ratings: Counter[Category] = Counter({(): len(annotators)})  # of the frames from the last change on
    squares, squares_of_frame, last_frame = 0, len(annotators) ** 2, 0
    since = [0] * len(annotators)
    for frame, annotator, label, change in sorted(changes):
        squares += (frame - last_frame) * squares_of_frame
        last_frame = frame
        if not change:
            continue
        before = tuple(sorted(active[annotator]))
        active[annotator][label] += change
        active[annotator] += Counter()  # without labels that are over
        after = tuple(sorted(active[annotator]))
        if before != after:
            totals[before] += frame - since[annotator]
            since[annotator] = frame
            squares_of_frame += 2 * (ratings[after] - ratings[before] + 1)
            ratings[before] -= 1
            ratings[after] += 1
    for annotator, labels in enumerate(active):
        totals[tuple(sorted(labels))] += frames - since[annotator]
    return squares


def _first_frame(time: float, step: float, frames: int) -> int:
    """The first frame whose centre is not before a time, as numpy's floats have the centres."""
    frame = math.ceil(min(time / step, float(frames)) - 0.5)
    while frame > 0 and (frame - 0.5) * step >= time:
        frame -= 1
    while frame < frames and (frame + 0.5) * step < time:
        frame += 1
    return frame
