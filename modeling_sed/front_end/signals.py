"""Processors that run before the model: the first module of the paper's pipeline (Fig. 2 of arXiv 2306.12991).

A processor is a callable from a `Signal` to a list of signals: the same one changed, one with less in it, several that
go through the model one by one, or none. A signal knows which stretches of the recording it consists of, so the times
of segments always refer to the recording; what a front end has removed is neutral there. Whole waveforms are held in
memory.

```python
>>> from modeling_sed.dataset_scripts.speech_activity import speech_intervals
>>> from modeling_sed.front_end.processors import NormalizeLevel, SplitAtPauses
>>> front_end = FrontEnd([SplitAtPauses(speech_intervals), NormalizeLevel()])
>>> diarize_with(front_end, pipeline, "call.wav")
[{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 1.0}, {'start': 2.34, 'end': 4.1, 'label': 'angry', …}]
```
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from ..annotations.segments import fill_neutral, join_equal
from ..audio_sed import MAX_DURATION, AudioInput, load_channels, load_mono
from ..frames_sed import FrameGeometry, InputError, Segment
from .time_map import TimeMap

if TYPE_CHECKING:  # importing it takes seconds
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline


@dataclass(frozen=True)
class Signal:
    """A waveform on its way to the model.

    Attributes:
        waveform: ``(samples,)`` float32.
        sampling_rate: in Hz.
        times: which stretches of the recording it consists of.
    """

    waveform: np.ndarray
    sampling_rate: int
    times: TimeMap

    @classmethod
    def of(cls, audio: AudioInput, sampling_rate: int, max_duration: float = MAX_DURATION) -> Signal:
        """A recording, mixed to mono, at its own sampling rate; ``sampling_rate`` is that of a bare array.

        Raises:
            InputError: as `load_recording`.
        """
        waveform, original_rate, _ = load_mono(audio, sampling_rate, max_duration)
        return cls(waveform, original_rate, TimeMap.whole(Fraction(len(waveform), original_rate)))

    def at(self, sampling_rate: int) -> Signal:
        """The same at another sampling rate."""
        if sampling_rate == self.sampling_rate:
            return self
        return replace(
            self,
            waveform=soxr.resample(self.waveform, self.sampling_rate, sampling_rate),
            sampling_rate=sampling_rate,
        )

    def keep(self, stretches: Sequence[tuple[int, int]]) -> Signal:
        """Only these stretches (first sample and last + 1), put one after the other."""
        kept = [self.waveform[first:last] for first, last in stretches]
        waveform = np.concatenate(kept) if kept else self.waveform[:0]
        return replace(self, waveform=waveform, times=self.times.keep(self.seconds(stretches)))

    def count_only(self, stretches: Sequence[tuple[int, int]]) -> Signal:
        """The same waveform, of which only these stretches (in order, apart from each other) count."""
        return replace(self, times=self.times.count_only(self.seconds(stretches)))

    def seconds(self, stretches: Sequence[tuple[int, int]]) -> list[tuple[Fraction, Fraction]]:
        """Samples -> seconds of the signal, exactly; its end is that of the map, also between two samples."""
        samples, duration = len(self.waveform), self.times.duration
        return [
            tuple(duration if sample >= samples else Fraction(int(sample), self.sampling_rate) for sample in stretch)
            for stretch in stretches
        ]


Processor = Callable[[Signal], list[Signal]]


@dataclass(frozen=True)
class FrontEnd:
    """Processors one after the other; a processor itself.

    Args:
        processors: none for a front end that changes nothing.
    """

    processors: Sequence[Processor] = ()

    def __call__(self, signal: Signal) -> list[Signal]:
        signals = [signal]
        for process in self.processors:
            signals = [result for given in signals for result in process(given)]
        return signals


def diarize_with(
    front_end: FrontEnd, pipeline: SpeechEmotionDiarizationPipeline, audio: AudioInput, **options: Any
) -> list[Segment]:
    """The emotions of a recording that goes through a front end before the model.

    Args:
        front_end: without processors, the result is the pipeline's.
        pipeline: with the model.
        audio: a recording, as `load_recording` takes it.
        options: of the pipeline.

    Returns:
        Segments as the pipeline returns them, which tile the recording from 0 to its duration. What the front end left
        out, or left too short for a frame, is neutral with a score of 1; segments that are joined have the mean of
        their scores over time.

    Raises:
        InputError: as the pipeline.
    """
    if not front_end.processors:
        return pipeline(audio, **options)
    limit = options.get("max_duration", MAX_DURATION)
    recording, signals = prepare(front_end, audio, pipeline.model.config.geometry, limit)
    return diarize_prepared(pipeline, recording, signals, **options)


def prepare(
    front_end: FrontEnd, audio: AudioInput, geometry: FrameGeometry, max_duration: float = MAX_DURATION
) -> tuple[Signal, list[Signal]]:
    """The first half of `diarize_with`: a recording, and what the front end leaves for the model."""
    recording = Signal.of(audio, geometry.sampling_rate, max_duration)
    return recording, [signal for signal in front_end(recording) if _has_a_frame(signal, geometry)]


def diarize_prepared(
    pipeline: SpeechEmotionDiarizationPipeline, recording: Signal, signals: Sequence[Signal], **options: Any
) -> list[Segment]:
    """The second half of `diarize_with`: the emotions of a recording, of which these signals go through the model."""
    config = pipeline.model.config
    heard = [{"array": signal.waveform, "sampling_rate": signal.sampling_rate} for signal in signals]
    timelines = pipeline(heard, **options) if heard else []
    found = []
    for signal, segments in zip(signals, timelines, strict=True):
        if isinstance(segments, InputError):  # with return_exceptions
            raise segments
        found += _in_recording(segments, signal.times, config.sampling_rate)
    return _tile(found, recording.times.duration, config.neutral_label)


def _has_a_frame(signal: Signal, geometry: FrameGeometry) -> bool:
    return geometry.frame_count(len(signal.waveform) * geometry.sampling_rate // signal.sampling_rate) > 0


def _in_recording(segments: Sequence[Segment], times: TimeMap, sampling_rate: int) -> list[Segment]:
    """Segments of a signal, whose borders are samples of the model's -> of the recording, with times as fractions."""
    inner = [Fraction(round(segment["end"] * sampling_rate), sampling_rate) for segment in segments[:-1]]
    stretches = list(pairwise([Fraction(0), *inner, times.duration]))
    return [
        {**segment, "start": piece.start, "end": piece.end}
        for segment, pieces in zip(segments, times.trace(stretches), strict=True)
        for piece in pieces
        if piece.counts
    ]


