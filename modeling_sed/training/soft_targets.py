"""Targets that are less certain than labels: everywhere a little, and near the joins of two labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arguments import TrainingOptions


@dataclass(frozen=True)
class SoftTargets:
    """Turns frame labels into probabilities.

    Attributes:
        label_smoothing: share of the target that is spread over all labels.
        join_seconds: frames nearer than this to a join of two labels get a linear mixture of both.
    """

    label_smoothing: float = 0.0
    join_seconds: float = 0.0

    @classmethod
    def of_options(cls, options: TrainingOptions) -> SoftTargets | None:
        """Those that the options ask for; None if they ask for none."""
        wanted = options.label_smoothing_factor or options.soft_joins
        return cls(options.label_smoothing_factor, options.soft_joins) if wanted else None

    def __call__(self, frame_labels: np.ndarray, labels: int, frame_seconds: float) -> np.ndarray:
        """The targets of an utterance.

        The mixture is the mean of the labels over the time from ``join_seconds`` before a frame's middle to
        ``join_seconds`` after it, which is linear at a join that is alone.

        Args:
            frame_labels: ``(frames,)``.
            labels: number of labels.
            frame_seconds: duration of a frame.

        Returns:
            ``(frames, labels)`` float32, each row a distribution.
        """
        frames = len(frame_labels)
        before = np.zeros((frames + 1, labels))  # frames of each label before each border
        before[1:] = np.eye(labels)[frame_labels].cumsum(axis=0)
        reach = max(self.join_seconds / frame_seconds, 0.5)  # half a frame is the frame alone
        borders, middles = np.arange(frames + 1), np.arange(frames) + 0.5
        first, last = np.maximum(middles - reach, 0), np.minimum(middles + reach, frames)
        within = [np.interp(last, borders, count) - np.interp(first, borders, count) for count in before.T]
        mixed = np.stack(within, axis=1) / (last - first)[:, None]
        smoothed = (1 - self.label_smoothing) * mixed + self.label_smoothing / labels
        return smoothed.astype(np.float32)
