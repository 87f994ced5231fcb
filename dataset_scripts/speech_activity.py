"""Where a recording has speech: so that what is concatenated holds no silence longer than 0.2 s (section 5.1).

Decisions for every 10 ms come from the voice activity detector of WebRTC, as in the authors' recipe. Theirs throws all
silence away; here up to 0.1 s of it stays before and after speech, so that words keep their beginnings and ends.
"""

from __future__ import annotations

import numpy as np
import webrtcvad

from .waveforms import SAMPLING_RATE

FRAME = SAMPLING_RATE // 100  # samples: 10 ms
MARGIN = 10  # frames of silence that stay on each side of speech: at most 0.2 s between two stretches
AGGRESSIVENESS = 3  # the detector's strictest mode, the authors' choice
LOUDEST = 0.5  # peak that recordings are scaled to before the detector, whose thresholds are absolute, sees them


def detect_speech(waveform: np.ndarray, aggressiveness: int = AGGRESSIVENESS) -> np.ndarray:
    """The detector's decisions: boolean, one for every whole 10 ms.

    Args:
        waveform: ``(samples,)`` mono, 16 kHz.
        aggressiveness: 0 to 3; a higher one takes less for speech.
    """
    peak = np.abs(waveform).max(initial=0.0)
    frames = range(0, len(waveform) - FRAME + 1, FRAME)
    if peak == 0:
        return np.zeros(len(frames), dtype=bool)
    content = (waveform * (LOUDEST / peak * 32_767)).astype("<i2")
    detector = webrtcvad.Vad(aggressiveness)
    return np.array(
        [detector.is_speech(content[start : start + FRAME].tobytes(), SAMPLING_RATE) for start in frames], dtype=bool
    )


def speech_intervals(waveform: np.ndarray) -> np.ndarray:
    """Stretches to keep, in samples: ``(stretches, 2)`` integers, first and last + 1, in order, apart from each other.

    Args:
        waveform: ``(samples,)`` mono, 16 kHz.
    """
    speech = detect_speech(waveform)
    if not len(speech):
        return np.zeros((0, 2), dtype=np.int64)
    # Adding the margin can only join stretches whose silence between is short enough to keep.
    kept = np.convolve(speech, np.ones(2 * MARGIN + 1))[MARGIN:-MARGIN] > 0.5
    edges = np.flatnonzero(np.diff(kept, prepend=False, append=False)).reshape(-1, 2)
    return edges * FRAME


def keep_intervals(waveform: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """The waveform without what lies between the intervals."""
    if not len(intervals):
        return waveform[:0]
    return np.concatenate([waveform[first:last] for first, last in intervals])
