"""ZED, the Zaion Emotion Dataset: real emotional speech, annotated in time (section 4 of arXiv 2306.12991).

Layout: ``ZED.json`` and wav files beside or below it, in a folder or a ZIP archive. Each entry of the file has ``wav``
(``datafolder/…``, where ``datafolder`` stands for the folder), ``duration``, ``emotion`` (a list of ``emo``, ``start``
and ``end``) and ``transcription``.
"""

from __future__ import annotations

import json
import math
import posixpath
import reprlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from .contents import open_contents
from .recording import EMOTIONS, AnnotatedUtterance

ANNOTATION_FILE = "ZED.json"
# Bytes, unpacked. Larger files are not read: the real annotation has 40 kB, and 1 GiB is hours of speech.
LARGEST_ANNOTATION, LARGEST_AUDIO = 1 << 26, 1 << 30


def read_zed(source: str | Path) -> Iterator[AnnotatedUtterance]:
    """The utterances in the order of the annotation, which is checked at once; at most one of them is in memory.

    Args:
        source: the folder, or the ZIP archive.

    Raises:
        InputError: if it is not ZED, an audio file is missing, or an annotation is not as the layout says; and, when
            its turn has come, if an audio file cannot be read.
    """
    contents = open_contents(Path(source))
    annotations = [name for name in sorted(contents.names) if posixpath.basename(name) == ANNOTATION_FILE]
    if not annotations:
        raise InputError(f"{source} is not ZED: it holds no {ANNOTATION_FILE}.")
    annotation = min(annotations, key=len)
    where = f"{source}: {annotation}"
    utterances = []
    for name, entry in _entries(contents.read(annotation, LARGEST_ANNOTATION), where).items():
        try:
            utterance, wav = _utterance(name, entry), _field(entry, "wav", str)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{where}: bad entry {reprlib.repr(name)}: {error}.") from error
        origin = f"{where}: {name}"
        path = posixpath.normpath(posixpath.join(posixpath.dirname(annotation), wav.removeprefix("datafolder/")))
        contents.check(path, origin)
        utterances.append((replace(utterance, origin=origin), path))
    return (replace(one, audio=contents.read(path, LARGEST_AUDIO)) for one, path in utterances)


def _entries(content: bytes, where: str) -> dict[str, Any]:
    try:
        entries = json.loads(content, object_pairs_hook=_unique)
    except RecursionError as error:
        raise InputError(f"{where} is not an annotation: it has lists in lists without end.") from error
    except ValueError as error:
        raise InputError(f"{where} is not JSON ({error}).") from error
    if not isinstance(entries, dict) or not entries:
        raise InputError(f"{where} must be a JSON object with an entry for each utterance.")
    return entries


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON would keep the last of equal names, and lose the others without a word."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{reprlib.repr(twice)} is there twice")
    return entries


def _utterance(name: str, entry: Any) -> AnnotatedUtterance:
    """An entry's utterance, without its audio; raises a ValueError or OverflowError that says what is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError(f"it must be an object; got {reprlib.repr(entry)}")
    if "duration" in entry and _seconds(entry, "duration") <= 0:
        raise ValueError(f"its duration must be positive; got {entry['duration']}")
    segments = [_segment(event) for event in _field(entry, "emotion", list)]
    transcription = str(entry.get("transcription") or "")
    f"{name}{transcription}".encode()  # half a pair of surrogates, which JSON can write, is no text
    return AnnotatedUtterance(name, "", b"", segments, name.split("_")[0], transcription)


def _segment(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise ValueError(f"an event must be an object; got {reprlib.repr(event)}")
    label, start, end = _field(event, "emo", str), _seconds(event, "start"), _seconds(event, "end")
    if label not in EMOTIONS:
        raise ValueError(f"unknown emotion {reprlib.repr(label)}; there are {', '.join(EMOTIONS)}")
    if not 0 <= start < end:
        raise ValueError(f"the {label} event from {start} to {end} s needs 0 <= start < end")
    return {"start": start, "end": end, "label": label}


def _seconds(holder: dict[str, Any], key: str) -> float:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"its {key} must be a finite number of seconds; got {reprlib.repr(value)}")
    return float(value)


def _field(holder: dict[str, Any], key: str, kind: type) -> Any:
    value = holder.get(key)
    if not isinstance(value, kind):
        raise ValueError(f"its {key} must be a {kind.__name__}; got {reprlib.repr(value)}")
    return value
