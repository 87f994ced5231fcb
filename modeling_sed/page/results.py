"""What the page knows of a recording, and what it says of files that it cannot use."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.columns import mean_posteriors
from ..frames_sed import InputError, InputWarning, Segment

if TYPE_CHECKING:  # importing it takes seconds
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline

COLUMNS = 480  # of the picture of posteriors, at most: a phone has fewer pixels, and hours stay small


@dataclass(frozen=True)
class DiarizedRecording:
    """A recording that was diarized.

    Attributes:
        name: of its file, without a folder.
        duration: in seconds.
        segments: which tile it.
        labels: of the model.
        neutral_label: the one that means no emotion.
        posteriors: ``(columns, labels)``, means over columns of equal length.
        notes: what was warned of when it was read.
    """

    name: str
    duration: float
    segments: list[Segment]
    labels: list[str]
    neutral_label: str
    posteriors: np.ndarray
    notes: list[str]


def diarize_file(pipeline: SpeechEmotionDiarizationPipeline, path: Path) -> DiarizedRecording:
    """The timeline of a recording.

    Raises:
        InputError: as the pipeline; the file's folder is not named.
    """
    with about_file(path) as notes:
        scores = pipeline(str(path), return_scores=True)
    config, frame_times = pipeline.model.config, scores["frame_times"]
    edges = np.linspace(0, frame_times[-1], min(len(frame_times), COLUMNS + 1))
    return DiarizedRecording(
        path.name,
        float(frame_times[-1]),
        list(scores["segments"]),
        list(config.labels),
        config.neutral_label,
        mean_posteriors(scores["posteriors"], frame_times, edges),
        notes,
    )


@contextmanager
def about_file(path: Path) -> Iterator[list[str]]:
    """Collects what is warned of a file; neither that nor what an `InputError` says names the file's folder.

    Warnings belong to the whole process: one file at a time.
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        try:
            yield notes
        except InputError as error:
            raise InputError(_without_folder(str(error), path)) from error
    notes += [_without_folder(str(one.message), path) for one in caught if issubclass(one.category, InputWarning)]


def _without_folder(message: str, path: Path) -> str:
    """Neither visitors nor other programs are to learn where a file lies."""
    for folder in (str(path.parent.resolve()), str(path.parent)):  # the longer one first
        message = message.replace(folder + os.sep, "")
    return message
