"""From frame posteriors to segments: the third module of the paper's pipeline (Fig. 2 of arXiv 2306.12991).

A decoder is a function that assigns a label to each frame; `merge_frames` turns these labels into segments that tile
the recording. The paper takes the most probable label of each frame (section 3.1), and suggests more: predictions
"can be filtered based on prior knowledge (e.g. number/position of emotion appearances), or a threshold can be applied
to mask low-confidence predictions".

A decoder is chosen by name, with its default parameters, or by a mapping of its ``name`` and parameters:

>>> decode(posteriors, {"name": "hysteresis", "onset": 0.7, "offset": 0.3}, neutral=0, frame_seconds=0.02)

`decode_events` and `decode_semi_markov` find the labelling of all frames with the greatest sum of log posteriors, less
costs, among those that prior knowledge allows, exactly: maximum a posteriori, by dynamic programming, in time linear in
the number of frames. Both rest on one observation. A segment of label ``l`` from frame ``s`` to frame ``t`` scores
``S[t, l] - S[s, l]``, with cumulative sums ``S``; so the best start for every end is a running maximum over ``s``. This
maximum changes at the best start, which is how the starts are found again when the path is traced back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from .frames_sed import InputError, Segment, merge_frames
from .values_sed import are_numbers, check_number, shown

SMALLEST = 1e-8  # posteriors are raised to this, so that no label is impossible
GREATEST = 1e6  # of parameters; longer times and higher costs say no more
MOST_EVENTS = 1_000


def decode(
    posteriors: np.ndarray, decoder: str | Mapping[str, Any] | None, neutral: int, frame_seconds: float
) -> np.ndarray:
    """The label of each frame.

    Args:
        posteriors: ``(frames, labels)``.
        decoder: a name of `DECODERS`, or a mapping of its ``name`` and parameters; None: "argmax".
        neutral: position of the neutral label.
        frame_seconds: duration of a frame.

    Returns:
        Positions of labels, ``(frames,)``.

    Raises:
        InputError: if the decoder or a parameter of it does not exist, or a parameter has an impossible value.
    """
    function, parameters = find_decoder(decoder)
    known = {"neutral": neutral, "frame_seconds": frame_seconds}
    taken = signature(function).parameters
    return function(posteriors, **{key: value for key, value in known.items() if key in taken}, **parameters)


def check_decoder(decoder: str | Mapping[str, Any] | None, label_count: int) -> None:
    """Checks that `decode` accepts a decoder for this number of labels.

    Raises:
        InputError: if the decoder or a parameter of it does not exist, or a parameter has an impossible value.
    """
    decode(np.full((2, label_count), 1 / label_count), decoder, neutral=0, frame_seconds=0.02)


def find_decoder(decoder: str | Mapping[str, Any] | None) -> tuple[Callable[..., np.ndarray], dict[str, Any]]:
    """Function and parameters of a decoder, as `decode` takes it; the parameters' values are not checked."""
    if not isinstance(decoder, str | Mapping | None):
        raise InputError(f"A decoder is a name, or a mapping of its name and parameters; got {shown(decoder)}.")
    parameters = dict(decoder) if isinstance(decoder, Mapping) else {"name": decoder or "argmax"}
    name = parameters.pop("name", None)
    if not isinstance(name, str) or name not in DECODERS:
        raise InputError(f"There is no decoder {shown(name)}; there are {', '.join(DECODERS)}.")
    possible = signature(DECODERS[name]).parameters.keys() - {"posteriors", "neutral", "frame_seconds"}
    if unknown := parameters.keys() - possible:
        raise InputError(
            f"The decoder {name!r} has no parameter {', '.join(sorted(map(str, unknown)))}; "
            f"it has {', '.join(sorted(possible)) or 'none'}."
        )
    return DECODERS[name], parameters


def decode_argmax(posteriors: np.ndarray) -> np.ndarray:
    """The most probable label of each frame, ``(frames, labels) -> (frames,)``; the first of equals."""
    return posteriors.argmax(axis=1)


def decode_threshold(posteriors: np.ndarray, neutral: int, threshold: float = 0.5) -> np.ndarray:
    """The most probable label, but neutral where an emotion is less probable than ``threshold``."""
    check_number(threshold, "threshold", 0, 1)
    found = posteriors.argmax(axis=1)
    return np.where(posteriors.max(axis=1) >= threshold, found, neutral)


