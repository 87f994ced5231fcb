"""Speech enhancement, dereverberation and source separation by existing libraries, none of which has to be installed.

An enhancement is a function of a waveform ``(samples,)`` and its sampling rate in Hz to a waveform of the same length.
The functions here return one: what they need is imported, and loaded, once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Enhancement = Callable[[np.ndarray, int], np.ndarray]

INAUDIBLE = 1e-6  # of full scale: 30 dB below one step of 16 bits

_INSTALL = "needs {}: pip install 'speech-emotion-diarization[enhancement]'"


def spectral_gating() -> Enhancement:
    """Noise reduction by a threshold for each frequency that follows the noise (noisereduce; Sainburg et al., 2020).

    Raises:
        ImportError: if noisereduce is not installed.
    """
    try:
        import noisereduce
    except ImportError as error:
        raise ImportError("Noise reduction " + _INSTALL.format("noisereduce")) from error

    def reduce_noise(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        dither = INAUDIBLE * np.random.default_rng(0).standard_normal(len(waveform))  # it divides by the level
        return noisereduce.reduce_noise(y=waveform + dither, sr=sampling_rate)

    return reduce_noise


def weighted_prediction_error() -> Enhancement:
    """Dereverberation: late reverberation is predicted from the past and subtracted (Nakatani et al., 2010; nara_wpe).

    Raises:
        ImportError: if nara_wpe is not installed.
    """
    try:
        from nara_wpe.utils import istft, stft
        from nara_wpe.wpe import wpe
    except ImportError as error:
        raise ImportError("Dereverberation " + _INSTALL.format("nara-wpe")) from error

    def dereverberate(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        size = 2 ** round(np.log2(0.032 * sampling_rate))  # samples: 512 at 16 kHz, as in the paper
        spectrum = stft(waveform.astype(np.float64)[None], size, size // 4)  # (1, frames, frequencies)
        dry = wpe(spectrum.transpose(2, 0, 1), taps=10, delay=3, iterations=3).transpose(1, 2, 0)
        return istft(dry, size, size // 4)[0, : len(waveform)]

    return dereverberate
