"""From frame posteriors to segments: the third module of the paper's pipeline (Fig. 2 of arXiv 2306.12991).

A decoder is a function that assigns a label to each frame; `merge_frames` turns these labels into segments that tile
the recording. The paper takes the most probable label of each frame (section 3.1), and leaves more open: predictions
"can be filtered based on prior knowledge …, or a threshold can be applied to mask low-confidence predictions".

A decoder is chosen by name, or by a mapping of its ``name`` and parameters, as a model's configuration has it:

>>> decode(posteriors, {"name": "hysteresis", "onset": 0.7, "offset": 0.3}, neutral=0, frame_seconds=0.02)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from .constrained_decoding_sed import decode_events, decode_semi_markov
from .total_variation_sed import denoise_total_variation


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
        ValueError: if there is no such decoder, or it has no such parameter, or not with such a value.
    """
    function, parameters = _find(decoder)
    known = {"neutral": neutral, "frame_seconds": frame_seconds}
    taken = signature(function).parameters
    return function(posteriors, **{key: value for key, value in known.items() if key in taken}, **parameters)


def check_decoder(decoder: str | Mapping[str, Any] | None, label_count: int) -> None:
    """Whether `decode` takes this decoder for so many labels, before there is anything to decode.

    Raises:
        ValueError: if there is no such decoder, or it has no such parameter, or not with such a value.
    """
    try:
        decode(np.full((2, label_count), 1 / label_count), decoder, neutral=0, frame_seconds=0.02)
    except TypeError as error:
        raise ValueError(f"The decoder {decoder!r} has a parameter of a wrong type: {error}.") from error


def _find(decoder: str | Mapping[str, Any] | None) -> tuple[Callable[..., np.ndarray], dict[str, Any]]:
    """Function and parameters of a decoder; its values are not looked at."""
    parameters = {"name": decoder or "argmax"} if decoder is None or isinstance(decoder, str) else dict(decoder)
    name = parameters.pop("name", None)
    if name not in DECODERS:
        raise ValueError(f"There is no decoder {name!r}; there are {', '.join(DECODERS)}.")
    possible = signature(DECODERS[name]).parameters.keys() - {"posteriors", "neutral", "frame_seconds"}
    if unknown := parameters.keys() - possible:
        raise ValueError(
            f"The decoder {name!r} has no parameter {', '.join(sorted(unknown))}; "
            f"it has {', '.join(sorted(possible)) or 'none'}."
        )
    return DECODERS[name], parameters


def decode_argmax(posteriors: np.ndarray) -> np.ndarray:
    """The most probable label of each frame, ``(frames, labels) -> (frames,)``; the first of equals."""
    return posteriors.argmax(axis=1)


def decode_threshold(posteriors: np.ndarray, neutral: int, threshold: float = 0.5) -> np.ndarray:
    """The most probable label, but neutral where an emotion is less probable than ``threshold``."""
    found = posteriors.argmax(axis=1)
    return np.where(posteriors.max(axis=1) >= threshold, found, neutral)


def decode_median(posteriors: np.ndarray, frame_seconds: float, duration: float = 0.5) -> np.ndarray:
    """The most frequent of the most probable labels within ``duration`` seconds around each frame.

    For one label against the others that is the median filter of sound event detection; with several labels, its
    extension by plurality. Recordings are cut at their ends, and equal counts are decided by the mean posterior.
    """
    frames, labels = posteriors.shape
    half = round(duration / frame_seconds) // 2
    votes = np.eye(labels)[posteriors.argmax(axis=1)] + 1e-6 * posteriors
    sums = np.concatenate([np.zeros((1, labels)), votes.cumsum(axis=0)])
    middle = np.arange(frames)
    return (sums[np.minimum(middle + half + 1, frames)] - sums[np.maximum(middle - half, 0)]).argmax(axis=1)


