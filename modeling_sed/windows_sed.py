"""Long recordings in overlapping windows: bounded memory, time linear in length, every frame with context around it.

Neighbouring windows overlap; of the frames that both have, each takes those that are further from its own edges.
Windows begin at whole frames, so that the frames of all windows together are exactly those of the recording. The last
window is what remains, more than twice the context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .audio_sed import RecordingStream
from .frames_sed import FrameGeometry


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


def cut_recording(
    stream: RecordingStream, geometry: FrameGeometry, window: float | None, context: float
) -> Iterator[Window]:
    """`cut_windows` of a recording, with ``window`` and ``context`` in seconds.

    Raises:
        ValueError: as `cut_windows`, or if the recording is shorter than one frame.
    """
    rate = geometry.sampling_rate
    samples = None if window is None else round(window * rate)
    for part in cut_windows(stream, geometry, samples, round(context * rate)):
        if part.last <= part.first:
            raise ValueError(
                f"{stream.name}: {stream.duration:.4f} s of audio is shorter than one frame "
                f"({geometry.receptive_field / rate:.3f} s)."
            )
        yield part


def cut_windows(
    blocks: Iterable[np.ndarray], geometry: FrameGeometry, window: int | None, context: int
) -> Iterator[Window]:
    """Cuts a recording that comes in blocks; holds no more than a block and a window of it.

    Args:
        blocks: consecutive stretches of the waveform, ``(samples,)`` each.
        geometry: of the model.
        window: samples of a window; None for the whole recording in one.
        context: samples on either side whose frames are left to the neighbour.

    Raises:
        ValueError: if the context leaves nothing of a window, or is shorter than two frames.
    """
    hop = geometry.hop
    if window is not None:
        window, context = window // hop * hop, context // hop * hop
        if not 2 * hop <= context < window // 2:
            raise ValueError(
                f"A window of {window / geometry.sampling_rate:g} s with a context of "
                f"{context / geometry.sampling_rate:g} s on both sides leaves no frames between."
            )
    waiting, start, done = np.zeros(0, np.float32), 0, 0  # samples, the frame they begin with, frames accounted for
    for block in blocks:
        waiting = np.concatenate([waiting, block]) if len(waiting) else block
        while window is not None and len(waiting) > window:
            border = start + (window - context) // hop
            yield Window(waiting[:window], done - start, border - start, is_last=False)
            waiting, start, done = waiting[window - 2 * context :], start + (window - 2 * context) // hop, border
    yield Window(waiting, done - start, geometry.frame_count(len(waiting)), is_last=True)
