"""The one place where samples, frames, seconds and segments are converted into each other.

The encoders of wav2vec 2.0, HuBERT and WavLM begin with a stack of unpadded convolutions, which together have a kernel
of 400 samples (25 ms) and a stride of 320 samples (20 ms; section 3 of arXiv 2306.12991). Those of Whisper and w2v-BERT
get frames of a spectrogram, two of which become one frame, of 20 ms, too. Conventions, for a recording of ``samples``
samples that gives ``frames`` frames:

- Frame ``j`` stands for the time from ``j * hop`` to ``(j + 1) * hop`` samples.
- The last frame reaches to the end of the recording, so the frames tile it: the encoders leave less than
  ``receptive_field`` samples without a frame of their own.
- A recording shorter than the receptive field has no frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

if TYPE_CHECKING:  # an exported model runs without torch
    import torch

Count = TypeVar("Count", int, np.ndarray, "torch.Tensor")


class InputError(ValueError):
    """A file, an option or a model that was given cannot be used; the message names it and says what to do."""


class MissingFileError(InputError, FileNotFoundError):
    """A file or folder that was given does not exist."""


class MissingLibraryError(InputError, ImportError):
    """What was asked for needs a library that is not installed."""


class InputWarning(UserWarning):
    """A file is not what it says, was not used as it is, or may not be what was meant; the message names it."""


def import_library(name: str, purpose: str, install: str) -> ModuleType:
    """Imports an optional library.

    Args:
        name: of the module.
        purpose: what needs it, the beginning of the message: "Speech enhancement", "--plot".
        install: what to give to ``pip install``.

    Raises:
        MissingLibraryError: if it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise MissingLibraryError(f"{purpose} needs {library}: `pip install {install}`.") from error


class _LabelledInterval(TypedDict):
    start: float  # seconds from the beginning of the recording
    end: float
    label: str


class Segment(_LabelledInterval, total=False):
    """A part of a recording with one label. Segments have this form everywhere, also in JSON.

    ``start`` and ``end`` are seconds, ``label`` is a full word ("happy"). Predicted segments have a ``score``, the mean
    posterior of their label; segments of a known speaker have a ``speaker``.
    """

    score: float
    speaker: str


