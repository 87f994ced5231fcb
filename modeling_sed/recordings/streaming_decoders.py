"""The decoders of decoding_sed.py for posteriors that come bit by bit: labels as soon as nothing can change them.

Each gives, in the end, exactly the labels that its decoder gives for the whole recording, and computes them with the
same functions. How long it waits:

- argmax and threshold do not;
- median waits for half of its duration, which it looks ahead;
- hysteresis waits for the end of each event, since its emotion is that of the whole event;
- minimum_duration and semi_markov wait until the best segmentations for every possible continuation agree. Each of them
  is known; what they have in common is what the best one will have, whatever comes (the survivors of a Viterbi search).
  There is no limit to that time, but it is short where posteriors are clear: about twice the minimum duration.

The others have rules for the whole recording: a maximum number of events, total variation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from itertools import compress
from typing import Any

import numpy as np

from ..decoding_sed import (
    best_ends,
    check_decoder,
    cumulative_scores,
    decode,
    duration_scores,
    find_decoder,
    offers_after,
)
from ..frames_sed import InputError


class StreamingDecoder(ABC):
    """A decoder for a recording that is not over yet."""

    @abstractmethod
    def step(self, posteriors: np.ndarray) -> np.ndarray:
        """The labels that are final with the next ``(frames, labels)``: those of the next frames without one, in order.

        Returns:
            Positions of labels, ``(final frames,)``.
        """

    @abstractmethod
    def rest(self) -> np.ndarray:
        """The labels of all frames that `step` gave none, ``(frames,)``, if the recording ended here."""


def streaming_decoder(
    decoder: str | Mapping[str, Any] | None, label_count: int, neutral: int, frame_seconds: float
) -> StreamingDecoder:
    """The streaming form of a decoder.

    Args:
        decoder: as `decode` takes it.
        label_count: number of labels.
        neutral: position of the neutral label.
        frame_seconds: duration of a frame.

    Raises:
        InputError: if there is no such decoder, or it needs the whole recording.
    """
    check_decoder(decoder, label_count)
    function, parameters = find_decoder(decoder)
    name = function.__name__.removeprefix("decode_")
    if name not in ("argmax", "threshold", "median", "hysteresis", "minimum_duration", "semi_markov"):
        raise InputError(
            f"The decoder {name} needs the whole recording. For one that is not over yet, there are argmax, threshold, "
            "median, hysteresis, minimum_duration and semi_markov (--decoder)."
        )
    defaults = {key: value.default for key, value in signature(function).parameters.items()}
    parameters = {**defaults, **parameters}
    if name == "minimum_duration":  # as decode_minimum_duration
        return StreamingSemiMarkov(label_count, frame_seconds, 0.0, parameters["duration"], None)
    if name == "semi_markov":
        names = ("transition_cost", "minimum_duration", "mean_durations")
        return StreamingSemiMarkov(label_count, frame_seconds, *(parameters[name] for name in names))

    def decide(posteriors: np.ndarray) -> np.ndarray:
        return decode(posteriors, decoder, neutral, frame_seconds)

    if name == "hysteresis":
        return StreamingHysteresis(decide, label_count, neutral, parameters["offset"])
    return StreamingFilter(decide, label_count, round(parameters.get("duration", 0.0) / frame_seconds) // 2)


class StreamingFilter(StreamingDecoder):
    """A decoder whose label for a frame depends on a number of frames on either side of it.

    Args:
        decide: ``(frames, labels) -> (frames,)``.
        label_count: number of labels.
        reach: number of frames on either side.
    """

    def __init__(self, decide: Callable[[np.ndarray], np.ndarray], label_count: int, reach: int):
        self._decide, self._reach = decide, reach
        self._heard, self._next = np.zeros((0, label_count), np.float32), 0  # the first frame in it without a label

    def step(self, posteriors: np.ndarray) -> np.ndarray:
        self._heard = np.concatenate([self._heard, posteriors])
        end = max(len(self._heard) - self._reach, self._next)
        labels = self._decide(self._heard)[self._next : end]
        past = max(end - self._reach, 0)
        self._heard, self._next = self._heard[past:], end - past
        return labels

    def rest(self) -> np.ndarray:
        return self._decide(self._heard)[self._next :]


class StreamingHysteresis(StreamingDecoder):
    """`decode_hysteresis`: frames are decided up to the last that is below the offset threshold.

    Args:
        decide: ``(frames, labels) -> (frames,)``.
        label_count: number of labels.
        neutral: position of the neutral label.
        offset: the lower threshold.
    """

    def __init__(self, decide: Callable[[np.ndarray], np.ndarray], label_count: int, neutral: int, offset: float):
        self._decide, self._neutral, self._offset = decide, neutral, offset
        self._event = np.zeros((0, label_count), np.float32)  # that may go on

    def step(self, posteriors: np.ndarray) -> np.ndarray:
        heard = np.concatenate([self._event, posteriors])
        calm = np.flatnonzero(1 - posteriors[:, self._neutral] < self._offset)
        end = len(self._event) + calm[-1] + 1 if len(calm) else 0
        self._event = heard[end:]
        return self._decide(heard[:end])

    def rest(self) -> np.ndarray:
        return self._decide(self._event)


@dataclass(eq=False)
class Border:
    """Where a segment ends, and the best segments before it."""

    frame: int
    label: int  # of the segment
    previous: Border | None  # None: what is before is final


class StreamingSemiMarkov(StreamingDecoder):
    """`decode_semi_markov`, which finds the best segmentation for each label that the last segment may have.

    The recording's best segmentation goes on from one of these, or from a start that is still too recent to be the
    end of a segment of the minimum duration. Borders that none of them goes through are forgotten.

    Args:
        label_count: number of labels.
        frame_seconds: duration of a frame.
        transition_cost, minimum_duration, mean_durations: of `decode_semi_markov`.
    """

    def __init__(
        self,
        label_count: int,
        frame_seconds: float,
        transition_cost: float,
        minimum_duration: float,
        mean_durations: list[float] | None,
    ):
        self._shortest = max(round(minimum_duration / frame_seconds), 1)
        self._staying, entry = duration_scores(mean_durations, label_count, frame_seconds, self._shortest)
        self._entry, self._cost = entry, transition_cost
        self._frame = self._final = 0  # how many were heard, and how many have their label
        self._sums = np.zeros(label_count)
        self._gains = np.full(label_count, -np.inf)  # of the best start for each label
        beginning = Border(0, -1, None)
        self._origins = [beginning] * label_count  # that start
        # the last starts, as many as the shortest segment has frames: what they offer, and the two best segmentations
        # that end there, since those of other labels are followed by the second one
        self._offers = np.full((self._shortest, label_count), -np.inf)
        self._offers[-1] = entry
        self._starts = deque([(beginning, beginning)] * self._shortest, maxlen=self._shortest)

    def step(self, posteriors: np.ndarray) -> np.ndarray:
        sums = cumulative_scores(posteriors, self._staying, self._sums)[1:]
        for first in range(0, len(sums), self._shortest):
            self._advance(sums[first : first + self._shortest])
        labels = self._agreed([self._segments(path) for path in self._survivors()])
        self._final += len(labels)
        return labels

    def rest(self) -> np.ndarray:
        label = int((self._gains + self._sums).argmax())
        segments = self._segments(Border(self._frame, label, self._origins[label]))
        return self._agreed([segments])

    def _advance(self, sums: np.ndarray) -> None:
        """Goes on by ``(frames, labels)`` cumulative scores, no more frames than the shortest segment has."""
        gains, totals = best_ends(self._offers[: len(sums)], self._gains, sums)
        offers = offers_after(totals, sums) + self._entry - self._cost
        self._offers = np.concatenate([self._offers[len(sums) :], offers])
        is_better = gains > np.concatenate([self._gains[None], gains[:-1]])
        best = totals.argmax(axis=1)
        second = np.where(np.arange(totals.shape[1]) == best[:, None], -np.inf, totals).argmax(axis=1)
        for better, first_label, second_label in zip(is_better.tolist(), best.tolist(), second.tolist(), strict=True):
            self._frame += 1
            starts = self._starts[0]
            for label in compress(range(len(better)), better):
                self._origins[label] = _other(starts, label)
            ends = [Border(self._frame, label, self._origins[label]) for label in (first_label, second_label)]
            self._starts.append((ends[0], ends[1]))
        self._gains, self._sums = gains[-1], sums[-1]

    def _survivors(self) -> Iterator[Border]:
        """The segmentations of the frames so far that the best one of the whole recording may begin with."""
        for label in np.flatnonzero(self._gains > -np.inf):
            yield Border(self._frame, int(label), self._origins[label])
        for start, label in np.argwhere(self._offers > self._gains):
            yield Border(self._frame, int(label), _other(self._starts[start], label))

    def _segments(self, border: Border | None) -> list[tuple[int, int]]:
        """Label and end of each segment up to a border, of those that are not final."""
        segments = []
        while border is not None and border.frame > self._final:
            segments.append((border.label, border.frame))
            if border.previous is not None and border.previous.frame <= self._final:
                border.previous = None  # nobody asks for it again
            border = border.previous
        return segments[::-1]

    def _agreed(self, segmentations: list[list[tuple[int, int]]]) -> np.ndarray:
        """The labels that all have in common, from the first frame that is not final."""
        labels, frame = [], self._final
        for segments in zip(*segmentations, strict=False):
            if len({label for label, _ in segments}) > 1:
                break
            ends = {end for _, end in segments}
            labels += [segments[0][0]] * (min(ends) - frame)
            frame = min(ends)
            if len(ends) > 1:
                break
        return np.array(labels, dtype=np.int64)


def _other(ends: tuple[Border, Border], label: int) -> Border:
    """The best segmentation whose last segment has another label."""
    return ends[1] if ends[0].label == label else ends[0]
