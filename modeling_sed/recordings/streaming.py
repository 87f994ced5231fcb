"""Diarizes a recording that is not over yet: segments as soon as they are final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..audio_sed import as_floats, check_rate, check_samples, check_window, samples_of_window
from ..decoding_sed import segments_of, temper
from ..frames_sed import InputError, Segment, Window, WindowCutter, check_posteriors, import_library, merge_frames
from ..pipeline_sed import CONTEXT, SpeechEmotionDiarizationPipeline
from .streaming_decoders import streaming_decoder

LIVE_WINDOW = 8.0  # seconds
BLOCK = 0.02  # seconds of samples that are resampled at once; one by one would take a hundred times as long
NAME = "the live recording"  # in messages


class StreamingDiarizer:
    """Which emotion appears when, while it is said.

    ```python
    >>> diarizer = StreamingDiarizer(pipeline("speech-emotion-diarization"), sampling_rate=44_100)
    >>> for samples in microphone:
    ...     for segment in diarizer.step(samples):
    ...         print(segment)
    >>> print(diarizer.finish())
    ```

    The segments of all steps and of `finish` together are those that the pipeline finds in the whole recording with the
    same window, context, decoder and temperature; into which pieces the samples were cut does not matter. A segment
    that was returned is never revised.

    **Latency.** The model hears overlapping windows, a new one every ``window - 2 * context`` seconds. A frame passes
    through it between ``context`` and ``window - context`` seconds after it was said, ``window / 2`` on average. Then
    the decoder waits as long as streaming_decoders.py says: not at all (argmax), or typically twice the minimum
    duration (semi_markov). A segment is final when its end is, and the next one has begun therefore.

    **Memory** holds one window of samples, and the posteriors of the frames whose label is not final.

    Args:
        pipeline: with the model, on its device and in its type.
        sampling_rate: of the samples, in Hz; default: the model's.
        window: seconds of a window. Shorter ones answer sooner, cost more and are less accurate.
        context: seconds that neighbouring windows have in common on either side of where they join.
        decoder: as of the pipeline, but only those that streaming_decoders.py knows; default: the model's own.
        temperature: as of the pipeline; default: the model's own.

    Attributes:
        duration: seconds heard so far.

    Raises:
        InputError: if the sampling rate is impossible, the context leaves nothing of the window, or the decoder does
            not exist or needs the whole recording.
    """

    def __init__(
        self,
        pipeline: SpeechEmotionDiarizationPipeline,
        sampling_rate: int | None = None,
        window: float = LIVE_WINDOW,
        context: float = CONTEXT,
        decoder: str | Mapping[str, Any] | None = None,
        temperature: float | None = None,
    ):
        config = pipeline.model.config
        self._pipeline, self._config, self._geometry = pipeline, config, config.geometry
        self._rate = config.sampling_rate if sampling_rate is None else sampling_rate
        check_rate(self._rate, NAME)
        self._window = samples_of_window(window, context, config.sampling_rate)
        self._decoder = config.decoder if decoder is None else decoder
        self._temperature = config.posterior_temperature if temperature is None else temperature
        self.reset()

    def reset(self) -> None:
        """Forgets everything: what comes next is the beginning of another recording."""
        config, self._resampler, self._received = self._config, None, 0
        if self._rate != config.sampling_rate:
            soxr = import_library("soxr", f"Resampling from {self._rate} to {config.sampling_rate} Hz", "soxr")
            self._resampler = soxr.ResampleStream(self._rate, config.sampling_rate, 1)
        self._waiting = np.zeros(0, np.float32)  # less than a block
        self._cutter = WindowCutter(self._geometry, *self._window)
        labels, neutral = config.labels, config.labels.index(config.neutral_label)
        frame_seconds = self._geometry.hop / config.sampling_rate
        self._streaming = streaming_decoder(self._decoder, len(labels), neutral, frame_seconds)
        self._posteriors, self._final = np.zeros((0, len(labels)), np.float32), 0  # of frames that are not, and number
        self._open: list[Segment] = []  # the last segment, if frames of it are final; its end is not

    @property
    def duration(self) -> float:
        return self._received / self._rate

    def step(self, samples: Any) -> list[Segment]:
        """The segments that are final with the next samples.

        Args:
            samples: an array or tensor ``(samples,)`` or ``(samples, channels)``, of which the mean is heard; any
                number, also none. Integers are taken as fractions of their type's range.

        Returns:
            Segments as the pipeline's, in order, without gaps; often none.

        Raises:
            InputError: if samples are not such an array, NaN, infinite or beyond 2^31; they were not heard then.
        """
        mono = self._mono(samples)
        self._received += len(mono)
        self._waiting = np.concatenate([self._waiting, mono])
        block = round(BLOCK * self._rate)
        ready, self._waiting = np.split(self._waiting, [len(self._waiting) // block * block])
        return self._hear(ready) if len(ready) else []

    def finish(self) -> list[Segment]:
        """The remaining segments: the recording is over. What comes next is the beginning of another one.

        Raises:
            InputError: if the recording was shorter than one frame (25 ms).
        """
        try:
            final, last = self._hear(self._waiting, is_last=True), self._cutter.finish()
            check_window(last, self._geometry, NAME, self.duration)
            posteriors = self._posteriors_of(last)
            self._posteriors = np.concatenate([self._posteriors, posteriors])
            return final + self._rest(self._streaming.step(posteriors), self.duration)
        finally:
            self.reset()

    def outlook(self) -> list[Segment]:
        """The segments after those that are final, as they would be if the recording ended after the last window.

        They go on from the last final segment and may change with the next step; frames that have not passed through
        the model yet are not among them.
        """
        return self._rest() if len(self._posteriors) else self._open

    def _mono(self, samples: Any) -> np.ndarray:
        """``(samples,)``; not by the loudest channel where they cancel out, which would depend on the pieces."""
        values = as_floats(samples, NAME)
        if values.ndim not in (1, 2) or (values.ndim == 2 and not values.shape[1]):
            raise InputError(f"{NAME}: samples must be (samples,) or (samples, channels); got {values.shape}.")
        check_samples(values if values.ndim == 2 else values[:, None], self._received, NAME)
        values = values.astype(np.float32, copy=False)
        return values if values.ndim == 1 else sum(values.T) / values.shape[1]

    def _hear(self, waveform: np.ndarray, is_last: bool = False) -> list[Segment]:
        """The segments that are final with more samples at the recording's own rate."""
        if self._resampler is not None:
            waveform = self._resampler.resample_chunk(waveform, last=is_last)
        final: list[Segment] = []
        for window in self._cutter.step(waveform):
            posteriors = self._posteriors_of(window)
            self._posteriors = np.concatenate([self._posteriors, posteriors])
            labels = self._streaming.step(posteriors)
            segments = self._segments(labels)
            self._posteriors, self._final = self._posteriors[len(labels) :], self._final + len(labels)
            final, self._open = final + segments[:-1], segments[-1:]
        return final

    def _posteriors_of(self, window: Window) -> np.ndarray:
        """The posteriors of a window's frames that count, ``(frames, labels)``."""
        family, rate = self._config.encoder_family, self._config.sampling_rate
        inputs = family.extract(self._pipeline.feature_extractor, window.waveform, rate)
        arguments = {"inputs": inputs, "length": len(window.waveform), "first": window.first, "last": window.last}
        (output,) = self._pipeline.forward([arguments])
        posteriors = output["posteriors"].numpy()
        check_posteriors(posteriors, NAME)
        return temper(posteriors, self._temperature)

    def _rest(self, labels: Sequence[int] | np.ndarray = (), end: float | None = None) -> list[Segment]:
        """The open segment, the next frames with these labels, and all others as if the recording ended here."""
        if not self._final:
            times, config = self._times(len(self._posteriors), end), self._config
            return segments_of(self._posteriors, times, config.labels, config.neutral_label, self._decoder)
        return self._segments(np.concatenate([labels, self._streaming.rest()]).astype(np.int64), end)

    def _segments(self, labels: np.ndarray, end: float | None = None) -> list[Segment]:
        """The open segment and the next frames with these labels."""
        if not len(labels):
            return self._open
        posteriors, times = self._posteriors[: len(labels)], self._times(len(labels), end)
        return join(self._open, merge_frames(labels, posteriors, times, self._config.labels))

    def _times(self, frames: int, end: float | None) -> np.ndarray:
        """Borders of the next frames in seconds, ``(frames + 1,)``; the last is ``end``, if it is given."""
        times = np.arange(self._final, self._final + frames + 1) * self._geometry.hop / self._config.sampling_rate
        if end is not None:
            times[-1] = end
        return times


def join(before: list[Segment], after: list[Segment]) -> list[Segment]:
    """Segments with scores, followed by others; two of one label that meet become one, with the mean score."""
    if not before or not after or before[-1]["label"] != after[0]["label"]:
        return before + after
    (*earlier, left), (right, *later) = before, after
    shares = [segment["end"] - segment["start"] for segment in (left, right)]
    score = (shares[0] * left["score"] + shares[1] * right["score"]) / sum(shares)
    return [*earlier, {**left, "end": right["end"], "score": score}, *later]
