"""Scores pairs of references and predictions: what `emotion-diarization score` and the reports of training print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..frames_sed import InputError, import_library
from ..metrics.eder.error_durations import COMPONENTS
from ..metrics.eder.scoring import find_error_segments, score_segments
from ..metrics.eder.segment_table import SegmentError
from ..metrics.emotion_transition_accuracy.transitions import format_table as format_transitions
from ..metrics.emotion_transition_accuracy.transitions import transition_accuracy
from .pairing import Pairs


def score_pairs(
    pairs: Pairs, neutral_labels: Sequence[str], boundaries: bool = False, **options: Any
) -> dict[str, Any]:
    """EDER and, as ``transitions``, Table 3 of the paper; with ``names`` of the utterances.

    Args:
        pairs: what to score.
        neutral_labels: labels that mean no emotion.
        boundaries: adds ``boundaries``: errors of onsets and offsets, and event-based F1.
        options: of EDER (see metrics/eder).

    Raises:
        InputError: for bad segments or options, naming the utterance, or if mir_eval is missing for ``boundaries``.
    """
    arguments = (pairs.predictions, pairs.references, pairs.durations)
    try:
        rates = score_segments(
            *arguments, names=pairs.names, neutral_label=neutral_labels, per_utterance=True, per_label=True, **options
        )
    except SegmentError as error:
        raise InputError(str(error)) from error
    result = {
        **rates,
        "transitions": transition_accuracy(*arguments, neutral_label=neutral_labels),
        "names": pairs.names,
    }
    if boundaries:
        import_library("mir_eval", "Scoring boundaries", "mir_eval")
        from ..metrics.boundary_quality.event_matching import boundary_quality

        result["boundaries"] = boundary_quality(*arguments, neutral_label=neutral_labels)
    return result


def format_report(result: Mapping[str, Any], per_utterance: bool = False) -> str:
    """The scores as a table for the terminal, rates in per cent."""
    lines = [f"{result['utterances']} utterances, {60 * result['hours']:.1f} minutes", ""]
    lines.append(f"{'':<18}{'mean over utterances':>24}{'by duration':>24}")
    lines.append(_rates_row(result, "eder"))
    if interval := result.get("confidence_interval"):
        ranges = (interval["eder"], interval["eder_by_duration"])
        lines.append(
            _row(
                f"  {100 * interval['level']:g} % interval",
                *(f"{100 * low:.2f} to {100 * high:.2f} %" for low, high in ranges),
            )
        )
    lines += [_rates_row(result, name) for name in COMPONENTS]
    lines += ["", _row("utterances with", "number", "EDER")]
    for label, scores in result["per_label"].items():
        lines.append(_row(label, str(scores["utterances"]), f"{100 * scores['eder']:.2f} %"))
    lines += ["", format_transitions(result["transitions"])]
    if boundaries := result.get("boundaries"):
        lines += ["", *_boundary_lines(boundaries)]
    if per_utterance:
        rates = result["per_utterance"]
        width = max(len("utterance"), *map(len, result["names"]))
        columns = ("eder", *COMPONENTS)
        lines += ["", f"{'utterance':<{width}}{'seconds':>10}" + "".join(f"{_title(name):>16}" for name in columns)]
        for index, name in enumerate(result["names"]):
            cells = "".join(f"{100 * rates[column][index]:>14.2f} %" for column in columns)
            lines.append(f"{name:<{width}}{rates['seconds'][index]:>10.2f}{cells}")
    return "\n".join(lines)


def _boundary_lines(boundaries: Mapping[str, Any]) -> list[str]:
    counts = (f"{name} {100 * boundaries[name]:.1f} %" for name in ("precision", "recall"))
    limits = [key for key in boundaries["onset"] if key.startswith("within_")]
    lines = [
        f"event-based F1 {100 * boundaries['f1']:.1f} % ({', '.join(counts)})",
        f"{'borders':<10}{'number':>8}{'median':>10}{'90 %':>10}"
        + "".join(f"{limit.replace('within_', '< ') + ' s':>10}" for limit in limits),
    ]
    for border in ("onset", "offset"):
        row = boundaries[border]
        shares = "".join(f"{100 * row[limit]:>8.1f} %" for limit in limits)
        lines.append(f"{border:<10}{row['count']:>8}{row['median']:>8.3f} s{row['percentile_90']:>8.3f} s{shares}")
    return lines


def _title(name: str) -> str:
    return "EDER" if name == "eder" else name.replace("_", " ")


def _rates_row(result: Mapping[str, Any], name: str) -> str:
    return _row(_title(name), *(f"{100 * result[name + suffix]:.2f} %" for suffix in ("", "_by_duration")))


def _row(title: str, first: str, second: str) -> str:
    return f"{title:<18}{first:>24}{second:>24}"


def worst_utterances(pairs: Pairs, result: Mapping[str, Any], count: int, neutral_labels: Sequence[str]) -> list[dict]:
    """The utterances with the highest EDER, worst first, with their errors: what `plot_errors` draws.

    Returns:
        ``name``, ``duration``, ``eder``, ``reference``, ``prediction`` and ``errors`` (segments labelled by the kind
        of error) each.
    """
    rates = result["per_utterance"]["eder"]
    worst = sorted(range(len(rates)), key=lambda index: -rates[index])[:count]
    return [
        {
            "name": pairs.names[index],
            "duration": pairs.durations[index],
            "eder": rates[index],
            "reference": pairs.references[index],
            "prediction": pairs.predictions[index],
            "errors": find_error_segments(
                pairs.predictions[index], pairs.references[index], pairs.durations[index], neutral_labels
            ),
        }
        for index in worst
    ]
