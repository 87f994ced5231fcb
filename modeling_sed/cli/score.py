"""`emotion-diarization score`: predictions against the truth, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def score(
    reference: Annotated[
        Path,
        typer.Argument(
            help="The truth: JSON (ours, ZED.json, SpeechBrain's, pyannote's, Label Studio's), JSONL, CSV, TSV, RTTM, "
            "TextGrid, Audacity labels (.txt), EAF, SRT, WebVTT, or a folder."
        ),
    ],
    hypothesis: Annotated[Path, typer.Argument(help="The predictions, in any of these formats.")],
    durations: Annotated[
        Path | None, typer.Option(help="CSV (name,duration) or UEM file; overrules the durations in the annotations.")
    ] = None,
    neutral: Annotated[
        list[str] | None, typer.Option(help="Label that means no emotion. Default: neutral; repeatable.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label that may occur. Default: any; repeatable.")] = None,
    renamed: Annotated[
        list[str] | None, typer.Option("--map", help="What a label is called here: n=neutral; repeatable.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="Tier to read of TextGrid and EAF files that have several. Default: emotion.")
    ] = None,
    collar: Annotated[float, typer.Option(help="Seconds around reference borders that are not scored.")] = 0.0,
    confidence: Annotated[float, typer.Option(help="Level of the bootstrap interval.")] = 0.95,
    per_utterance: Annotated[bool, typer.Option("--per-utterance", help="Add the rates of each utterance.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the errors of the worst utterances into this file (.png, .svg, .pdf).")
    ] = None,
    worst: Annotated[int, typer.Option(help="How many utterances to draw.", min=1)] = 5,
) -> None:
    """Score predicted segments against the truth: EDER, other rates, borders and sequences of emotions.

    Labels are compared without regard to case and the spaces around them.
    """
    from ..annotations.files import read_annotations, read_durations
    from ..annotations.labels import folded, label_mapping, warn_of_one_sided_labels, with_folded_labels
    from ..evaluation.pairing import pair_annotations
    from ..evaluation.report import score_pairs, worst_utterances
    from ..evaluation.report_text import format_report
    from .json_output import without_nan
    from .pictures import plotting_library, save_picture

    draw = plotting_library().plot_errors if plot is not None else None
    mapping = label_mapping(renamed or [])
    neutral_labels = [folded(name, mapping) for name in neutral or ["neutral"]]
    labels = [folded(name, mapping) for name in label] if label else None
    truth, found = (with_folded_labels(read_annotations(path, tier), mapping) for path in (reference, hypothesis))
    warn_of_one_sided_labels(truth, found, neutral_labels)
    pairs = pair_annotations(truth, found, durations and read_durations(durations))
    result = score_pairs(pairs, neutral_labels, labels=labels, collar=collar, confidence_interval=confidence)
    if draw is not None and plot is not None:
        save_picture(draw(worst_utterances(pairs, result, worst, neutral_labels)), plot)
    if as_json:
        rows = _utterance_rows(result)
        shown = {**result, "per_utterance": rows} if per_utterance else result
        typer.echo(json.dumps(without_nan(shown), indent=2))
    else:
        typer.echo(format_report(result, per_utterance))


def _utterance_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Takes the columns of each utterance's rates out of a result and makes a row of each utterance."""
    columns = {"name": result.pop("names"), **result.pop("per_utterance")}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
