"""What the tests of all formats share: annotations to write, and how to read back what was written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import strategies as st

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import FORMATS, read_annotations
from modeling_sed.frames_sed import InputError

TEN_HOURS = 36_000.0
# letters of all scripts, also beyond the first plane, and what the formats themselves use
LABELS = st.text(
    st.sampled_from("aZß猫🙂é'\"<>&;,=!#%\\-_.|") | st.characters(categories=["L"]), min_size=1, max_size=8
)
SPOKEN = Annotation(
    "call",
    [
        {"start": 0.0, "end": 1.5, "label": "neutral"},
        {"start": 1.5, "end": 4.25, "label": "freudig 😀 猫"},
        {"start": 6.0, "end": 7.125, "label": "sad"},
    ],
    8.0,
)


@st.composite
def timelines(draw: st.DrawFn, labels: st.SearchStrategy[str] = LABELS, with_scores: bool = True) -> Annotation:
    """Segments in order, with gaps and without overlaps, of whole milliseconds, within ten hours; perhaps none."""
    milliseconds = draw(st.lists(st.integers(0, int(1000 * TEN_HOURS)), unique=True, max_size=12).map(sorted))
    segments = []
    for start, end in zip(milliseconds[::2], milliseconds[1::2], strict=False):
        segments.append({"start": start / 1000, "end": end / 1000, "label": draw(labels)})
        if with_scores and draw(st.booleans()):
            segments[-1]["score"] = draw(st.integers(0, 100)) / 100
    return Annotation("call", segments, TEN_HOURS)


def written(kind: str, annotations: Iterable[Annotation], folder: Path, name: str = "call") -> Path:
    path = folder / (name + FORMATS[kind].suffixes[0])
    FORMATS[kind].write(annotations, path)
    return path


def read_back(kind: str, annotation: Annotation, folder: Path) -> Annotation:
    (found,) = read_annotations(written(kind, [annotation], folder)).values()
    return found


def without(annotation: Annotation, *fields: str) -> list[dict]:
    return [{key: value for key, value in item.items() if key not in fields} for item in annotation.segments]


def assert_same_times(found: Sequence[tuple], segments: Sequence[dict], precision: float) -> None:
    """Found are start, end and label, as another reader has them."""
    assert [item[2] for item in found] == [item["label"] for item in segments]
    for item, expected in zip(found, segments, strict=True):
        assert math.isclose(item[0], expected["start"], abs_tol=precision)
        assert math.isclose(item[1], expected["end"], abs_tol=precision)


def refused(path: Path, content: str | bytes, *parts: str) -> None:
    """The file is refused by an error that names it and says these things."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    for part in (str(path), *parts):
        assert part in str(caught.value)