def decode_hysteresis(posteriors: np.ndarray, neutral: int, onset: float = 0.6, offset: float = 0.4) -> np.ndarray:
    """An event where the probability of any emotion stays above ``offset`` and rises above ``onset`` in between.

    Its emotion is the one with the greatest mean posterior (double thresholds, as sound event detection has them).

    Raises:
        ValueError: if the offset threshold is above the onset threshold.
    """
    if offset > onset:
        raise ValueError(f"The offset threshold must not be above the onset threshold; got {offset} and {onset}.")
    emotional = 1 - posteriors[:, neutral]
    borders = np.flatnonzero(np.diff(emotional >= offset, prepend=False, append=False))
    sums = np.concatenate([np.zeros((1, posteriors.shape[1])), posteriors.cumsum(axis=0, dtype=np.float64)])
    sums[:, neutral] = -np.arange(len(sums))  # never the greatest
    result = np.full(len(posteriors), neutral)
    for first, last in borders.reshape(-1, 2):
        if emotional[first:last].max() >= onset:
            result[first:last] = (sums[last] - sums[first]).argmax()
    return result


def decode_minimum_duration(posteriors: np.ndarray, frame_seconds: float, duration: float = 0.3) -> np.ndarray:
    """The most probable segmentation whose segments all last ``duration`` seconds or more; exact."""
    return decode_semi_markov(posteriors, frame_seconds, transition_cost=0.0, minimum_duration=duration)


def decode_total_variation(posteriors: np.ndarray, frame_seconds: float, strength: float = 0.25) -> np.ndarray:
    """The most probable label after exact total variation denoising of each label's posteriors.

    Of posteriors, not of their logarithms, in which one frame that is wrong and sure of it would outweigh seconds.

    Args:
        posteriors: ``(frames, labels)``.
        frame_seconds: duration of a frame.
        strength: seconds; a posterior of 1 amid 0 is gone when it lasts less than twice as long.

    Raises:
        ValueError: for a negative strength.
    """
    if strength < 0:
        raise ValueError(f"strength must be 0 or more; got {strength}.")
    smooth = [denoise_total_variation(track, strength / frame_seconds) for track in posteriors.T]
    return np.stack(smooth, axis=1).argmax(axis=1)


DECODERS = {
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
    powers = np.maximum(posteriors, np.finfo(np.float32).tiny) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def segments_of(
    posteriors: np.ndarray,
    frame_times: np.ndarray,
    labels: Sequence[str],
    neutral_label: str,
    decoder: str | Mapping[str, Any] | None = None,
) -> list[dict]:
    """Posteriors -> segments: `decode` and `merge_frames`.

    Args:
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        labels: label names.
        neutral_label: one of them.
        decoder: as `decode` takes it.
    """
    frame_seconds = float(frame_times[1] - frame_times[0])
    frame_labels = decode(posteriors, decoder, labels.index(neutral_label), frame_seconds)
    return merge_frames(frame_labels, posteriors, frame_times, labels)


def merge_frames(
    frame_labels: np.ndarray, posteriors: np.ndarray, frame_times: np.ndarray, labels: Sequence[str]
) -> list[dict]:
    """Segments of a labelled sequence of frames: one for each run of equal labels.

    Args:
        frame_labels: ``(frames,)``, positions in ``labels``.
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        labels: label names.

    Returns:
        ``{"start", "end", "label", "score"}`` each, in order and without gaps from the first frame border to the
        last. ``score`` is the mean posterior of the segment's label over its time.
    """
    changes = np.flatnonzero(np.diff(frame_labels)) + 1
    first = np.concatenate([[0], changes])
    last = np.concatenate([changes, [len(frame_labels)]])
    chosen = posteriors[np.arange(len(frame_labels)), frame_labels]
    seconds = np.diff(frame_times)
    scores = np.add.reduceat(chosen * seconds, first) / np.add.reduceat(seconds, first)
    return [
        {
            "start": float(frame_times[start]),
            "end": float(frame_times[end]),
            "label": labels[frame_labels[start]],
            "score": float(score),
        }
        for start, end, score in zip(first, last, scores, strict=True)
    ]
