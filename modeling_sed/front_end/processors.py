"""Front-end processors: voice activity detection, segmentation at pauses, loudness, speech enhancement.

The voice activity detector is a function that the caller chooses; that of the training sets is `speech_intervals` of
dataset_scripts/speech_activity.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..frames_sed import InputError
from . import enhancement
from .signals import FrontEnd, Processor, Signal

DETECTOR_RATE = 16_000  # Hz, of what a voice activity detector gets
PEAK = 0.99  # of full scale

FindSpeech = Callable[[np.ndarray], np.ndarray]  # (samples,) at 16 kHz -> (stretches, 2) first sample and last + 1


@dataclass(frozen=True)
class MaskNonSpeech:
    """What is not speech is neutral; the model hears it all the same.

    Args:
        find_speech: a voice activity detector: ``(samples,)`` at 16 kHz to ``(stretches, 2)`` integers, first sample
            and last + 1 of each, in order and apart from each other.
        margin: seconds that count as speech on either side of it.
    """

    find_speech: FindSpeech
    margin: float = 0.0

    def __call__(self, signal: Signal) -> list[Signal]:
        return [signal.count_only(_speech(signal, self.find_speech, self.margin))]


@dataclass(frozen=True)
class CutNonSpeech:
    """What is not speech is cut out, and what remains joined, as in the training set (section 5.1).

    Args:
        find_speech, margin: as `MaskNonSpeech` has them.
    """

    find_speech: FindSpeech
    margin: float = 0.0

    def __call__(self, signal: Signal) -> list[Signal]:
        stretches = _speech(signal, self.find_speech, self.margin)
        return [signal.keep(stretches)] if stretches else []


@dataclass(frozen=True)
class SplitAtPauses:
    """Utterances go through the model one by one, as in training; the pauses between them are left out.

    Args:
        find_speech, margin: as `MaskNonSpeech` has them.
        pause: seconds of the shortest pause that ends an utterance; shorter ones stay inside.
    """

    find_speech: FindSpeech
    margin: float = 0.0
    pause: float = 0.5

    def __call__(self, signal: Signal) -> list[Signal]:
        return [signal.keep([stretch]) for stretch in _speech(signal, self.find_speech, self.margin, self.pause)]


def _speech(signal: Signal, find_speech: FindSpeech, margin: float, pause: float = 0.0) -> list[tuple[int, int]]:
    """Stretches of speech, in samples of the signal, widened by the margin and joined over shorter pauses."""
    rate, samples = signal.sampling_rate, len(signal.waveform)
    stretches: list[tuple[int, int]] = []
    for first, last in find_speech(signal.at(DETECTOR_RATE).waveform).tolist():
        first = max(first * rate // DETECTOR_RATE - round(margin * rate), 0)
        last = min(-(-last * rate // DETECTOR_RATE) + round(margin * rate), samples)
        if stretches and first - stretches[-1][1] < max(pause * rate, 1):
            first, _ = stretches.pop()
        stretches.append((first, last))
    return stretches


@dataclass(frozen=True)
class NormalizeLevel:
    """Brings a signal to a level (its root mean square), by one factor, without clipping.

    After `SplitAtPauses` each utterance gets a factor of its own. Encoders whose feature extractor normalises the
    waveform hear no difference; weighting by ear (EBU R128) would choose another factor only.

    Args:
        decibels: level relative to full scale.
    """

    decibels: float = -23.0

    def __call__(self, signal: Signal) -> list[Signal]:
        level = np.sqrt(np.mean(np.square(signal.waveform, dtype=np.float64)))
        if level == 0:
            return [signal]
        gain = min(10 ** (self.decibels / 20) / level, PEAK / np.abs(signal.waveform).max())
        return [replace(signal, waveform=signal.waveform * np.float32(gain))]


@dataclass(frozen=True)
class Enhance:
    """Speech enhancement or dereverberation by any function; `enhancement` has some.

    Args:
        function: of the waveform ``(samples,)`` and its sampling rate, to a waveform of the same length.
        sampling_rate: that the function works at, in Hz; None for any.

    Raises:
        InputError: when called, if the function returns another length, or what are not finite numbers.
    """

    function: Callable[[np.ndarray, int], np.ndarray]
    sampling_rate: int | None = None

    def __call__(self, signal: Signal) -> list[Signal]:
        signal = signal.at(self.sampling_rate or signal.sampling_rate)
        enhanced = np.asarray(self.function(signal.waveform, signal.sampling_rate), dtype=np.float32)
        if enhanced.shape != signal.waveform.shape:
            raise InputError(
                f"Enhancement must keep the length: it made {enhanced.shape} of {signal.waveform.shape} samples."
            )
        if not np.isfinite(enhanced).all():
            raise InputError("Enhancement made samples that are not finite numbers.")
        return [replace(signal, waveform=enhanced)]


PROCESSORS: dict[str, Callable[[FindSpeech], Processor]] = {
    "vad": MaskNonSpeech,
    "cut": CutNonSpeech,
    "split": SplitAtPauses,
    "loudness": lambda _: NormalizeLevel(),
    "denoise": lambda _: Enhance(enhancement.spectral_gating()),
    "dereverberate": lambda _: Enhance(enhancement.weighted_prediction_error()),
}


def check_names(names: Sequence[str]) -> None:
    """Raises an InputError if `front_end_of` knows no processor of a name."""
    if unknown := [name for name in names if name not in PROCESSORS and "/" not in name]:
        raise InputError(f"There is no processor {unknown[0]!r}; the processors are {', '.join(PROCESSORS)}.")


def front_end_of(names: Sequence[str], find_speech: FindSpeech) -> FrontEnd:
    """A front end of processors by name, with their defaults.

    Args:
        names: keys of `PROCESSORS`, or models that `sepformer` takes (``namespace/name``), in the order in which they
            process; the same one may come again.
        find_speech: the voice activity detector, as `MaskNonSpeech` takes it.

    Raises:
        InputError: if there is no processor of a name, or one needs a library that is not installed.
    """
    check_names(names)
    return FrontEnd(
        [
            PROCESSORS[name](find_speech) if name in PROCESSORS else Enhance(enhancement.sepformer(name))
            for name in names
        ]
    )