@dataclass(frozen=True)
class FrameGeometry:
    """How the frames of a speech encoder lie in time, by the stages that make them of samples.

    Args:
        conv_kernel: kernel sizes of the stages, first stage first (in units of that stage's input). A stage that pads
            its input so that it loses nothing counts as one of kernel 1.
        conv_stride: their strides.
        sampling_rate: in Hz.
    """

    conv_kernel: tuple[int, ...]
    conv_stride: tuple[int, ...]
    sampling_rate: int = 16_000

    @property
    def hop(self) -> int:
        """Samples from the start of one frame to the start of the next."""
        return math.prod(self.conv_stride)

    @property
    def receptive_field(self) -> int:
        """Samples that one frame is computed from: the length of the shortest recording with a frame."""
        width = 1
        for kernel, stride in zip(reversed(self.conv_kernel), reversed(self.conv_stride), strict=True):
            width = (width - 1) * stride + kernel
        return width

    def frame_count(self, samples: Count) -> Count:
        """Number of frames of a recording of ``samples`` samples (an integer, or an array of them); 0 if too short."""
        for kernel, stride in zip(self.conv_kernel, self.conv_stride, strict=True):
            samples = _at_least((samples - kernel) // stride + 1, 0)
        return samples

    def boundaries(self, samples: int) -> np.ndarray:
        """Frame borders of a recording, in samples: ``(frames + 1,)`` integers from 0 to ``samples``.

        Raises:
            InputError: if the recording is too short to have a frame.
        """
        frames = self.frame_count(samples)
        if frames == 0:
            raise InputError(
                f"A recording of {samples} samples is shorter than one frame: "
                f"at least {self.receptive_field} samples are needed at {self.sampling_rate} Hz."
            )
        borders = np.arange(frames + 1, dtype=np.int64) * self.hop
        borders[-1] = samples
        return borders

    def frame_times(self, samples: int) -> np.ndarray:
        """`boundaries` in seconds: ``(frames + 1,)`` from 0 to the duration."""
        return self.boundaries(samples) / self.sampling_rate

    def rasterize(
        self, segments: Sequence[Segment], samples: int, labels: Sequence[str], neutral_label: str = "neutral"
    ) -> np.ndarray:
        """Frame labels of an annotated recording (section 5.2 of the paper).

        Each frame gets the label that lasts longest within its time. If two labels last for the same number of samples,
        an emotion is preferred to neutral, and of two emotions the one earlier in ``labels``. Time that no segment
        covers is neutral.

        Args:
            segments: in any order, overlapping or not. Borders are rounded to the nearest sample; what lies past the
                end of the recording is cut.
            samples: length of the recording.
            labels: label names; a name's position is its index in the result.
            neutral_label: the name of the absence of emotion.

        Returns:
            ``(frames,)`` integers, positions in ``labels``.

        Raises:
            InputError: for an unknown label, times that are not ``0 <= start <= end``, a segment that begins after the
                end of the recording, or a recording too short to have a frame.
        """
        borders = self.boundaries(samples)
        intervals: dict[str, list[tuple[int, int]]] = {}
        for segment in segments:
            interval = self._sample_interval(segment, samples)
            if segment["label"] == neutral_label:
                continue
            if segment["label"] not in labels:
                raise InputError(f"Unknown label {segment['label']!r}: the labels are {', '.join(labels)}.")
            intervals.setdefault(segment["label"], []).append(interval)

        emotions = [label for label in labels if label != neutral_label]
        lasting = np.stack(
            [_covered_samples(intervals.get(emotion, []), borders) for emotion in emotions]
            + [np.diff(borders) - _covered_samples(chain.from_iterable(intervals.values()), borders)]
        )
        order = [labels.index(label) for label in [*emotions, neutral_label]]
        return np.array(order)[lasting.argmax(axis=0)]  # argmax takes the first of equals

    def _sample_interval(self, segment: Segment, samples: int) -> tuple[int, int]:
        start, end = float(segment["start"]), float(segment["end"])
        if not (0 <= start <= end < math.inf):
            raise InputError(f"A segment needs 0 <= start <= end, in seconds; got start {start} and end {end}.")
        first, last = round(start * self.sampling_rate), round(end * self.sampling_rate)
        if first > samples:
            raise InputError(
                f"A segment starts at {start} s, after the end of its recording at {samples / self.sampling_rate} s."
            )
        return first, min(last, samples)


def _at_least(count: Any, minimum: int) -> Any:
    """Of an integer (of torch's own kind during export), or of an array."""
    return count.clip(min=minimum) if hasattr(count, "clip") else max(count, minimum)


def _covered_samples(intervals: Iterable[tuple[int, int]], borders: np.ndarray) -> np.ndarray:
    """Samples of each cell between two borders that lie in the union of the intervals: ``(len(borders) - 1,)``."""
    knots, covered = [0], [0]  # the number of covered samples before a point grows linearly between these points
    for start, end in sorted(intervals):
        start = max(start, knots[-1])
        if end > start:
            knots += [start, end]
            covered += [covered[-1], covered[-1] + end - start]
    return np.diff(np.interp(borders, knots, covered)).round().astype(np.int64)


def merge_frames(
    frame_labels: np.ndarray, posteriors: np.ndarray, frame_times: np.ndarray, labels: Sequence[str]
) -> list[Segment]:
    """Labelled frames -> segments, one for each run of equal labels.

    Args:
        frame_labels: ``(frames,)``, positions in ``labels``.
        posteriors: ``(frames, labels)``.
        frame_times: ``(frames + 1,)``, frame borders in seconds.
        labels: label names.

    Returns:
        Segments with scores, in order and without gaps from the first frame border to the last. A segment's score is
        the mean posterior of its label over its time.
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


def check_posteriors(posteriors: np.ndarray, name: str) -> None:
    """Raises an `InputError` for the recording ``name`` if ``(frames, labels)`` are not all finite numbers."""
    if not np.isfinite(posteriors).all():
        raise InputError(
            f"{name}: the model's scores are not numbers: it cannot compute with these samples or with its weights. "
            "If it does in float16 or bfloat16, try float32 (--dtype float32)."
        )


@dataclass(frozen=True)
class Window:
    """A stretch of a recording, and which of its frames count.

    Attributes:
        waveform: ``(samples,)``.
        first: the first frame of the window that counts.
        last: the one after the last that does.
        is_last: whether the recording ends with it.
    """

    waveform: np.ndarray
    first: int
    last: int
    is_last: bool


class WindowCutter:
    """Cuts a recording that comes bit by bit into overlapping windows; holds no more than a block and a window of it.

    Of the frames that two neighbouring windows share, each window contributes those that are further from its own
    edges. Windows begin at whole frames, so that the frames of all windows together are exactly those of the recording.
    The last window is what remains, more than twice the context.

    Args:
        geometry: of the model.
        window: samples of a window; None for the whole recording in one.
        context: samples on either side whose frames are left to the neighbouring window.

    Raises:
        InputError: if the context leaves nothing of a window, or is shorter than two frames.
    """

    def __init__(self, geometry: FrameGeometry, window: int | None, context: int):
        self._geometry, hop = geometry, geometry.hop
        if window is not None:
            window, context = window // hop * hop, context // hop * hop
            if not 2 * hop <= context < window // 2:
                raise InputError(
                    f"A window of {window / geometry.sampling_rate:g} s with a context of "
                    f"{context / geometry.sampling_rate:g} s on both sides leaves no frames between."
                )
        self._window, self._context = window, context
        self._waiting: list[np.ndarray] = []
        self._samples = self._start = self._done = 0  # waiting, the frame they begin with, frames accounted for

    def step(self, block: np.ndarray) -> Iterator[Window]:
        """The windows that are complete with the next ``(samples,)``: more samples follow each of them."""
        self._waiting.append(block)
        self._samples += len(block)
        if self._window is None or self._samples <= self._window:
            return
        waiting, hop = np.concatenate(self._waiting), self._geometry.hop
        while len(waiting) > self._window:
            border = self._start + (self._window - self._context) // hop
            yield Window(waiting[: self._window], self._done - self._start, border - self._start, is_last=False)
            step = self._window - 2 * self._context
            waiting, self._start, self._done = waiting[step:], self._start + step // hop, border
        self._waiting, self._samples = [waiting], len(waiting)

    def finish(self) -> Window:
        """The last window; without frames if the recording is too short to have one."""
        waiting = np.concatenate(self._waiting or [np.zeros(0, np.float32)])
        return Window(waiting, self._done - self._start, self._geometry.frame_count(len(waiting)), is_last=True)


def cut_windows(
    blocks: Iterable[np.ndarray], geometry: FrameGeometry, window: int | None, context: int
) -> Iterator[Window]:
    """The windows that a [`WindowCutter`] makes of a recording, given as consecutive blocks ``(samples,)``."""
    cutter = WindowCutter(geometry, window, context)
    for block in blocks:
        yield from cutter.step(block)
    yield cutter.finish()