def decode_median(posteriors: np.ndarray, frame_seconds: float, duration: float = 0.5) -> np.ndarray:
    """The most frequent of the most probable labels within ``duration`` seconds around each frame.

    For one label against the others that is the median filter of sound event detection; with several labels, its
    extension by plurality. Recordings are cut at their ends, and equal counts are decided by the mean posterior.
    """
    check_number(duration, "duration", 0, GREATEST)
    frames, labels = posteriors.shape
    half = round(duration / frame_seconds) // 2
    # integers: their sums are exact, and so are differences of sums that have overflown
    votes = (np.eye(labels, dtype=np.int64)[posteriors.argmax(axis=1)] << 40) + (posteriors * 2**20).astype(np.int64)
    sums = np.concatenate([np.zeros((1, labels), np.int64), votes.cumsum(axis=0)])
    middle = np.arange(frames)
    return (sums[np.minimum(middle + half + 1, frames)] - sums[np.maximum(middle - half, 0)]).argmax(axis=1)


def decode_hysteresis(posteriors: np.ndarray, neutral: int, onset: float = 0.6, offset: float = 0.4) -> np.ndarray:
    """An event where the probability of any emotion stays above ``offset`` and rises above ``onset`` in between.

    Its emotion is the one with the greatest mean posterior (the double threshold of sound event detection).
    """
    check_number(onset, "onset", 0, 1)
    check_number(offset, "offset", 0, 1)
    if offset > onset:
        raise InputError(f"The offset threshold must not be above the onset threshold; got {offset} and {onset}.")
    emotional = 1 - posteriors[:, neutral]
    borders = np.flatnonzero(np.diff(emotional >= offset, prepend=False, append=False))
    result = np.full(len(posteriors), neutral)
    for first, last in borders.reshape(-1, 2):
        if emotional[first:last].max() >= onset:
            mass = posteriors[first:last].sum(axis=0, dtype=np.float64)
            mass[neutral] = -np.inf
            result[first:last] = mass.argmax()
    return result


def decode_minimum_duration(posteriors: np.ndarray, frame_seconds: float, duration: float = 0.3) -> np.ndarray:
    """The most probable segmentation whose segments all last ``duration`` seconds or more; exact."""
    return decode_semi_markov(posteriors, frame_seconds, transition_cost=0.0, minimum_duration=duration)


def decode_total_variation(posteriors: np.ndarray, frame_seconds: float, strength: float = 0.25) -> np.ndarray:
    """The most probable label after exact total variation denoising of each label's posteriors.

    Logarithms of posteriors are not used: a single frame that is wrong with high confidence would outweigh seconds.

    Args:
        posteriors: ``(frames, labels)``.
        frame_seconds: duration of a frame.
        strength: in seconds; a stretch of posterior 1 among zeros disappears if it is shorter than twice this.
    """
    check_number(strength, "strength", 0, GREATEST)
    smooth = [denoise_total_variation(track, strength / frame_seconds) for track in posteriors.T]
    return np.stack(smooth, axis=1).argmax(axis=1)


