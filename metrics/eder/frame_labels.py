"""Labels of frames -> segments, for systems that answer frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, count, pairwise
from operator import ne


def segments_from_frames(
    labels: Sequence[str], duration: float, stride: float = 0.02, window: float | None = None
) -> list[dict]:
    """Merges equal neighbours into segments that tile an utterance from 0 to its duration.

    Frame ``j`` is computed from the time ``j * stride`` to ``j * stride + window``. Two neighbours of different labels
    share their overlap equally, as in the authors' scoring; the last frame reaches to the end of the utterance.

    Args:
        labels: of the frames, in order.
        duration: of the utterance, in seconds.
        stride: seconds from one frame to the next.
        window: seconds that a frame sees; default: the stride.

    Returns:
        ``{"start": seconds, "end": seconds, "label": name}`` each.

    Raises:
        ValueError: if there are no frames, or they end more than a window and a stride before the utterance does or
            after it: stride and duration do not belong together then.
    """
    window = stride if window is None else window
    if not len(labels):
        raise ValueError("An utterance without frames cannot be scored.")
    if not 0 < stride <= window:
        raise ValueError(f"A stride must be positive and at most the window; got {stride} and {window} s.")
    covered = (len(labels) - 1) * stride + window
    if abs(covered - duration) > stride + window:
        raise ValueError(
            f"{len(labels)} frames with a stride of {stride} s and a window of {window} s cover {covered:g} s, "
            f"but the utterance lasts {duration} s."
        )
    changes = compress(count(1), map(ne, labels, labels[1:]))  # frames whose label is not that of the one before
    first_frames = [0, *changes]
    borders = [0.0, *(min(frame * stride + (window - stride) / 2, duration) for frame in first_frames[1:]), duration]
    return [
        {"start": start, "end": end, "label": str(labels[frame])}
        for frame, (start, end) in zip(first_frames, pairwise(borders), strict=True)
        if end > start
    ]
