"""The transformers pipeline "speech-emotion-diarization": recordings in, timelines of emotions out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from transformers.pipelines.base import ChunkPipeline, GenericTensor

from .audio_sed import AudioInput, RecordingStream
from .decoding_sed import decode_argmax, merge_frames
from .windows_sed import cut_recording

WINDOW = 20.0  # seconds
CONTEXT = 2.0


class SpeechEmotionDiarizationPipeline(ChunkPipeline):
    """Which emotion appears when?

    ```python
    >>> import modeling_sed
    >>> from transformers import pipeline
    >>> diarize = pipeline("speech-emotion-diarization", model="path/or/hub-id")
    >>> diarize("call.wav")
    [{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 0.91}, {'start': 2.34, 'end': 4.1, 'label': 'angry', …}]
    ```
    """

    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = True
    _load_tokenizer = False

    def __call__(self, inputs: AudioInput | list[AudioInput], **kwargs: Any) -> list[dict] | list[list[dict]]:
        """Segments of one recording, or of many.

        Recordings longer than ``window`` go through the model in overlapping windows, so that memory is bounded and
        time linear in their length. Each window is normalised as a recording of its own: models have learnt from
        utterances, not from hours.

        Args:
            inputs: a recording, as [`~modeling_sed.audio_sed.load_recording`] takes it, or a list, generator or
                dataset of them.
            batch_size: how many windows go through the model at once; the result does not depend on it.
            window: seconds of a window (20); None for whole recordings at once, however long.
            context: seconds that neighbouring windows have in common on either side of where they join (2).

        Returns:
            For each recording, the segments ``{"start", "end", "label", "score"}`` (seconds, label name, mean
            posterior), which tile it from 0 to its duration.

        Raises:
            FileNotFoundError, ValueError: as `load_recording`, or if a recording is shorter than one frame (25 ms), or
                the context leaves nothing of the window.
        """
        return super().__call__(inputs, **kwargs)

    def _sanitize_parameters(self, **options: float | None) -> tuple[dict, dict, dict]:
        unknown = options.keys() - {"window", "context"}
        if unknown:
            raise TypeError(f"There is no option {', '.join(sorted(unknown))}; there are batch_size, window, context.")
        return options, {}, {}

    def preprocess(
        self, audio: AudioInput, window: float | None = WINDOW, context: float = CONTEXT
    ) -> Iterator[dict[str, GenericTensor]]:
        geometry = self.model.config.geometry
        rate = geometry.sampling_rate
        stream = RecordingStream(audio, rate)
        for part in cut_recording(stream, geometry, window, context):
            inputs = self.feature_extractor(
                part.waveform, sampling_rate=rate, return_attention_mask=True, return_tensors="pt"
            )
            inputs["input_values"] = inputs["input_values"].to(self.dtype)
            counting = {"first": part.first, "last": part.last, "is_last": part.is_last}
            yield {**inputs, **counting, "samples": stream.samples, "duration": stream.duration}

    def _forward(self, model_inputs: dict[str, GenericTensor]) -> dict[str, GenericTensor]:
        described = {name: model_inputs.pop(name) for name in ("first", "last", "is_last", "samples", "duration")}
        logits = self.model(**model_inputs).logits
        return {"posteriors": logits.float().softmax(dim=-1), **described}

    def postprocess(self, model_outputs: list[dict[str, GenericTensor]]) -> list[dict]:
        posteriors = np.concatenate(
            [output["posteriors"][0, output["first"] : output["last"]].numpy() for output in model_outputs]
        )
        end = model_outputs[-1]  # by then the whole recording had been read
        frame_times = self.model.config.geometry.frame_times(end["samples"])
        frame_times[-1] = end["duration"]  # of the original, which resampling may have rounded
        return merge_frames(decode_argmax(posteriors), posteriors, frame_times, self.model.config.labels)
