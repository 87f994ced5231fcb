"""Data augmentation during training, which the paper does not use."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ..annotations.segments import stretch
from ..dataset_scripts.corpora.recording import audio_files
from ..frames_sed import InputError, Segment, import_library
from .arguments import TrainingOptions
from .non_speech import with_non_speech
from .recording_conditions import under_random_conditions

NOISE_RATIO = (5.0, 30.0)  # least and most ratio of speech to noise, in dB


@dataclass(frozen=True)
class Augmentation:
    """Changes an utterance at random; in the same epoch, the same utterance always gets the same changes.

    So the training data does not depend on the number of processes or workers, nor on interruptions of a run.
    Gain has no effect on encoders whose feature extractor normalises the waveform.

    Attributes:
        transforms: of audiomentations: each is called with a waveform ``(samples,)`` and its sampling rate.
        speed: utterances are played at 1 - speed to 1 + speed times their speed, which changes their pitch, too.
        probability: of a change of speed.
        non_speech: probability that something else than speech is inserted, or all there is.
        conditions: probability of each recording condition.
        seed: of all of them.
        sampling_rate: of the waveforms, in Hz.
    """

    transforms: Sequence[Any] = ()
    speed: float = 0.0
    probability: float = 0.5
    seed: int = 0
    non_speech: float = field(default=0.0, kw_only=True)
    conditions: float = field(default=0.0, kw_only=True)
    sampling_rate: int = field(default=16_000, kw_only=True)

    @classmethod
    def of_options(cls, options: TrainingOptions, sampling_rate: int) -> Augmentation | None:
        """The augmentation that the options ask for; None if they ask for none.

        Raises:
            InputError: if audiomentations is missing, or a folder holds no audio.
        """
        transforms = tuple(_transforms(options)) if _needs_audiomentations(options) else ()
        if not (transforms or options.augment_speed or options.augment_non_speech or options.augment_conditions):
            return None
        return cls(
            transforms,
            options.augment_speed,
            options.augment_probability,
            options.seed,
            non_speech=options.augment_non_speech,
            conditions=options.augment_conditions,
            sampling_rate=sampling_rate,
        )

    def __call__(self, waveform: np.ndarray, segments: Sequence[Segment], key: str) -> tuple[np.ndarray, list[Segment]]:
        """Augments an utterance.

        Args:
            waveform: ``(samples,)``.
            segments: of the utterance, in seconds.
            key: the same one gives the same changes.

        Returns:
            The new waveform, and the segments with their times in it.
        """
        with _seeded(f"{self.seed}/{key}"):
            if self.speed and random.random() < self.probability:
                factor = random.uniform(1 - self.speed, 1 + self.speed)
                before = len(waveform)
                waveform = soxr.resample(waveform, factor * self.sampling_rate, self.sampling_rate)
                segments = stretch(segments, len(waveform) / before)
            rng = np.random.default_rng(list(f"{self.seed}/{key}".encode()))
            if rng.random() < self.non_speech:
                waveform, segments = with_non_speech(waveform, segments, self.sampling_rate, rng)
            if self.conditions:
                waveform = under_random_conditions(waveform, self.sampling_rate, self.conditions, rng)
            for transform in self.transforms:
                waveform = transform(waveform, self.sampling_rate)
        return waveform, list(segments)


def _needs_audiomentations(options: TrainingOptions) -> bool:
    return bool(options.augment_noises or options.augment_rooms or options.augment_gain)


def _transforms(options: TrainingOptions) -> Iterator[Any]:
    audiomentations = import_library("audiomentations", "Augmentation", "audiomentations")
    probability = options.augment_probability
    if options.augment_rooms:
        yield audiomentations.ApplyImpulseResponse(_files(options.augment_rooms), p=probability)
    if options.augment_noises:
        least, most = NOISE_RATIO
        yield audiomentations.AddBackgroundNoise(
            _files(options.augment_noises), min_snr_db=least, max_snr_db=most, p=probability
        )
    if options.augment_gain:
        yield audiomentations.Gain(-options.augment_gain, options.augment_gain, p=probability)


def _files(folder: str) -> list[str]:
    files = [str(path) for path in audio_files(Path(folder))]
    if not files:
        raise InputError(f"{folder} holds no audio files.")
    return files


@contextmanager
def _seeded(key: str) -> Iterator[None]:
    """audiomentations draws from Python's and numpy's global generators: seeds them, and restores them."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(key)
    np.random.seed(zlib.crc32(key.encode()))  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
