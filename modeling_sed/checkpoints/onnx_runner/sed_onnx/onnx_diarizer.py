"""Emotion timelines by ONNX Runtime, without torch.

Needs numpy, soundfile and onnxruntime, and soxr for recordings at other sampling rates than the model's. The files of
this folder that it imports are copied from the package modeling_sed by `emotion-diarization export onnx`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime

from .audio_sed import AudioInput, RecordingStream, cut_recording
from .decoding_sed import segments_of, temper
from .frames_sed import FrameGeometry, Segment, check_posteriors


class OnnxDiarizer:
    """Which emotion appears when? The same windows, decoder and segments as the transformers pipeline.

    ```python
    >>> from diarize_onnx import diarize  # an OnnxDiarizer of this folder
    >>> diarize("call.wav")
    [{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 0.91}, {'start': 2.34, 'end': 4.1, 'label': 'angry', …}]
    ```

    Args:
        folder: with ``model.onnx`` and ``config.json``, whose ``window`` and ``context`` are in seconds.
        threads: number of threads; default: one for each core.

    Raises:
        OSError: if a file is missing.
    """

    def __init__(self, folder: str | Path, threads: int | None = None):
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        self.window, self.context = config["window"], config["context"]
        self._decoding = {name: config[name] for name in ("labels", "neutral_label", "decoder")}
        self._temperature, self._shortest = config["temperature"], config["shortest"]
        self.geometry = FrameGeometry(**config["geometry"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        model = Path(folder) / "model.onnx"
        if not model.is_file():
            raise FileNotFoundError(f"{folder} has no model.onnx.")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, audio: AudioInput) -> list[Segment]:
        """Segments that tile a recording from 0 to its duration.

        Args:
            audio: as `load_recording` takes it; long files are read and computed window by window.

        Raises:
            InputError: as `load_recording`, or if it is shorter than one frame (25 ms).
        """
        stream = RecordingStream(audio, self.geometry.sampling_rate)
        posteriors = np.concatenate(
            [
                self.posteriors(part.waveform)[part.first : part.last]
                for part in cut_recording(stream, self.geometry, self.window, self.context)
            ]
        )
        check_posteriors(posteriors, stream.name)
        frame_times = self.geometry.frame_times(stream.samples)
        frame_times[-1] = stream.duration  # of the original, which resampling may have rounded
        return segments_of(temper(posteriors, self._temperature), frame_times, **self._decoding)

    def posteriors(self, waveform: np.ndarray) -> np.ndarray:
        """Posteriors of one window: ``(samples,)`` raw audio -> ``(frames, labels)``."""
        padded = np.pad(waveform, (0, max(0, self._shortest - len(waveform))))
        return self._session.run(["posteriors"], {"input_values": padded[None]})[0][0]
