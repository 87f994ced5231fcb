"""When two labels are the same, and what a label is called by other tools."""

from __future__ import annotations

import unicodedata
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ..frames_sed import InputError, InputWarning
from .annotation import Annotation

NO_CHANGE: Mapping[str, str] = {}


def folded(label: str, mapping: Mapping[str, str] = NO_CHANGE) -> str:
    """The form in which labels are compared: without spaces around them, without regard to case, and renamed.

    Args:
        label: as it is written.
        mapping: from `label_mapping`.
    """
    label = unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).strip().casefold())
    return mapping.get(label, label)


def label_mapping(assignments: Iterable[str]) -> dict[str, str]:
    """Reads ``["n=neutral", ...]``, as ``--map`` gives it.

    Raises:
        InputError: for something else, or a label that is to become two others.
    """
    mapping: dict[str, str] = {}
    for assignment in assignments:
        label, equals, new = (folded(part) for part in assignment.partition("="))
        if not (label and equals and new):
            raise InputError(f"{assignment!r} must say which label becomes which: n=neutral.")
        if mapping.setdefault(label, new) != new:
            raise InputError(f"The label {label!r} cannot become both {mapping[label]!r} and {new!r}.")
    return mapping


def with_folded_labels(
    annotations: Mapping[str, Annotation], mapping: Mapping[str, str] = NO_CHANGE
) -> dict[str, Annotation]:
    """The same annotations with their labels in the form of `folded`."""
    return {
        name: replace(
            annotation,
            segments=[{**segment, "label": folded(segment["label"], mapping)} for segment in annotation.segments],
        )
        for name, annotation in annotations.items()
    }


def warn_of_one_sided_labels(
    references: Mapping[str, Annotation], predictions: Mapping[str, Annotation], neutral_labels: Collection[str]
) -> None:
    """Warns of labels, with the number of their segments, that occur on one side only: they may be misspelt.

    Neutral labels may be left out anywhere and are not counted.
    """
    sides = {"references": references, "predictions": predictions}
    counts = {
        side: Counter(segment["label"] for annotation in annotations.values() for segment in annotation.segments)
        for side, annotations in sides.items()
    }
    one_sided = counts["references"].keys() ^ counts["predictions"].keys()
    found = [
        f"only in the {side}: "
        + ", ".join(f"{label} ({of_side[label]})" for label in sorted(one_sided & of_side.keys() - set(neutral_labels)))
        for side, of_side in counts.items()
        if one_sided & of_side.keys() - set(neutral_labels)
    ]
    if found:
        warnings.warn(f"Labels (number of segments) {'; '.join(found)}.", InputWarning, stacklevel=2)
