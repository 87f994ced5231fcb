"""Label Studio's export in the format JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from ..frames_sed import InputError, Segment
from .annotation import AUDIO_SUFFIXES, Annotation, utterance_name
from .values import number, positive_duration, segment, shown

UPLOADED = re.compile(r"[0-9a-f]{8}-(?P<name>[^/]+)")


def label_studio_annotations(tasks: Sequence[dict[str, Any]], path: Path) -> Iterator[Annotation]:
    """A list of tasks, each with the ``data`` that were annotated, and one of ``annotations``.

    Its regions with ``labels`` are the segments. The utterance has the name of the audio file, without what Label
    Studio puts before it when it is uploaded.

    Raises:
        InputError: for anything else in it, naming the task.
    """
    for index, task in enumerate(tasks, start=1):
        where = f"{path}, task {task.get('id', index)}"
        name = _audio_name(task.get("data"), where)
        results = _results(task["annotations"], where)
        segments = [item for result in results for item in _segments(result, where)]
        if results and not segments:
            raise InputError(f"{where}: none of its {len(results)} results has labels with start and end.")
        lengths = [result["original_length"] for result in results if result.get("original_length") is not None]
        duration = positive_duration(number(lengths[0], "original_length", where), name, where) if lengths else None
        yield Annotation(name, segments, duration)


def _audio_name(data: Any, where: str) -> str:
    """The name in ``audio``, or else in the only value that ends as audio files do."""
    values = [value for value in data.values() if isinstance(value, str)] if isinstance(data, dict) else []
    files = {value: unquote(value.rpartition("?d=")[2].partition("?")[0]) for value in values}
    files = {value: name for value, name in files.items() if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES}
    chosen = [files[data["audio"]]] if values and data.get("audio") in files else list(files.values())
    if len(chosen) != 1:
        raise InputError(f"{where}: its data must name one audio file; got {shown(data)}.")
    folder, _, file = chosen[0].rpartition("/")
    uploaded = UPLOADED.fullmatch(file) if "/upload/" in f"{folder}/" else None
    return utterance_name(uploaded["name"] if uploaded else chosen[0])


def _results(annotations: Any, where: str) -> list[dict[str, Any]]:
    found = [
        annotation.get("result")
        for annotation in (annotations if isinstance(annotations, list) else [])
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
    ]
    if len(found) != 1:
        raise InputError(f"{where}: a task needs one annotation that is not cancelled; it has {len(found)}.")
    if not isinstance(found[0], list) or not all(isinstance(result, dict) for result in found[0]):
        raise InputError(f"{where}: the result of an annotation is a list of regions; got {shown(found[0])}.")
    return found[0]


def _segments(result: dict[str, Any], where: str) -> list[Segment]:
    """None for what is no labelled stretch of time, such as transcriptions."""
    value = result.get("value")
    if not isinstance(value, dict) or not {"start", "end", "labels"} <= value.keys():
        return []
    if not isinstance(value["labels"], list):
        raise InputError(f"{where}: labels are a list; got {shown(value['labels'])}.")
    start, end = (number(value[key], key, where) for key in ("start", "end"))
    return [segment(start, end, label, where) for label in value["labels"]]
