"""The transformers pipeline "speech-emotion-diarization": recordings in, timelines of emotions out."""

from __future__ import annotations

from typing import Any

from transformers import Pipeline
from transformers.pipelines.base import GenericTensor

from .audio_sed import AudioInput, load_recording
from .decoding_sed import decode_argmax, merge_frames


class SpeechEmotionDiarizationPipeline(Pipeline):
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

        Args:
            inputs: a recording, as [`~modeling_sed.audio_sed.load_recording`] takes it, or a list, generator or
                dataset of them.
            batch_size: how many recordings go through the model at once; the result does not depend on it.

        Returns:
            For each recording, the segments ``{"start", "end", "label", "score"}`` (seconds, label name, mean
            posterior), which tile it from 0 to its duration.

        Raises:
            FileNotFoundError, ValueError: as `load_recording`, or if a recording is shorter than one frame (25 ms).
        """
        return super().__call__(inputs, **kwargs)

    def _sanitize_parameters(self) -> tuple[dict, dict, dict]:
        return {}, {}, {}

    def preprocess(self, audio: AudioInput) -> dict[str, GenericTensor]:
        geometry = self.model.config.geometry
        recording = load_recording(audio, geometry.sampling_rate)
        samples = len(recording.waveform)
        if geometry.frame_count(samples) == 0:
            raise ValueError(
                f"{recording.name}: {recording.duration:.4f} s of audio is shorter than one frame "
                f"({geometry.receptive_field / geometry.sampling_rate:.3f} s)."
            )
        inputs = self.feature_extractor(
            recording.waveform,
            sampling_rate=geometry.sampling_rate,
            return_attention_mask=True,
            return_tensors="pt",
        )
        inputs["input_values"] = inputs["input_values"].to(self.dtype)
        return {**inputs, "samples": samples, "duration": recording.duration}

    def _forward(self, model_inputs: dict[str, GenericTensor]) -> dict[str, GenericTensor]:
        samples, duration = model_inputs.pop("samples"), model_inputs.pop("duration")
        logits = self.model(**model_inputs).logits
        return {"posteriors": logits.float().softmax(dim=-1), "samples": samples, "duration": duration}

    def postprocess(self, model_outputs: dict[str, GenericTensor]) -> list[dict]:
        frame_times = self.model.config.geometry.frame_times(model_outputs["samples"])
        frame_times[-1] = model_outputs["duration"]  # of the original, which resampling may have rounded
        posteriors = model_outputs["posteriors"][0, : len(frame_times) - 1].numpy()
        return merge_frames(decode_argmax(posteriors), posteriors, frame_times, self.model.config.labels)