def denoise_total_variation(signal: np.ndarray, strength: float) -> np.ndarray:
    """The minimiser x of ``sum((x - signal)**2) / 2 + strength * sum(abs(diff(x)))``, exactly, without iterations.

    Condat 2013, "A Direct Algorithm for 1-D Total Variation Denoising", IEEE Signal Processing Letters 20(11), p. 3,
    with its variable names. In practice linear in the signal's length. Plain floats, since numpy is slower on one
    number at a time.

    Args:
        signal: ``(frames,)``, at least one.
        strength: at least 0; a bump of height h disappears if it lasts less than ``2 * strength / h`` frames.

    Returns:
        ``(frames,)``.
    """
    y, smooth = signal.tolist(), [0.0] * len(signal)
    last = len(y) - 1
    # a stretch begins at k0; its value lies between vmin and vmax, with the dual variables umin and umax;
    # it would end after kmin (with a step down) or kmax (a step up)
    k = k0 = kmin = kmax = 0
    vmin, vmax, umin, umax = y[0] - strength, y[0] + strength, strength, -strength
    while True:
        while k == last:
            if umin < 0:
                smooth[k0 : kmin + 1] = [vmin] * (kmin + 1 - k0)
                k = k0 = kmin = kmin + 1
                vmin, umin = y[k], strength
                umax = vmin + strength - vmax
            elif umax > 0:
                smooth[k0 : kmax + 1] = [vmax] * (kmax + 1 - k0)
                k = k0 = kmax = kmax + 1
                vmax, umax = y[k], -strength
                umin = vmax - strength - vmin
            else:
                smooth[k0:] = [vmin + umin / (k - k0 + 1)] * (len(y) - k0)
                return np.array(smooth)
        following = y[k + 1]
        umin += following - vmin
        umax += following - vmax
        if umin < -strength:
            smooth[k0 : kmin + 1] = [vmin] * (kmin + 1 - k0)
            k = k0 = kmin = kmax = kmin + 1
            vmin, vmax, umin, umax = y[k], y[k] + 2 * strength, strength, -strength
        elif umax > strength:
            smooth[k0 : kmax + 1] = [vmax] * (kmax + 1 - k0)
            k = k0 = kmin = kmax = kmax + 1
            vmin, vmax, umin, umax = y[k] - 2 * strength, y[k], strength, -strength
        else:
            k += 1
            if umin >= strength:
                kmin = k
                vmin += (umin - strength) / (k - k0 + 1)
                umin = strength
            if umax <= -strength:
                kmax = k
                vmax += (umax + strength) / (k - k0 + 1)
                umax = -strength


def decode_events(posteriors: np.ndarray, neutral: int, maximum: int = 1, minimum: int = 0) -> np.ndarray:
    """At most ``maximum`` emotional events in a recording; everything else is neutral.

    With ``maximum=1, minimum=1`` the result is one of the four sequences of Fig. 5 of arXiv 2306.12991: emotion;
    neutral-emotion; emotion-neutral; neutral-emotion-neutral. The utterances of ZED and of the training set have these
    sequences; recordings of several utterances have others.

    Args:
        posteriors: ``(frames, labels)``.
        neutral: position of the neutral label.
        maximum: greatest number of events, up to `MOST_EVENTS`; time and memory grow with it.
        minimum: 1 if there must be an event, otherwise 0.

    Returns:
        Frame labels, ``(frames,)``.
    """
    check_number(maximum, "maximum", 1, MOST_EVENTS, is_whole=True)
    check_number(minimum, "minimum", 0, 1, is_whole=True)
    frames, labels = posteriors.shape
    sums = cumulative_scores(posteriors, 0.0, 0.0)
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
    """The most probable sequence of segments, given the cost of a transition and a distribution of durations.

    Durations follow a shifted geometric distribution: none below the minimum, then falling by a constant factor. With
    costs alone it is a Markov chain whose transitions are all equally probable.

    Args:
        posteriors: ``(frames, labels)``.
        frame_seconds: duration of a frame.
        transition_cost: what a change of label costs, in nats: 0 or more.
        minimum_duration: seconds that each segment lasts at least; a recording that is shorter is one segment. Longer
            minima are faster to compute.
        mean_durations: mean seconds of the segments of each label; None: all durations are equally probable.

    Returns:
        Frame labels, ``(frames,)``.

    Raises:
        InputError: for a negative cost or duration, or means that are not one for each label and above the minimum.
    """
    frames, labels = posteriors.shape
    check_number(transition_cost, "transition_cost", 0, GREATEST)
    check_number(minimum_duration, "minimum_duration", 0, GREATEST)
    shortest = min(max(round(minimum_duration / frame_seconds), 1), frames)
    means = mean_durations
    if means is not None and not (are_numbers(means, labels) and min(means) > minimum_duration):
        raise InputError(
            f"mean_durations must be {labels} numbers above the minimum of {minimum_duration} s; got {shown(means)}."
        )
    staying, entry = duration_scores(means, labels, frame_seconds, shortest)
    gains, totals = _best_starts(cumulative_scores(posteriors, staying, 0.0), entry, transition_cost, shortest)
    return _trace_segments(gains, totals, shortest)


