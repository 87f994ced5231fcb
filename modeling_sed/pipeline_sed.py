"""The transformers pipeline "speech-emotion-diarization": recordings in, timelines of emotions out.

The windows of all recordings form one stream: a thread prepares the next ones while the model computes, windows of
similar length go through the model together, and results come in the order of the recordings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypedDict, TypeVar, overload

import numpy as np
import torch
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.pipelines.base import ChunkPipeline

from .audio_forms_sed import recordings_of, usual_form
from .audio_sed import MAX_DURATION, AudioInput, RecordingStream, cut_recording, name_of
from .decoding_sed import check_decoder, segments_of, temper
from .encoders_sed import pad_inputs
from .frames_sed import InputError, Segment, check_posteriors

if TYPE_CHECKING:
    # opened from a folder, transformers 5.0 takes along what this file itself names, and audio_sed.py needs that
    from .audio_files_sed import open_file  # noqa: F401
    from .limits_sed import check_limit  # noqa: F401
    from .modeling_sed import SEDForAudioFrameClassification

CONTEXT = 1.0  # seconds
POOL = 4  # batches that are sorted by length together
LARGEST = 1024  # windows of a batch; more would only wait in memory
PADDING = 0.1  # of a batch, at most
FIRST_TRY = 32  # windows of 32 s at once, where the size is found out

Item = TypeVar("Item")
Result = TypeVar("Result")


class Timeline(list[Segment]):
    """The segments of a recording: a list that shows itself in notebooks, as a picture with a player.

    Parts of it, ``timeline[3:8]``, do so, too. A copy is a list like any other, and so is what has been pickled: what
    reads it needs no code of this package, and the audio stays behind.

    Args:
        segments: in order of time.
        audio: the recording, as [`~modeling_sed.audio_sed.load_recording`] takes it, where it can be played.
    """

    def __init__(self, segments: Iterable[Segment] = (), audio: AudioInput | None = None):
        super().__init__(segments)
        self.audio = audio

    @overload
    def __getitem__(self, position: SupportsIndex) -> Segment: ...
    @overload
    def __getitem__(self, position: slice) -> Timeline: ...
    def __getitem__(self, position: SupportsIndex | slice) -> Segment | Timeline:
        if isinstance(position, slice):
            return Timeline(super().__getitem__(position), self.audio)
        return super().__getitem__(position)

    def __reduce__(self) -> tuple[type, tuple[list[Segment]]]:
        return list, (list(self),)

    def _repr_html_(self) -> str | None:
        """For notebooks; nothing where only the code that travels with a checkpoint is, or there is no segment."""
        try:
            html = import_module("modeling_sed.evaluation.html_timeline")
        except ImportError:
            return None
        return html.timeline_html(self, self.audio) if self else None


class Scores(TypedDict):
    """What the pipeline returns with ``return_scores``.

    ``posteriors`` are ``(frames, labels)``, ``frame_times`` ``(frames + 1,)`` the frames' borders in seconds.
    """

    segments: Timeline
    posteriors: np.ndarray
    frame_times: np.ndarray


class Recordings(torch.utils.data.IterableDataset):
    """Many recordings, which transformers takes one by one; of lists and generators, it would look into the first."""

    def __init__(self, recordings: Iterable[AudioInput]):
        self.recordings = recordings

    def __iter__(self) -> Iterator[AudioInput]:
        return iter(self.recordings)


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

    model: SEDForAudioFrameClassification
    feature_extractor: SequenceFeatureExtractor
    _load_processor = False  # type: ignore[assignment]  # declared as None by transformers
    _load_image_processor = False  # type: ignore[assignment]
    _load_feature_extractor = True  # type: ignore[assignment]
    _load_tokenizer = False  # type: ignore[assignment]
    modelcard = None  # transformers 5.0 asks for it when it saves, and has none

    def __call__(  # type: ignore[override]  # narrower than transformers' *args
        self, inputs: AudioInput | Iterable[AudioInput], **kwargs: Any
    ) -> Any:
        """Segments of one recording, or of many.

        Recordings longer than ``window`` go through the model in overlapping windows, so that memory is bounded and
        time linear in their length. Each window is normalised as a recording of its own, since models have learnt from
        utterances, not from hours.

        Args:
            inputs: a recording, as [`~modeling_sed.audio_sed.load_recording`] takes it, gradio's ``(sampling_rate,
                samples)``, pyannote.audio's ``{"waveform", "sample_rate"}``, or a row of a dataset with the column
                ``audio``; or many of them: a list or column, whose results come as a list, or a generator or dataset,
                whose results come as they are ready.
            batch_size: how many windows go through the model at once, at most; "auto": as many as the device's memory
                holds (one on a CPU, which gains nothing by more). The result does not depend on it.
            window: seconds of a window; "auto": those of the encoder's family (20 for Whisper, else 32); None for whole
                recordings at once, which Whisper can hear up to 30 s.
            context: seconds that neighbouring windows have in common on either side of where they join (1).
            decoder: how posteriors become segments: the name of a decoder of decoding_sed.py, with its defaults, or a
                mapping of its ``name`` and parameters. Default: the model's own, fitted on validation data when it was
                trained; "argmax" for the most probable label of each frame, as in the paper.
            temperature: what logits are divided by before they become posteriors. Default: the model's own, fitted on
                validation data; 1 for the logits as they are.
            return_scores: whether the result of a recording is a [`Scores`] mapping: segments, the posteriors of every
                frame in the order of ``model.config.labels``, and the frames' borders in seconds.
            max_duration: seconds; longer recordings are refused (24 hours).
            return_exceptions: whether a recording that cannot be diarized gives its `InputError` instead of segments,
                and the others go on.

        Returns:
            For each recording, its [`Timeline`]: the segments ``{"start", "end", "label", "score"}`` (seconds, label
            name, mean posterior), which tile it from 0 to its duration. That of a single recording knows its audio.

        Raises:
            InputError: as `load_recording`, or if a recording is shorter than one frame (25 ms), the context leaves
                nothing of the window, the window is longer than the encoder can hear, or there is no such decoder.
        """
        recordings = recordings_of(inputs)
        if recordings is not None:
            results = super().__call__(Recordings(recordings), **kwargs)
            return list(results) if isinstance(recordings, Sequence) else results
        result = super().__call__(inputs, **kwargs)
        timeline = result["segments"] if isinstance(result, dict) else result
        if isinstance(timeline, Timeline):  # not that of one among many, whose audio would stay in memory
            timeline.audio = usual_form(inputs)
        return result

    def _sanitize_parameters(self, **options: Any) -> tuple[dict, dict, dict]:
        reading = {"window", "context", "max_duration", "return_exceptions"}
        deciding = {"decoder", "temperature", "return_scores"}
        if unknown := options.keys() - reading - deciding:
            raise TypeError(
                f"There is no option {', '.join(sorted(unknown))}; there are batch_size, window, context, "
                "max_duration, decoder, temperature, return_scores, return_exceptions."
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
    ) -> Iterator[Timeline | Scores | InputError]:
        """Yields what `postprocess` makes of each recording, in order; transformers calls it for one, too."""
        if batch_size != "auto" and not (isinstance(batch_size, Integral) and batch_size >= 1):
            raise InputError(f"batch_size must be a number from 1, or 'auto'; got {batch_size!r}.")
        if batch_size == "auto" and self.device.type == "cpu":
            batch_size = 1  # a processor is busy with one window, and needs no padding

        returns_exceptions = preprocess_params.get("return_exceptions", False)

        def run(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if "exception" in windows[0]:  # alone in its batch, since it has no length
                return windows
            try:
                return self.forward(windows, **forward_params)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not (returns_exceptions and len(windows) == 1 and _is_out_of_memory(error)):
                    raise
                return [{**windows[0], "exception": failure_of(windows[0]["name"], error), "inputs": None}]

        outputs: list[dict[str, Any]] = []
        windows = self._windows(map(usual_form, inputs), **preprocess_params)
        for output in map_batches(run, windows, _length, batch_size):
            outputs.append(output)
            if output["is_last"]:
                yield self._result(outputs, returns_exceptions, postprocess_params)
                outputs = []

    def _result(
        self, outputs: list[dict[str, Any]], returns_exceptions: bool, options: dict[str, Any]
    ) -> Timeline | Scores | InputError:
        """What comes of the windows of a recording."""
        if failures := [output["exception"] for output in outputs if "exception" in output]:
            return failures[0]
        try:
            return self.postprocess(outputs, **options)
        except InputError as exception:
            if not returns_exceptions:
                raise
            return exception

    def _windows(
        self, inputs: Iterable[AudioInput], return_exceptions: bool = False, **options: Any
    ) -> Iterator[dict[str, Any]]:
        for audio in inputs:
            try:
                yield from self.preprocess(audio, **options)
            except Exception as exception:  # noqa: PERF203 - the others go on, whatever libraries raise
                if not return_exceptions:
                    raise
                yield {"exception": failure_of(name_of(audio), exception), "is_last": True}

    def preprocess(
        self,
        audio: AudioInput,
        window: float | Literal["auto"] | None = "auto",
        context: float = CONTEXT,
        max_duration: float = MAX_DURATION,
    ) -> Iterator[dict[str, Any]]:
        """A recording -> its windows, as the model takes them."""
        config, family = self.model.config, self.model.config.encoder_family
        stream = RecordingStream(audio, config.sampling_rate, max_duration)
        longest = family.longest_input(config.encoder_config)
        if window == "auto":
            window = min(family.window, longest)
        for part in cut_recording(stream, config.geometry, window, context):
            if (seconds := len(part.waveform) / config.sampling_rate) > longest:  # the encoder would answer nonsense
                raise InputError(
                    f"{stream.name}: {seconds:.1f} s at once, but the encoder hears no more than {longest:g} s: use "
                    "windows of at most that, or the default."
                )
            inputs = family.extract(self.feature_extractor, part.waveform, config.sampling_rate)
            counting = {"first": part.first, "last": part.last, "is_last": part.is_last}
            length = {"length": len(part.waveform), "samples": stream.samples, "duration": stream.duration}
            yield {"inputs": inputs, "name": stream.name, **counting, **length}

    def _forward(self, windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        family = self.model.config.encoder_family
        inputs, attention_mask = pad_inputs([window["inputs"] for window in windows], family.time_axis)
        arguments = {family.input_name: inputs.to(self.device, self.dtype)}
        if len({_length(window) for window in windows}) > 1:
            arguments["attention_mask"] = attention_mask.to(self.device)
        posteriors = self.model(**arguments).logits.float().softmax(dim=-1)
        return [
            {**window, "posteriors": frames[window["first"] : window["last"]], "inputs": None}
            for window, frames in zip(windows, posteriors, strict=True)
        ]

    def postprocess(
        self,
        model_outputs: list[dict[str, Any]],
        decoder: str | Mapping[str, Any] | None = None,
        temperature: float | None = None,
        return_scores: bool = False,
    ) -> Timeline | Scores:
        """The windows of a recording, after the model -> its segments."""
        config = self.model.config
        posteriors = np.concatenate([output["posteriors"].numpy() for output in model_outputs])
        check_posteriors(posteriors, model_outputs[0]["name"])
        posteriors = temper(posteriors, config.posterior_temperature if temperature is None else temperature)
        end = model_outputs[-1]  # by then the whole recording had been read
        frame_times = config.geometry.frame_times(end["samples"])
        frame_times[-1] = end["duration"]  # of the original, which resampling may have rounded
        decoder = config.decoder if decoder is None else decoder
        segments = Timeline(segments_of(posteriors, frame_times, config.labels, config.neutral_label, decoder))
        if return_scores:
            return {"segments": segments, "posteriors": posteriors, "frame_times": frame_times}
        return segments


def _length(window: dict[str, Any]) -> int:
    return window.get("length", 0)


def failure_of(name: str, error: Exception) -> InputError:
    """What happened to the recording ``name``, as an error of one sentence."""
    if isinstance(error, InputError):
        return error
    if _is_out_of_memory(error):
        return InputError(f"{name}: there is not enough memory; a shorter window needs less.")
    return InputError(f"{name}: cannot be diarized ({type(error).__name__}: {' '.join(str(error).split())}).")


def _is_out_of_memory(error: Exception) -> bool:
    """Of a device, of numpy, or of torch on a CPU, which has no type of its own for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def read_ahead(items: Iterable[Item], depth: int) -> Iterator[Item]:
    """The same items, of which a thread prepares the next ``depth`` while the caller works on one."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, iterator, end))
            yield item


def batches_by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Which of ``lengths`` go together: batches of positions, the longest first, with little padding.

    Args:
        lengths: of the items, in samples; an item of length 0 goes alone.
        batch_size: items of a batch, at most.
    """
    batches: list[list[int]] = []
    room = 0  # of the last batch when it is padded, less what is in it
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        longest = lengths[batches[-1][0]] if batches else 0
        room += longest - lengths[position]
        is_full = bool(batches) and len(batches[-1]) == batch_size
        if not batches or is_full or lengths[position] == 0 or room > PADDING * longest * (len(batches[-1]) + 1):
            batches.append([])
            room = 0
        batches[-1].append(position)
    return batches


