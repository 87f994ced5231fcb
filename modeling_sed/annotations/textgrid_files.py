"""TextGrid, Praat's files (needs the extra `evaluation`: praatio)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..frames_sed import import_library
from .annotation import Annotation


def read_textgrid(path: Path) -> Iterator[Annotation]:
    """The only interval tier, or the one called ``emotion``; intervals without text are neutral."""
    textgrid = import_library("praatio.textgrid", f"{path}: reading TextGrid files", "praatio")
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except textgrid.utils.errors.PraatioException as error:
        raise ValueError(str(error)) from error
    tiers = [tier for tier in grid.tiers if isinstance(tier, textgrid.IntervalTier)]
    named = [tier for tier in tiers if tier.name.lower() == "emotion"] or tiers
    if len(named) != 1:
        raise ValueError(f"it needs one interval tier, or one called 'emotion'; it has {[t.name for t in tiers]}")
    yield Annotation(
        path.stem,
        [{"start": float(start), "end": float(end), "label": label} for start, end, label in named[0].entries],
        float(grid.maxTimestamp),
    )
