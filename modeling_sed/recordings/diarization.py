"""Diarizes many recordings, one after the other, in one process or shared by several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env

from ..annotations.segments import fill_neutral
from ..audio_sed import MAX_DURATION, AudioInput, name_of
from ..frames_sed import InputError, Segment
from ..front_end.signals import FrontEnd, Signal, diarize_prepared, prepare
from ..pipeline_sed import Scores, SpeechEmotionDiarizationPipeline, failure_of, read_ahead
from .results_file import ResultsFile
from .results_folder import ResultsFolder
from .sources import Recordings
from .speaker_turns import Turn, read_turns, spoken_segments
from .transcript_files import read_transcript, transcript_path
from .transcripts import Transcript, with_emotions
from .watched_recordings import WatchedRecordings


class _Named(TypedDict):
    name: str
    duration: float
    segments: list[Segment]


class Result(_Named, total=False):
    """The timeline of a recording; ``duration`` in seconds, ``reference`` where the truth is known.

    ``posteriors (frames, labels)`` and ``frame_times (frames + 1,)``, in seconds, are those of ``return_scores``.
    Its ``transcript``, where there is one, has the emotions of its sentences and words.
    """

    reference: list[Segment]
    transcript: Transcript
    posteriors: np.ndarray
    frame_times: np.ndarray


def diarize_recordings(
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    positions: Sequence[int],
    report: Callable[[InputError], None],
    front_end: FrontEnd | None = None,
    turns: Path | None = None,
    transcript: Path | None = None,
    **options: Any,
) -> Iterator[tuple[int, Result]]:
    """Yields position and result of each recording that can be diarized, in order.

    Args:
        pipeline: with the model.
        recordings: all recordings.
        positions: of those to diarize.
        report: called with each failure.
        front_end: what happens before the model.
        turns: RTTM file of who speaks when; the segments then are those of the speakers, with ``"speaker"``.
        transcript: file with the transcript of the recording, or folder with one for each.
        options: of the pipeline; with a front end, which changes times, all but ``return_scores``.
    """
    neutral_label = pipeline.model.config.neutral_label
    begun: deque[tuple[int, list[Turn], Transcript | None]] = deque()  # the pipeline reads ahead

    def audio() -> Iterator[AudioInput]:
        for position in positions:
            name = recordings.names[position]
            try:  # before the work of the model, which would be lost
                spoken = [] if turns is None else read_turns(turns, name)
                told = None if transcript is None else read_transcript(transcript_path(transcript, name))
                heard = recordings.audio(position)
            except InputError as failure:
                report(failure)
                continue
            begun.append((position, spoken, told))
            yield heard

    for found in _timelines(front_end, pipeline, audio(), options):
        position, spoken, told = begun.popleft()
        if isinstance(found, InputError):
            report(found)
            continue
        timeline = found["segments"] if isinstance(found, dict) else found
        segments = timeline if turns is None else spoken_segments(timeline, spoken)
        result: Result = {"name": recordings.names[position], "duration": timeline[-1]["end"], "segments": segments}
        if isinstance(found, dict):
            result |= {"posteriors": found["posteriors"], "frame_times": found["frame_times"]}
        if told is not None:
            result["transcript"] = with_emotions(told, timeline, spoken)
        if recordings.references is not None:
            result["reference"] = fill_neutral(recordings.references[position], result["duration"], neutral_label)
        yield position, result


def _timelines(
    front_end: FrontEnd | None,
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Iterable[AudioInput],
    options: Mapping[str, Any],
) -> Iterator[list[Segment] | Scores | InputError]:
    if front_end is None:
        yield from pipeline(iter(recordings), return_exceptions=True, **options)
        return
    config, limit = pipeline.model.config, options.get("max_duration", MAX_DURATION)

    def prepared(audio: AudioInput) -> tuple[AudioInput, tuple[Signal, list[Signal]] | InputError]:
        try:
            return audio, prepare(front_end, audio, config.geometry, limit)
        except Exception as failure:  # the others go on, whatever a processor raises
            return audio, failure_of(name_of(audio), failure)

    for audio, found in read_ahead(map(prepared, recordings), depth=1):
        if not isinstance(found, InputError):
            try:
                found = diarize_prepared(pipeline, *found, return_exceptions=True, **options)
            except InputError as failure:
                found = InputError(f"{name_of(audio)}, after the front end: {failure}")
        yield found


def device_of_process() -> str:
    """The device of this process among those that `accelerate launch` has started; alone, the best there is."""
    return str(_process().device)


def diarize_into(
    results: ResultsFile | ResultsFolder,
    settings: Mapping[str, Any],
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    report: Callable[[InputError], None],
    progress: Callable[[Iterator[tuple[int, Result]], int], Iterator[tuple[int, Result]]],
    **options: Any,
) -> int | None:
    """Diarizes this process's share of the recordings; when all processes are done, joins what they have written.

    Args:
        results: where they go. Processes on several machines need a file system that all of them see.
        settings: what the results depend on, besides the recordings; a run of other settings is not resumed.
        pipeline: with the model.
        recordings: all recordings; those that a killed run has finished are skipped, unless they changed since.
        report: called with each failure.
        progress: shows what comes of how many recordings, and passes it on.
        options: of `diarize_recordings`.

    Returns:
        The number of results that there are now, in the main process; None in the others.

    Raises:
        InputError: if another run writes there, or had other settings, or it cannot be written.
    """
    process = _process()
    watched = WatchedRecordings(recordings, options.get("turns"), options.get("transcript"))
    with results.held(settings, watched.state_of) if process.is_main_process else nullcontext():
        process.wait_for_everyone()  # the main process has found out what there is
        done = results.done()
        missing = [position for position, name in enumerate(recordings.names) if name not in done]
        process.wait_for_everyone()  # all have seen it, and agree on what is missing
        share = missing[process.process_index :: process.num_processes]
        found = diarize_recordings(pipeline, watched.recordings, share, report, **options)
        if process.is_main_process:
            found = progress(found, len(share))
        heard = watched.unchanged(found, report)
        results.write(((state, result) for _, state, result in heard), process.process_index)
        process.wait_for_everyone()
        count = results.join(recordings.names) if process.is_main_process else None
        process.wait_for_everyone()  # launchers end all processes when one ends with an error
    return count


def _process() -> PartialState:
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    return PartialState(cpu, timeout=timedelta(days=30))  # one may have much more to do than the others, who wait
