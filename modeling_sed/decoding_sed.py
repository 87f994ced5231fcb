"""From frame posteriors to segments.

A decoder assigns a label to each frame; `merge_frames` turns these labels into segments that tile the recording. The
paper's decoder (section 3.1 of arXiv 2306.12991) takes the most probable label of each frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def decode_argmax(posteriors: np.ndarray) -> np.ndarray:
    """The most probable label of each frame, ``(frames, labels) -> (frames,)``; the first of equals."""
    return posteriors.argmax(axis=1)


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
