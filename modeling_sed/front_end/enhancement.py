"""Speech enhancement, dereverberation and source separation by existing libraries, none of which has to be installed.

An enhancement is a function of a waveform ``(samples,)`` and its sampling rate in Hz to a waveform of the same length.
The functions here return one: what they need is imported, and loaded, once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

from ..frames_sed import import_library

REDUCTION = 0.8  # share of the noise
INAUDIBLE = 1e-6  # of full scale: 30 dB below one step of 16 bits

Enhancement = Callable[[np.ndarray, int], np.ndarray]


def spectral_gating() -> Enhancement:
    """Noise reduction by a threshold for each frequency that follows the sound (noisereduce; Sainburg et al., 2020).

    A fifth of what it takes for noise stays: on 40 utterances of a training split EDER was higher without any, and with
    one threshold for the whole waveform.

    Raises:
        MissingLibraryError: if noisereduce is not installed.
    """
    noisereduce = import_library("noisereduce", "Noise reduction", "noisereduce")

    def reduce_noise(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        dither = INAUDIBLE * np.random.default_rng(0).standard_normal(len(waveform))  # it divides by the level
        return noisereduce.reduce_noise(y=waveform + dither, sr=sampling_rate, prop_decrease=REDUCTION)

    return reduce_noise


def weighted_prediction_error() -> Enhancement:
    """Dereverberation: late reverberation is predicted from the past and subtracted (Nakatani et al., 2010; nara_wpe).

    It takes half a GiB of memory a minute: for long recordings after `SplitAtPauses`.

    Raises:
        MissingLibraryError: if nara_wpe is not installed.
    """
    utils = import_library("nara_wpe.utils", "Dereverberation", "nara-wpe")
    wpe = import_library("nara_wpe.wpe", "Dereverberation", "nara-wpe").wpe

    def dereverberate(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        size = 2 ** round(np.log2(0.032 * sampling_rate))  # samples: 512 at 16 kHz, as in the paper
        spectrum = utils.stft(waveform.astype(np.float64)[None], size, size // 4)  # (1, frames, frequencies)
        dry = wpe(spectrum.transpose(2, 0, 1), taps=10, delay=3, iterations=3).transpose(1, 2, 0)
        return utils.istft(dry, size, size // 4)[0, : len(waveform)]

    return dereverberate


def sepformer(name: str) -> Enhancement:
    """A SepFormer that was trained with SpeechBrain, by name (Subakan et al., 2021; needs speechbrain).

    Args:
        name: hub id, such as ``speechbrain/sepformer-whamr16k`` for two voices in a room or
            ``speechbrain/sepformer-wham16k-enhancement``, or a folder. Its hyperparams.yaml runs as code: load only
            what you trust.

    Returns:
        An enhancement; of a model with several sources, a function to ``(sources, samples)``, as `split_sources` takes
        it.

    Raises:
        MissingLibraryError: if speechbrain is not installed.
    """
    separation = import_library("speechbrain.inference.separation", name, "speechbrain")
    torch = import_library("torch", name, "torch")
    model = separation.SepformerSeparation.from_hparams(source=name)
    model_rate = model.hparams.sample_rate

    def separate(waveform: np.ndarray, sampling_rate: int) -> np.ndarray:
        heard = torch.from_numpy(soxr.resample(waveform, sampling_rate, model_rate))
        with torch.inference_mode():
            sources = model.separate_batch(heard[None])[0].cpu().numpy()  # (samples, sources)
        sources = soxr.resample(sources, model_rate, sampling_rate)[: len(waveform)].T
        sources = np.pad(sources, ((0, 0), (0, len(waveform) - sources.shape[1])))
        return sources[0] if len(sources) == 1 else sources

    return separate
