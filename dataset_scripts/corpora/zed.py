"""ZED, the Zaion Emotion Dataset: real emotional speech, annotated in time (section 4 of arXiv 2306.12991).

Layout: ``ZED.json`` and wav files beside or below it, in a folder or a ZIP archive. Each entry of the file has ``wav``
(``datafolder/…``, where ``datafolder`` stands for the folder), ``duration``, ``emotion`` (a list of ``emo``, ``start``
and ``end``) and ``transcription``.
"""

from __future__ import annotations

import json
import posixpath
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError
from .recording import EMOTIONS, AnnotatedUtterance

ANNOTATION_FILE = "ZED.json"


def read_zed(source: str | Path) -> Iterator[AnnotatedUtterance]:
    """Yields the utterances in the order of the annotation; at most one of them is in memory.

    Args:
        source: the folder, or the ZIP archive.

    Raises:
        InputError: if it is not ZED, an audio file is missing, or an annotation is not as the layout says.
    """
    source = Path(source)
    if source.is_dir():
        names = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
        yield from _read(source, names, lambda name: (source / name).read_bytes())
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            yield from _read(source, archive.namelist(), archive.read)
    else:
        raise InputError(f"{source} is neither the folder of ZED nor its ZIP archive.")


def _read(source: Path, names: list[str], read: Callable[[str], bytes]) -> Iterator[AnnotatedUtterance]:
    annotation = next((name for name in sorted(names, key=len) if posixpath.basename(name) == ANNOTATION_FILE), None)
    if annotation is None:
        raise InputError(f"{source} is not ZED: it holds no {ANNOTATION_FILE}.")
    try:
        entries = json.loads(read(annotation))
    except ValueError as error:
        raise InputError(f"{source}: {annotation} is not JSON ({error}).") from error
    root, known = posixpath.dirname(annotation), frozenset(names)
    for name, entry in entries.items():
        try:
            wav, segments = str(entry["wav"]), [_segment(event) for event in entry["emotion"]]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{source}: {annotation}: bad entry {name!r}: {error!r}.") from error
        # Only a name that the folder or archive lists is ever opened: a path that leads out of it is not one.
        path = posixpath.normpath(posixpath.join(root, wav.removeprefix("datafolder/")))
        if path not in known:
            raise InputError(f"{source}: the audio {wav} of {name!r} is missing.")
        yield AnnotatedUtterance(name, read(path), segments, name.split("_")[0], str(entry.get("transcription", "")))


def _segment(event: dict[str, Any]) -> dict[str, Any]:
    if event["emo"] not in EMOTIONS:
        raise ValueError(f"unknown emotion {event['emo']!r}")
    return {"start": float(event["start"]), "end": float(event["end"]), "label": event["emo"]}