def map_batches(
    run: Callable[[list[Item]], Sequence[Result]],
    items: Iterable[Item],
    length: Callable[[Item], int],
    batch_size: int | Literal["auto"],
) -> Iterator[Result]:
    """What ``run`` makes of each item, in the order of the items.

    Args:
        run: takes a batch of items, gives a result for each.
        items: any iterable; no more than `POOL` batches of them are held, and as many read ahead.
        length: of an item, in samples.
        batch_size: items of a batch, at most. "auto" begins with `FIRST_TRY`, and halves when the device's memory is
            exhausted.

    Raises:
        torch.OutOfMemoryError: if the memory does not suffice for a batch; with "auto", for one item.
    """
    limit = FIRST_TRY if batch_size == "auto" else min(batch_size, LARGEST)
    pool_size = 1 if limit == 1 else POOL * limit
    items = read_ahead(items, pool_size)
    while pool := list(islice(items, pool_size)):
        results: dict[int, Result] = {}
        waiting = batches_by_length([length(item) for item in pool], limit)
        while waiting:
            batch = waiting.pop(0)
            found = _attempt(run, [pool[position] for position in batch], batch_size == "auto")
            if found is None:
                limit = len(batch) // 2
                cut = [batch, *waiting]
                waiting = [batch[first : first + limit] for batch in cut for first in range(0, len(batch), limit)]
            else:
                results.update(zip(batch, found, strict=True))
        yield from (results[position] for position in range(len(pool)))


def _attempt(
    run: Callable[[list[Item]], Sequence[Result]], batch: list[Item], may_fail: bool
) -> Sequence[Result] | None:
    """The results of a batch, or None where memory does not suffice; what it held is free again on return."""
    try:
        return run(batch)
    except torch.OutOfMemoryError:
        if not may_fail or len(batch) == 1:
            raise
    return None
