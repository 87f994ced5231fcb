"""The JSON form of a pyannote Annotation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..frames_sed import InputError
from .annotation import Annotation, utterance_name
from .values import number, segment, shown


def pyannote_annotation(content: Mapping[str, Any], path: Path) -> Annotation:
    """``{"uri": name, "content": [{"segment": {"start", "end"}, "label"}]}``; without ``uri``, the file's name.

    Raises:
        InputError: for anything else in it, naming the track.
    """
    name, segments = content.get("uri"), []
    if name is not None and not isinstance(name, str):
        raise InputError(f"{path}: uri must be a name; got {shown(name)}.")
    for index, track in enumerate(content["content"], start=1):
        where = f"{path}, track {index}"
        times = track.get("segment") if isinstance(track, dict) else None
        if not isinstance(times, dict) or not {"start", "end"} <= times.keys() or "label" not in track:
            raise InputError(f"{where}: it needs a segment with start and end, and a label; got {shown(track)}.")
        start, end = (number(times[key], key, where) for key in ("start", "end"))
        segments.append(segment(start, end, track["label"], where))
    return Annotation(utterance_name(name or path.stem), segments)
