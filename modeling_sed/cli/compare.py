"""`emotion-diarization compare`: the predictions of several systems against the same truth, and their differences."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..evaluation.json_values import without_nan
from .scoring_options import (
    By,
    Collar,
    Confidence,
    Durations,
    Labels,
    Neutral,
    Reference,
    Renamed,
    Tier,
    Utterances,
    read_systems,
)


class TableStyle(str, Enum):
    """How the table is written."""

    TEXT, MARKDOWN, LATEX, JSON = "text", "markdown", "latex", "json"


def compare(
    reference: Reference,
    hypotheses: Annotated[
        list[Path],
        typer.Argument(help="The predictions of each system; the others are compared with the first."),
    ],
    durations: Durations = None,
    neutral: Neutral = None,
    label: Labels = None,
    renamed: Renamed = None,
    tier: Tier = None,
    collar: Collar = 0.0,
    confidence: Confidence = 0.95,
    by: By = "utterance",
    utterances: Utterances = None,
    style: Annotated[TableStyle, typer.Option("--format", help="What to print.")] = TableStyle.TEXT,
) -> None:
    """Compare systems with the first one: rates, differences, intervals and p-values by a paired bootstrap."""
    from ..evaluation.comparison import compare_pairs
    from ..evaluation.comparison_tables import format_comparison

    systems = read_systems(
        reference,
        hypotheses,
        durations=durations,
        neutral=neutral,
        label=label,
        renamed=renamed,
        tier=tier,
        by=by,
        utterances=utterances,
    )
    result = compare_pairs(
        systems.pairs,
        systems.neutral_labels,
        labels=systems.labels,
        collar=collar,
        level=confidence,
        clusters=systems.clusters,
        by=by,
    )
    if style is TableStyle.JSON:
        typer.echo(json.dumps(without_nan(result), indent=2))
    else:
        typer.echo(format_comparison(result, style.value))
