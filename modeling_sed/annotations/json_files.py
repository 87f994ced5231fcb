"""JSON and JSON lines: our own, ZED.json and SpeechBrain's; those of other tools have files of their own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..frames_sed import InputError, Segment
from .annotation import Annotation, utterance_name
from .label_studio_json import label_studio_annotations
from .pyannote_json import pyannote_annotation
from .text_files import Target, numbered_lines, opened, read_text
from .values import number, positive_duration, segment, shown

LABEL_KEYS = ("label", "emo", "emotion")  # ours, ZED.json's, and SpeechBrain's in what it predicts
LETTERS = {"n": "neutral", "h": "happy", "s": "sad", "a": "angry"}  # SpeechBrain's names of labels


def read_json(path: Path) -> Iterator[Annotation]:
    """The annotations of a JSON file, whichever of these it is:

    - a list of ``name``, ``duration`` and ``segments``, as `emotion-diarization diarize` writes it;
    - a mapping of names to ``duration`` and ``emotion``: ZED.json, and what SpeechBrain's recipe writes;
    - a mapping of names to lists of segments, as SpeechBrain's inference returns it;
    - a list of segments: the utterance has the file's name;
    - the export of Label Studio; a pyannote Annotation.

    Raises:
        InputError: for anything else, naming the utterance.
    """
    content, where = parse_json(read_text(path), str(path)), str(path)
    if isinstance(content, dict) and isinstance(content.get("content"), list):
        yield pyannote_annotation(content, path)
    elif isinstance(content, dict) and content:
        yield from _with_words([_named(name, entry, where) for name, entry in content.items()])
    elif _all_have(content, "segments"):
        yield from [_entry(entry, f"{where}, entry {index}") for index, entry in enumerate(content, start=1)]
    elif _all_have(content, "annotations"):
        yield from label_studio_annotations(content, path)
    elif _all_have(content, "start"):
        name = utterance_name(path.stem)
        yield from _with_words([Annotation(name, _segments(content, where))])
    else:
        raise InputError(f"{path} holds no annotations in a form that is known; it begins {shown(content)}.")


def read_jsonl(path: Path) -> Iterator[Annotation]:
    """Lines, each an object with ``name``, ``duration`` and ``segments``.

    Raises:
        InputError: for any other line, naming it, or a file without lines.
    """
    found = [_entry(parse_json(line, where), where) for where, line in numbered_lines(path)]
    if not found:
        raise InputError(f"{path} holds no annotations: it is empty.")
    yield from found


def _all_have(content: Any, key: str) -> bool:
    return (
        isinstance(content, list) and content != [] and all(isinstance(item, dict) and key in item for item in content)
    )


def parse_json(text: str, where: str) -> Any:
    """The content of JSON; NaN and Infinity are left for `number` to refuse, which knows whose they are.

    Raises:
        InputError: if it is not JSON, nested too deeply, or has a key twice in one object.
    """
    try:
        return json.loads(text, object_pairs_hook=_no_key_twice)
    except RecursionError as error:
        raise InputError(f"{where} is nested too deeply.") from error
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}.") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{shown(twice)} comes twice in one object")
    return found


def _named(name: str, entry: Any, where: str) -> Annotation:
    """An utterance of a mapping."""
    where = f"{where}, utterance {name!r}"
    if isinstance(entry, list):
        return Annotation(utterance_name(name), _segments(entry, where))
    if not isinstance(entry, dict) or "emotion" not in entry:
        raise InputError(f"{where}: it needs duration and emotion, or a list of segments; got {shown(entry)}.")
    return Annotation(utterance_name(name), _segments(entry["emotion"], where), _duration(entry, name, where))


def _entry(entry: Any, where: str) -> Annotation:
    """An utterance as we write it."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or "segments" not in entry:
        raise InputError(f"{where}: it needs name, duration and segments; got {shown(entry)}.")
    name, where = entry["name"], f"{where}, utterance {entry['name']!r}"
    reference = None if entry.get("reference") is None else _segments(entry["reference"], f"{where}, reference")
    return Annotation(
        utterance_name(name), _segments(entry["segments"], where), _duration(entry, name, where), reference
    )


def _duration(entry: dict[str, Any], name: str, where: str) -> float | None:
    if entry.get("duration") is None:
        return None
    return positive_duration(number(entry["duration"], "duration", where), name, where)


def _segments(items: Any, where: str) -> list[Segment]:
    if not isinstance(items, list):
        raise InputError(f"{where}: segments are a list; got {shown(items)}.")
    return [_segment(item, f"{where}, segment {index}") for index, item in enumerate(items, start=1)]


def _segment(item: Any, where: str) -> Segment:
    keys = [key for key in LABEL_KEYS if isinstance(item, dict) and key in item]
    if not keys or not {"start", "end"} <= item.keys():
        raise InputError(f"{where}: it needs start, end and label; got {shown(item)}.")
    start, end = (number(item[key], key, where) for key in ("start", "end"))
    score = None if item.get("score") is None else number(item["score"], "score", where)
    return segment(start, end, item[keys[0]], where, score, item.get("speaker"))


def _with_words(annotations: list[Annotation]) -> list[Annotation]:
    """Full words for SpeechBrain's letters, if all labels of a file are such letters."""
    segments = [item for annotation in annotations for item in annotation.segments]
    if {item["label"] for item in segments} <= LETTERS.keys():
        for item in segments:
            item["label"] = LETTERS[item["label"]]
    return annotations


def write_json(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes a list of ``name``, ``duration`` and ``segments`` (and ``reference``, where it is known), exactly.

    Raises:
        InputError: for numbers that are not finite, or a file that cannot be written.
    """
    with opened(target) as file:
        print(_dumped([_mapping(annotation) for annotation in annotations], indent=2), file=file)


def write_jsonl(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes the same as `write_json` as a line for each utterance.

    Raises:
        InputError: as `write_json`.
    """
    with opened(target) as file:
        for annotation in annotations:
            print(_dumped(_mapping(annotation)), file=file, flush=True)  # for those who read it as it comes


def _mapping(annotation: Annotation) -> dict[str, Any]:
    """What is not known is left out."""
    values = {key: getattr(annotation, key) for key in ("name", "duration", "segments", "reference")}
    return {key: value for key, value in values.items() if value is not None}


def _dumped(value: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError as error:
        raise InputError(f"JSON holds finite numbers only ({error}).") from error
