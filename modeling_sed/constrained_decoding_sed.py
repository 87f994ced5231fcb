"""The most probable segmentation of a recording among those that prior knowledge allows, exactly.

Section 3 of arXiv 2306.12991 leaves it open to filter predictions "based on prior knowledge (e.g. number/position of
emotion appearances)". Here the knowledge is a grammar, and what is found is the labelling of all frames with the
greatest sum of log posteriors, less costs, that obeys it: maximum a posteriori, by dynamic programming, in time linear
in the number of frames.

Both searches rest on one observation. A segment of label ``l`` from frame ``s`` to frame ``t`` scores
``S[t, l] - S[s, l]``, with cumulative sums ``S``; so the best start for every end is a running maximum over ``s``,
which changes only where a better start comes by. There the segment is found again when the path is traced back.
"""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-8  # posterior; none is impossible


def decode_events(posteriors: np.ndarray, neutral: int, maximum: int = 1, minimum: int = 0) -> np.ndarray:
    """At most so many emotional events in a recording, and neutral otherwise.

    With ``maximum=1, minimum=1`` the result is one of the four sequences of Fig. 5 of arXiv 2306.12991: emotion;
    neutral-emotion; emotion-neutral; neutral-emotion-neutral. That is how the utterances of ZED and of the training set
    are made; for recordings of several utterances it would be wrong.

    Args:
        posteriors: ``(frames, labels)``.
        neutral: position of the neutral label.
        maximum: number of events, at most; time and memory grow with it.
        minimum: 1 if there must be one, otherwise 0.

    Returns:
        Frame labels, ``(frames,)``.

    Raises:
        ValueError: for a maximum below 1, or a minimum that is neither 0 nor 1.
    """
    if maximum < 1 or minimum not in (0, 1):
        raise ValueError(f"maximum must be 1 or more, minimum 0 or 1; got {maximum} and {minimum}.")
    frames, labels = posteriors.shape
    sums = _cumulative(np.log(np.maximum(posteriors, SMALLEST), dtype=np.float64))
    emotions = [label for label in range(labels) if label != neutral]
    in_neutral = sums[:, neutral].copy()  # best score of the first t frames that ends in neutral (or at the beginning)
    entered, left, ends = [], [], [in_neutral[frames]]
    before = in_neutral
    for _ in range(maximum):
        gains = np.maximum.accumulate(before[:-1, None] - sums[:-1, emotions], axis=0)  # of the best start before t
        in_emotion = np.full((frames + 1, len(emotions)), -np.inf)
        in_emotion[1:] = gains + sums[1:, emotions]
        relief = np.maximum.accumulate(in_emotion.max(axis=1)[:-1] - sums[:-1, neutral])
        in_neutral = np.full(frames + 1, -np.inf)
        in_neutral[1:] = relief + sums[1:, neutral]
        entered.append((gains, in_emotion))
        left.append((relief, in_neutral))
        before = np.maximum(in_neutral, in_emotion.max(axis=1))
        ends.append(before[frames])
    result, end = np.full(frames, neutral), frames
    for event in range(minimum + int(np.argmax(ends[minimum:])), 0, -1):
        (gains, in_emotion), (relief, in_neutral) = entered[event - 1], left[event - 1]
        if in_neutral[end] > in_emotion[end].max():
            end = int(np.searchsorted(relief, relief[end - 1]))
        which = int(in_emotion[end].argmax())
        start = int(np.searchsorted(gains[:, which], gains[end - 1, which]))
        result[start:end] = emotions[which]
        end = start
    return result


def decode_semi_markov(
    posteriors: np.ndarray,
    frame_seconds: float,
    transition_cost: float = 10.0,
    minimum_duration: float = 0.5,
    mean_durations: list[float] | None = None,
) -> np.ndarray:
    """Any sequence of segments; each has a cost, and a duration with a distribution.

    Durations follow a shifted geometric distribution: none below the minimum, then falling by a constant factor. With
    costs alone it is a Markov chain whose transitions are all equally probable.

    Args:
        posteriors: ``(frames, labels)``.
        frame_seconds: duration of a frame.
        transition_cost: what a change of label costs, in nats: 0 or more.
        minimum_duration: seconds that each segment lasts at least; a recording that is shorter is one segment. The
            longer, the faster.
        mean_durations: mean duration of the segments of each label in seconds; None if none is more probable.

    Returns:
        Frame labels, ``(frames,)``.

    Raises:
        ValueError: for a negative cost or duration, or means that are not one for each label and above the minimum.
    """
    frames, labels = posteriors.shape
    if transition_cost < 0 or minimum_duration < 0:
        raise ValueError(f"Costs and durations are 0 or more; got {transition_cost} and {minimum_duration}.")
    shortest = min(max(round(minimum_duration / frame_seconds), 1), frames)
    scores, entry = np.log(np.maximum(posteriors, SMALLEST), dtype=np.float64), np.zeros(labels)
    if mean_durations is not None:
        if len(mean_durations) != labels or min(mean_durations) <= minimum_duration:
            raise ValueError(
                f"mean_durations must be {labels} numbers above the minimum of {minimum_duration} s; "
                f"got {mean_durations}."
            )
        ending = 1 / (np.asarray(mean_durations) / frame_seconds - shortest + 1)  # probability, after the minimum
        scores = scores + np.log1p(-ending)
        entry = np.log(ending) - shortest * np.log1p(-ending)
    gains, totals = _best_starts(_cumulative(scores), entry, transition_cost, shortest)
    return _trace_segments(gains, totals, shortest)


def _best_starts(
    sums: np.ndarray, entry: np.ndarray, transition_cost: float, shortest: int
) -> tuple[np.ndarray, np.ndarray]:
    """The forward pass of `decode_semi_markov`, ``shortest`` frames at a time: those depend on none of each other.

    Returns:
        For each number of frames, ``(frames + 1, labels)``: what the best start of a segment that ends there gains, and
        the score of the best segmentation that ends there in this label.
    """
    gains, totals, offers = (np.full(sums.shape, -np.inf) for _ in range(3))
    offers[0] = entry  # the first segment needs no transition
    for first in range(shortest, len(sums), shortest):
        ends, starts = slice(first, first + shortest), slice(first - shortest, min(first, len(sums) - shortest))
        gains[ends] = np.maximum(np.maximum.accumulate(offers[starts]), gains[first - 1])
        totals[ends] = gains[ends] + sums[ends]
        best = totals[ends].max(axis=1, keepdims=True)
        is_best = totals[ends] == best
        others = np.where(is_best, -np.inf, totals[ends]).max(axis=1, keepdims=True)
        before = np.where(is_best & (is_best.sum(axis=1, keepdims=True) == 1), others, best)
        offers[ends] = before - sums[ends] + entry - transition_cost  # after a segment of another label
    return gains, totals


def _trace_segments(gains: np.ndarray, totals: np.ndarray, shortest: int) -> np.ndarray:
    end, allowed = len(totals) - 1, np.zeros(totals.shape[1])
    result = np.empty(end, dtype=np.int64)
    while end > 0:
        label = int((totals[end] + allowed).argmax())
        start = int(np.searchsorted(gains[:, label], gains[end, label])) - shortest
        result[start:end] = label
        allowed = np.where(np.arange(len(allowed)) == label, -np.inf, 0.0)
        end = start
    return result


def _cumulative(scores: np.ndarray) -> np.ndarray:
    """Sums of the first ``0 … frames`` frames: ``(frames + 1, labels)``."""
    return np.concatenate([np.zeros((1, scores.shape[1])), scores.cumsum(axis=0)])
