"""Many recordings to diarize, one after the other: files, the lines of a list, or the utterances of a dataset."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile
import torch
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from tqdm.auto import tqdm

from .audio_sed import UNREADABLE, load_channels
from .batching_sed import read_ahead
from .frontend import FrontEnd, Signal, diarize_prepared, prepare
from .results_file import ResultsFile
from .segments import with_neutral
from .speaker_turns import Turn, emotions_by_speaker, read_turns

if TYPE_CHECKING:  # they take seconds to import
    from datasets import Dataset

    from .audio_sed import AudioInput
    from .pipeline_sed import SpeechEmotionDiarizationPipeline


@dataclass(frozen=True)
class Recordings:
    """Recordings that are read when they are needed.

    Attributes:
        names: one each, all different.
        audio: gives the recording at a position.
        references: their true segments, where they are known.
    """

    names: Sequence[str]
    audio: Callable[[int], AudioInput]
    references: Sequence[Sequence[dict[str, Any]]] | None = None

    @classmethod
    def of_files(cls, paths: Iterable[str | Path]) -> Recordings:
        """Files or URLs; one that is named again counts once."""
        names = list(dict.fromkeys(str(path) for path in paths))
        return cls(names, names.__getitem__)

    @classmethod
    def of_dataset(cls, folder: Path, split: str, limit: int | None = None) -> Recordings:
        """The (first) utterances of a split of a dataset on disk.

        Raises:
            ValueError: if there is no such dataset, or no such split, or an id in it occurs twice.
        """
        rows = dataset_split(folder, split)
        rows = rows.select(range(min(limit or len(rows), len(rows))))
        names = list(rows["id"])
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"{folder}: the id {repeated[0]!r} occurs more than once in the split {split!r}.")
        return cls(names, lambda position: rows[position]["audio"], list(rows["segments"]))

    def by_channel(self) -> Recordings:
        """Each channel of each recording as one of its own."""
        channels = [
            (position, channel)
            for position in range(len(self.names))
            for channel in range(_channel_count(self.audio(position)))
        ]

        def audio(position: int) -> AudioInput:
            recording, channel = channels[position]
            given = self.audio(recording)
            return {**(given if isinstance(given, Mapping) else {"path": given}), "channel": channel}

        return Recordings([f"{self.names[number]}, channel {channel + 1}" for number, channel in channels], audio)


def _channel_count(audio: AudioInput) -> int:
    encoded = audio.get("bytes") if isinstance(audio, Mapping) else None
    try:
        return soundfile.info(audio if encoded is None else io.BytesIO(encoded)).channels  # without decoding
    except (soundfile.LibsndfileError, TypeError):  # not a file of libsndfile's
        pass
    try:
        return load_channels(audio, sampling_rate=16_000)[0].shape[1]
    except UNREADABLE:  # one that cannot be read will be reported then
        return 1


def dataset_split(folder: Path, split: str) -> Dataset:
    """A split of a dataset on disk.

    Raises:
        ValueError: if there is none.
    """
    from datasets import load_from_disk

    try:
        return load_from_disk(str(folder))[split]
    except (OSError, KeyError) as error:
        raise ValueError(f"{folder} is not a dataset with a split {split!r}.") from error


def diarize_recordings(
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    positions: Sequence[int],
    report: Callable[[Exception], None],
    front_end: FrontEnd | None = None,
    turns: Path | None = None,
    **options: Any,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields position and result of each recording that can be diarized, in order.

    Args:
        pipeline: with the model.
        recordings: all of them.
        positions: of those to diarize.
        report: is told of what cannot be.
        front_end: what happens before the model.
        turns: RTTM file of who speaks when; the segments then are those of the speakers, with ``"speaker"``.
        options: of the pipeline.

    Returns:
        ``{"name", "duration", "segments"}`` each; with references also ``"reference"``, neutral stretches written out.
    """
    neutral_label = pipeline.model.config.neutral_label
    audio = (recordings.audio(position) for position in positions)
    for position, found in zip(positions, _timelines(front_end, pipeline, audio, options), strict=True):
        if isinstance(found, Exception):
            report(found)
            continue
        name, duration, segments = recordings.names[position], found[-1]["end"], found
        if turns is not None:
            try:
                segments = _spoken(found, read_turns(turns, name))
            except UNREADABLE as error:
                report(error)
                continue
        result = {"name": name, "duration": duration, "segments": segments}
        if recordings.references is not None:
            result["reference"] = with_neutral(recordings.references[position], duration, neutral_label)
        yield position, result


def _timelines(
    front_end: FrontEnd | None,
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Iterable[AudioInput],
    options: Mapping[str, Any],
) -> Iterator[list[dict[str, Any]] | Exception]:
    if front_end is None:
        yield from pipeline(iter(recordings), return_exceptions=True, **options)
        return

    def prepared(audio: AudioInput) -> tuple[Signal, list[Signal]] | Exception:
        try:
            return prepare(front_end, audio, pipeline.model.config.geometry)
        except UNREADABLE as exception:  # the others go on
            return exception

    for found in read_ahead(map(prepared, recordings), depth=1):
        yield found if isinstance(found, Exception) else diarize_prepared(pipeline, *found, **options)


def _spoken(segments: list[dict[str, Any]], turns: list[Turn]) -> list[dict[str, Any]]:
    by_speaker = emotions_by_speaker(segments, turns)
    spoken = [{**segment, "speaker": speaker} for speaker, own in by_speaker.items() for segment in own]
    return sorted(spoken, key=itemgetter("start"))


def device_of_process() -> str:
    """The device of this process among those that `accelerate launch` has started; alone, the best there is."""
    return str(_process().device)


def diarize_into_file(
    path: Path,
    pipeline: SpeechEmotionDiarizationPipeline,
    recordings: Recordings,
    report: Callable[[Exception], None],
    settings: Mapping[str, Any],
    **options: Any,
) -> int | None:
    """Diarizes this process's share of the recordings; when all processes are done, joins what they have written.

    Args:
        path: of the JSON file. Processes on several machines need one that all of them see.
        pipeline: with the model.
        recordings: all of them; those that a killed run has finished are left out.
        report: is told of recordings that cannot be diarized.
        settings: what else the results depend on: a killed run with others is not gone on with.
        options: of the pipeline.

    Returns:
        The number of results in the file, in the main process; None in the others.

    Raises:
        FileExistsError, ValueError: as `ResultsFile`.
    """
    process, results = _process(), ResultsFile(path, settings)
    done = results.done()
    missing = [position for position, name in enumerate(recordings.names) if name not in done]
    process.wait_for_everyone()  # all have seen what there is, and agree on what is missing
    share = missing[process.process_index :: process.num_processes]
    found = diarize_recordings(pipeline, recordings, share, report, **options)
    bar = tqdm(found, total=len(share), unit="recording", disable=not process.is_main_process)
    results.write((result for _, result in bar), process.process_index)
    process.wait_for_everyone()
    count = results.join(recordings.names) if process.is_main_process else None
    process.wait_for_everyone()  # launchers end all processes when one ends with an error
    return count


def _process() -> PartialState:
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    return PartialState(cpu, timeout=timedelta(days=30))  # one may have much more to do than the others, who wait
