"""Pairs annotations with predictions by name and scores them: what the command `emotion-diarization score` prints.

The only module of the package, besides the command line, that joins the metrics with the files of people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .annotation_files import Annotation
from .metrics.eder.error_durations import COMPONENTS
from .metrics.eder.scoring import find_error_segments, score_segments
from .metrics.emotion_transition_accuracy.transitions import format_table, transition_accuracy

DISAGREEMENT = 0.1  # seconds by which two durations of an utterance may differ


@dataclass(frozen=True)
class Pairs:
    """References and predictions of the same utterances, in the same order.

    Attributes:
        names: of the utterances.
        references: segments of each.
        predictions: segments of each.
        durations: seconds of each.
    """

    names: list[str]
    references: list[list[dict[str, Any]]]
    predictions: list[list[dict[str, Any]]]
    durations: list[float]


def pair_annotations(
    references: Mapping[str, Annotation],
    predictions: Mapping[str, Annotation],
    durations: Mapping[str, float] | None = None,
) -> Pairs:
    """Finds each utterance's reference, prediction and duration.

    Args:
        references: by name.
        predictions: by name.
        durations: seconds by name. If given, they name the utterances: one that a side does not mention has no emotion
            there, as formats like RTTM cannot say otherwise. If not, both sides must name the same utterances, and one
            of them must tell the durations.

    Raises:
        ValueError: that lists the utterances missing on one side, or of unknown or contradictory duration.
    """
    if durations is None:
        _refuse("in the predictions but not in the references", [n for n in predictions if n not in references])
        _refuse("in the references but not in the predictions", [n for n in references if n not in predictions])
        durations = {}
        for name, reference in references.items():
            known = [side.duration for side in (reference, predictions[name]) if side.duration is not None]
            durations[name] = known[0] if known else math.nan
        _refuse(
            "without a duration in either file; give them by --durations",
            [n for n in durations if math.isnan(durations[n])],
        )
    else:
        sides = [*references, *(name for name in predictions if name not in references)]
        _refuse("that the durations do not name", [name for name in sides if name not in durations])
    contradictory = [
        f"{name} ({side[name].duration} and {seconds} s)"
        for name, seconds in durations.items()
        for side in (references, predictions)
        if name in side and abs((side[name].duration or seconds) - seconds) > DISAGREEMENT
    ]
    _refuse("whose durations contradict each other", contradictory)
    names = list(durations)
    return Pairs(
        names,
        *([side[name].segments if name in side else [] for name in names] for side in (references, predictions)),
        [float(durations[name]) for name in names],
    )


def _refuse(what: str, names: Sequence[str]) -> None:
    if names:
        raise ValueError(f"Utterances {what}: {', '.join(names)}.")


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
        ValueError: for bad segments, naming the utterance.
        ImportError: if boundaries are asked for without mir_eval.
    """
    arguments = (pairs.predictions, pairs.references, pairs.durations)
    if boundaries:
        try:
            from .metrics.boundary_quality.event_matching import boundary_quality
        except ImportError as error:
            raise ImportError(
                "boundaries need mir_eval: pip install 'speech-emotion-diarization[evaluation]'"
            ) from error
    result = {
        **score_segments(
            *arguments, names=pairs.names, neutral_label=neutral_labels, per_utterance=True, per_label=True, **options
        ),
        "transitions": transition_accuracy(*arguments, neutral_label=neutral_labels),
        "names": pairs.names,
    }
    if boundaries:
        result["boundaries"] = boundary_quality(*arguments, neutral_label=neutral_labels)
    return result


def format_report(result: Mapping[str, Any], per_utterance: bool = False) -> str:
    """The scores as a table for the terminal, rates in per cent."""
    lines = [f"{result['utterances']} utterances, {60 * result['hours']:.1f} minutes", ""]
    lines.append(f"{'':<18}{'mean over utterances':>24}{'by duration':>24}")
    lines.append(_rates_row(result, "eder"))
    if interval := result.get("confidence_interval"):
        ranges = (interval["eder"], interval["eder_by_duration"])
        cells = (f"{100 * low:.2f} to {100 * high:.2f} %" for low, high in ranges)
        lines.append(_row(f"  {100 * interval['level']:g} % interval", *cells))
    lines += [_rates_row(result, name) for name in COMPONENTS]
    lines += ["", _row("utterances with", "number", "EDER")]
    for label, scores in result["per_label"].items():
        lines.append(_row(label, str(scores["utterances"]), f"{100 * scores['eder']:.2f} %"))
    lines += ["", format_table(result["transitions"])]
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
