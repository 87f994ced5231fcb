"""`emotion-diarization score`: predictions against the truth, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..evaluation.json_values import without_nan
from .pictures import Pictures
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

IN_A_PICTURE = 6  # utterances


def score(
    reference: Reference,
    hypothesis: Annotated[Path, typer.Argument(help="The predictions, in any of these formats.")],
    durations: Durations = None,
    neutral: Neutral = None,
    label: Labels = None,
    renamed: Renamed = None,
    tier: Tier = None,
    collar: Collar = 0.0,
    confidence: Confidence = 0.95,
    by: By = "utterance",
    utterances: Utterances = None,
    per_utterance: Annotated[bool, typer.Option("--per-utterance", help="Add the rates of each utterance.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw the errors of the worst utterances into this file (.png, .svg, .pdf), six in a picture."
        ),
    ] = None,
    worst: Annotated[int, typer.Option(help="How many utterances to draw.", min=1)] = 5,
) -> None:
    """Score predicted segments against the truth: EDER, other rates, borders and sequences of emotions.

    Labels are compared without regard to case and the spaces around them.
    """
    from ..evaluation.report import score_pairs, worst_utterances
    from ..evaluation.report_text import format_report

    pictures = Pictures(plot) if plot is not None else None
    systems = read_systems(
        reference,
        [hypothesis],
        durations=durations,
        neutral=neutral,
        label=label,
        renamed=renamed,
        tier=tier,
        by=by,
        utterances=utterances,
    )
    (pairs,), neutral_labels = systems.pairs.values(), systems.neutral_labels
    result = score_pairs(
        pairs,
        neutral_labels,
        labels=systems.labels,
        collar=collar,
        confidence_interval=confidence,
        clusters=systems.clusters,
        by=by,
    )
    if pictures is not None:
        _draw_errors(pictures, worst_utterances(pairs, result, worst, neutral_labels), neutral_labels[0])
    if as_json:
        rows = _utterance_rows(result)
        shown = {**result, "per_utterance": rows} if per_utterance else result
        typer.echo(json.dumps(without_nan(shown), indent=2))
    else:
        typer.echo(format_report(result, per_utterance))


def _draw_errors(pictures: Pictures, utterances: list[dict], neutral_label: str) -> None:
    from ..evaluation.plotting import plot_errors

    groups = [utterances[first : first + IN_A_PICTURE] for first in range(0, len(utterances), IN_A_PICTURE)]
    with pictures:
        for number, group in enumerate(groups, start=1):
            pictures.add(plot_errors(group, neutral_label), number, len(groups))


def _utterance_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Takes the columns of each utterance's rates out of a result and makes a row of each utterance."""
    columns = {"name": result.pop("names"), **result.pop("per_utterance")}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