def duration_scores(means: list[float] | None, labels: int, frame_seconds: float, shortest: int) -> np.ndarray:
    """What `decode_semi_markov` adds to the score of each frame, and of each segment, by its label: ``(2, labels)``."""
    if means is None:
        return np.zeros((2, labels))
    ending = 1 / (np.asarray(means) / frame_seconds - shortest + 1)  # probability, after the minimum
    return np.stack([np.log1p(-ending), np.log(ending) - shortest * np.log1p(-ending)])


def _best_starts(
    sums: np.ndarray, entry: np.ndarray, transition_cost: float, shortest: int
) -> tuple[np.ndarray, np.ndarray]:
    """The forward pass of `decode_semi_markov`, ``shortest`` frames at a time, which do not depend on each other.

    Returns:
        For each number of frames, ``(frames + 1, labels)``: what the best start of a segment that ends there gains, and
        the score of the best segmentation that ends there in this label.
    """
    gains, totals, offers = (np.full(sums.shape, -np.inf) for _ in range(3))
    offers[0] = entry  # the first segment needs no transition
    for first in range(shortest, len(sums), shortest):
        ends, starts = slice(first, first + shortest), slice(first - shortest, min(first, len(sums) - shortest))
        gains[ends], totals[ends] = best_ends(offers[starts], gains[first - 1], sums[ends])
        offers[ends] = offers_after(totals[ends], sums[ends]) + entry - transition_cost
    return gains, totals


def best_ends(offers: np.ndarray, gains: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains and totals of `_best_starts`, ``(frames, labels)``, from the offers to the last starts that are possible
    and the gains of the frame before, ``(labels,)``."""
    gains = np.maximum(np.maximum.accumulate(offers), gains)
    return gains, gains + sums


def offers_after(totals: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """What a segment gains that begins after each frame, when one of another label has ended: ``(frames, labels)``."""
    best = totals.max(axis=1, keepdims=True)
    is_best = totals == best
    others = np.where(is_best, -np.inf, totals).max(axis=1, keepdims=True)
    return np.where(is_best & (is_best.sum(axis=1, keepdims=True) == 1), others, best) - sums


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


def cumulative_scores(posteriors: np.ndarray, staying: np.ndarray | float, before: np.ndarray | float) -> np.ndarray:
    """Sums of ``before`` and the log posteriors and ``staying`` of ``0 … frames`` frames: ``(frames + 1, labels)``."""
    scores = np.log(np.maximum(posteriors, SMALLEST), dtype=np.float64) + staying
    return np.concatenate([np.zeros((1, posteriors.shape[1])) + before, scores]).cumsum(axis=0)


DECODERS: dict[str, Callable[..., np.ndarray]] = {
    "argmax": decode_argmax,
    "threshold": decode_threshold,
    "median": decode_median,
    "hysteresis": decode_hysteresis,
    "minimum_duration": decode_minimum_duration,
    "total_variation": decode_total_variation,
    "events": decode_events,
    "semi_markov": decode_semi_markov,
}


def temper(posteriors: np.ndarray, temperature: float) -> np.ndarray:
    """Posteriors of logits that are divided by ``temperature``, ``(frames, labels)``: above 1, less confident.

    Temperature scaling (arXiv 1706.04599) leaves the most probable label as it is; fitted on held-out data, it makes
    confidences probabilities of being right.
    """
    if temperature == 1:
        return posteriors
    shares = np.maximum(posteriors, np.finfo(np.float32).tiny) / posteriors.max(axis=1, keepdims=True)
    powers = shares ** (1 / temperature)  # the greatest is 1, whatever the temperature
    return powers / powers.sum(axis=1, keepdims=True)


def segments_of(
    posteriors: np.ndarray,
    frame_times: np.ndarray,
    labels: Sequence[str],
    neutral_label: str,
    decoder: str | Mapping[str, Any] | None = None,
) -> list[Segment]:
    """Posteriors -> segments: `decode` and `merge_frames`.

    Args:
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        labels, neutral_label: label names, and one of them.
        decoder: as `decode` takes it.
    """
    frame_seconds = float(frame_times[1] - frame_times[0])
    frame_labels = decode(posteriors, decoder, labels.index(neutral_label), frame_seconds)
    return merge_frames(frame_labels, posteriors, frame_times, labels)
