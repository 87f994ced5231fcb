"""Which emotion appears when? `python diarize_onnx.py call.wav`, or `from diarize_onnx import diarize`.

Emotion timelines by ONNX Runtime, without torch. Needs numpy, soundfile and onnxruntime, and soxr for recordings at
other sampling rates than the model's. `emotion-diarization export onnx` puts this file beside a model, and what it
imports into the folder sed_onnx beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from sed_onnx.audio_sed import AudioInput, RecordingStream, cut_recording
from sed_onnx.decoding_sed import segments_of, temper
from sed_onnx.errors_sed import InputError
from sed_onnx.frames_sed import FrameGeometry, Segment


class OnnxDiarizer:
    """Which emotion appears when? The same windows, decoder and segments as the transformers pipeline.

    ```python
    >>> from diarize_onnx import diarize  # an OnnxDiarizer of this folder
    >>> diarize("call.wav")
    [{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 0.91}, {'start': 2.34, 'end': 4.1, 'label': 'angry', …}]
    ```

    Args:
        folder: with ``model.onnx`` and ``config.json``, whose ``window`` and ``context`` are in seconds.
        threads: of a computation; default: one for each core.

    Raises:
        OSError: if a file is missing.
    """

    def __init__(self, folder: str | Path, threads: int | None = None):
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        self.window, self.context = config["window"], config["context"]
        self._decoding = {name: config[name] for name in ("labels", "neutral_label", "decoder")}
        self._temperature = config["temperature"]
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
        frame_times = self.geometry.frame_times(stream.samples)
        frame_times[-1] = stream.duration  # of the original, which resampling may have rounded
        return segments_of(temper(posteriors, self._temperature), frame_times, **self._decoding)

    def posteriors(self, waveform: np.ndarray) -> np.ndarray:
        """Of one window, ``(samples,)`` raw audio -> ``(frames, labels)``."""
        return self._session.run(["posteriors"], {"input_values": waveform[None]})[0][0]


diarize = OnnxDiarizer(Path(__file__).parent)


def main() -> None:
    """Prints the segments of the recordings on the command line as JSON; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(description="Print the emotion segments of recordings as JSON.")
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDING")
    results, failed = [], False
    for file in parser.parse_args().files:
        try:
            segments = diarize(file)
            results.append({"name": str(file), "duration": segments[-1]["end"], "segments": segments})
        except InputError as error:  # noqa: PERF203 - the others go on
            failed = True
            print(f"error: {error}", file=sys.stderr)
    print(json.dumps(results, indent=2))
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
