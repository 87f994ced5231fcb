"""The transformers pipeline "speech-emotion-diarization": recordings in, timelines of emotions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from transformers.pipelines.base import ChunkPipeline

from .audio_sed import UNREADABLE, AudioInput, RecordingStream
from .batching_sed import map_batches
from .decoding_sed import check_decoder, segments_of, temper
from .memory_sed import keep_freed_memory
from .windows_sed import cut_recording

WINDOW = 32.0  # seconds
CONTEXT = 1.0


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

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.device.type == "cpu":
            keep_freed_memory()

    def __call__(self, inputs: AudioInput | list[AudioInput], **kwargs: Any) -> list[dict] | list[list[dict]]:
        """Segments of one recording, or of many.

        Recordings longer than ``window`` go through the model in overlapping windows, so that memory is bounded and
        time linear in their length. Each window is normalised as a recording of its own: models have learnt from
        utterances, not from hours.

        Args:
            inputs: a recording, as [`~modeling_sed.audio_sed.load_recording`] takes it, or a list, generator or
                dataset of them.
            batch_size: how many windows go through the model at once, at most; "auto": as many as the device's memory
                holds (one on a CPU, which gains nothing by more). The result does not depend on it.
            window: seconds of a window (32); None for whole recordings at once, however long.
            context: seconds that neighbouring windows have in common on either side of where they join (1).
            decoder: how posteriors become segments: the name of a decoder of decoding_sed.py, or a mapping of its
                ``name`` and parameters. Default: what was fitted on validation when the model was trained, as its
                configuration says; "argmax" for the most probable label of each frame, as the paper has it.
            return_scores: whether a recording's result is ``{"segments", "posteriors", "frame_times"}``: also what the
                model says of each frame, ``(frames, labels)`` in the order of ``model.config.labels``, and the frames'
                borders in seconds, ``(frames + 1,)``.
            return_exceptions: whether a recording that cannot be diarized gives its exception instead of segments,
                and the others go on.

        Returns:
            For each recording, the segments ``{"start", "end", "label", "score"}`` (seconds, label name, mean
            posterior), which tile it from 0 to its duration.

        Raises:
            FileNotFoundError, ValueError: as `load_recording`, or if a recording is shorter than one frame (25 ms), or
                the context leaves nothing of the window, or there is no such decoder.
        """
        return super().__call__(inputs, **kwargs)

    def _sanitize_parameters(self, **options: Any) -> tuple[dict, dict, dict]:
        reading, deciding = {"window", "context", "return_exceptions"}, {"decoder", "return_scores"}
        if unknown := options.keys() - reading - deciding:
            raise TypeError(
                f"There is no option {', '.join(sorted(unknown))}; there are batch_size, window, context, decoder, "
                "return_scores, return_exceptions."
            )
        preprocess, postprocess = ({k: v for k, v in options.items() if k in names} for names in (reading, deciding))
        if (decoder := postprocess.get("decoder")) is not None:
            check_decoder(decoder, len(self.model.config.labels))
        return preprocess, {}, postprocess

    def get_iterator(
        self,
        inputs: Iterable[AudioInput],
        num_workers: int,  # not used: a thread reads ahead
        batch_size: int | Literal["auto"],
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> Iterator[list[dict] | Exception]:
        """Yields what `postprocess` makes of each recording, in order; transformers calls it for one, too."""
        if batch_size == "auto" and self.device.type == "cpu":
            batch_size = 1  # a processor is busy with one window, and needs no padding

        def run(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if "exception" in windows[0]:  # alone in its batch, since it has no length
                return windows
            return self.forward(windows, **forward_params)

        outputs: list[dict[str, Any]] = []
        for output in map_batches(run, self._windows(inputs, **preprocess_params), _length, batch_size):
            outputs.append(output)
            if output["is_last"]:
                yield output.get("exception") or self.postprocess(outputs, **postprocess_params)
                outputs = []

    def _windows(
        self, inputs: Iterable[AudioInput], return_exceptions: bool = False, **options: Any
    ) -> Iterator[dict[str, Any]]:
        for audio in inputs:
            try:
                yield from self.preprocess(audio, **options)
            except UNREADABLE as exception:  # noqa: PERF203 - the others go on
                if not return_exceptions:
                    raise
                yield {"exception": exception, "is_last": True}

    def preprocess(
        self, audio: AudioInput, window: float | None = WINDOW, context: float = CONTEXT
    ) -> Iterator[dict[str, Any]]:
        geometry = self.model.config.geometry
        rate = geometry.sampling_rate
        stream = RecordingStream(audio, rate)
        for part in cut_recording(stream, geometry, window, context):
            (waveform,) = self.feature_extractor(part.waveform, sampling_rate=rate)["input_values"]
            counting = {"first": part.first, "last": part.last, "is_last": part.is_last}
            yield {"input_values": waveform, **counting, "samples": stream.samples, "duration": stream.duration}

    def _forward(self, windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lengths = {_length(window) for window in windows}
        inputs = self.feature_extractor.pad(
            {"input_values": [window["input_values"] for window in windows]},
            padding=True,
            return_attention_mask=len(lengths) > 1,
            return_tensors="pt",
        ).to(self.device, self.dtype)
        posteriors = self.model(**inputs).logits.float().softmax(dim=-1)
        return [
            {**window, "posteriors": frames[window["first"] : window["last"]], "input_values": None}
            for window, frames in zip(windows, posteriors, strict=True)
        ]

    def postprocess(
        self,
        model_outputs: list[dict[str, Any]],
        decoder: str | Mapping[str, Any] | None = None,
        return_scores: bool = False,
    ) -> list[dict] | dict[str, Any]:
        config = self.model.config
        posteriors = np.concatenate([output["posteriors"].numpy() for output in model_outputs])
        posteriors = temper(posteriors, config.posterior_temperature)
        end = model_outputs[-1]  # by then the whole recording had been read
        frame_times = config.geometry.frame_times(end["samples"])
        frame_times[-1] = end["duration"]  # of the original, which resampling may have rounded
        decoder = config.chosen_decoder(decoder)
        segments = segments_of(posteriors, frame_times, config.labels, config.neutral_label, decoder)
        if return_scores:
            return {"segments": segments, "posteriors": posteriors, "frame_times": frame_times}
        return segments


def _length(window: dict[str, Any]) -> int:
    return len(window.get("input_values", ()))