def _tile(segments: list[Segment], duration: Fraction, neutral_label: str) -> list[Segment]:
    """Fills the gaps with neutral, joins equal neighbours, and makes the times floats."""
    tiles = fill_neutral(segments, duration, neutral_label, score=1.0)
    return join_equal([{**tile, "start": float(tile["start"]), "end": float(tile["end"])} for tile in tiles])


def split_channels(audio: AudioInput, sampling_rate: int = 16_000) -> list[dict[str, Any]]:
    """The channels of a recording as recordings of their own: of a stereo call, one for each party.

    Args:
        audio: as `load_channels` takes it.
        sampling_rate: of a bare array, in Hz.

    Returns:
        For each channel what a pipeline takes: ``{"array": (samples,), "sampling_rate": Hz, "path": its name}``.

    Raises:
        InputError: as `load_channels`.
    """
    samples, rate, name = load_channels(audio, sampling_rate)
    return _recordings(samples.T, rate, f"{name}, channel")


def split_sources(
    audio: AudioInput, separate: Callable[[np.ndarray, int], np.ndarray], sampling_rate: int = 16_000
) -> list[dict[str, Any]]:
    """The sources of a mixture, such as people who talk at once, as recordings of their own.

    Args:
        audio: as `load_recording` takes it.
        separate: a function of a waveform ``(samples,)`` and its sampling rate to ``(sources, samples)``.
        sampling_rate: of a bare array, in Hz.

    Returns:
        As `split_channels`.

    Raises:
        InputError: as `load_channels`, or if separation does not keep the length.
    """
    mixture, rate, name = load_mono(audio, sampling_rate)
    sources = np.asarray(separate(mixture, rate), dtype=np.float32)
    if sources.ndim != 2 or sources.shape[1] != len(mixture):
        raise InputError(
            f"{name}: separation must return (sources, {len(mixture)}), as long as the mixture; got {sources.shape}."
        )
    return _recordings(sources, rate, f"{name}, source")


def _recordings(waveforms: np.ndarray, sampling_rate: int, name: str) -> list[dict[str, Any]]:
    return [
        {"array": np.ascontiguousarray(waveform), "sampling_rate": sampling_rate, "path": f"{name} {number}"}
        for number, waveform in enumerate(waveforms, start=1)
    ]
