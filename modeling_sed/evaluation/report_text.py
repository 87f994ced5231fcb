"""The report of `score_pairs` as text for the terminal: headings in words, shares in per cent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..metrics.eder.error_durations import COMPONENTS
from ..metrics.emotion_transition_accuracy.transitions import format_table as format_transitions
from .rates import EVENT_F1, OVERLAP_F1, TITLES, is_share

NOTHING = "–"  # a rate of nothing


def format_report(result: Mapping[str, Any], per_utterance: bool = False) -> str:
    """The scores as tables for the terminal.

    Args:
        result: of `score_pairs`.
        per_utterance: whether to add the EDER of each utterance.
    """
    parts = [
        [f"{result['utterances']} utterances, {60 * result['hours']:.1f} minutes"],
        _notes(result["notes"]),
        _eder(result),
        _by_emotion(result),
        _other_rates(result),
        _labels(result),
        _borders(result["boundaries"]),
        format_transitions(result["transitions"]).splitlines(),
        _calibration(result.get("calibration")),
        _utterances(result) if per_utterance else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _notes(notes: Sequence[Mapping[str, Any]]) -> list[str]:
    return ["notes", *(f"- {note['text']}" for note in notes)] if notes else []


def _eder(result: Mapping[str, Any]) -> list[str]:
    names = ("", "_by_duration")
    lines = [
        _row(["share of time", "mean over utterances", "by duration"], 18, 24),
        *(
            _row([_title(name), *(percent(result[name + suffix]) for suffix in names)], 18, 24)
            for name in ("eder", *COMPONENTS)
        ),
    ]
    if interval := result.get("confidence_interval"):
        ranges = [_range(interval["eder" + suffix], "eder") for suffix in names]
        lines.insert(2, _row([f"  {_interval_title(interval)}", *ranges], 18, 24))
        lines.append(f"Intervals: bootstrap by {interval['by']} ({interval['clusters']} of them).")
    return lines


def _by_emotion(result: Mapping[str, Any]) -> list[str]:
    lines = [_row(["utterances with", "number", *map(_title, ("eder", *COMPONENTS))], 18, 16)]
    for label, scores in result["per_label"].items():
        shares = [percent(scores[name]) for name in ("eder", *COMPONENTS)]
        lines.append(_row([label, str(scores["utterances"]), *shares], 18, 16))
    return lines


def _other_rates(result: Mapping[str, Any]) -> list[str]:
    values = {name: result["frames"][name.removeprefix("frame_")] for name in ("frame_accuracy", "macro_f1")}
    values["unweighted_average_recall"] = result["frames"]["unweighted_average_recall"]
    values |= {OVERLAP_F1.format(one["overlap"]): one["f1"] for one in result["segment_f1"]}
    values |= {EVENT_F1.format(one["collar"]): one["f1"] for one in result["event_f1"]}
    values["segment_error_rate"] = result["segment_error_rate"]["error_rate"]
    values["transition_accuracy"] = result["transitions"]["accuracy"]
    if "calibration" in result:
        values["calibration_error"] = result["calibration"]["expected_calibration_error"]
    interval = result.get("confidence_interval")
    lines = [_row(["other rates", "value", *([_interval_title(interval)] if interval else [])], 30, 20)]
    for name, value in values.items():
        cells = [TITLES[name], format_rate(name, value), *([_range(interval[name], name)] if interval else [])]
        lines.append(_row(cells, 30, 20))
    return lines


def _labels(result: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'':<14}{'right, of predicted and true time':^36}{'number of events':^36}{'seconds':^36}".rstrip(),
        _row(["label", "precision", "recall", "F1", *2 * ["true", "predicted", "bias"]], 14, 12),
    ]
    for label, shares in result["frames"]["per_label"].items():
        cells = [label, *(percent(shares[name]) for name in ("precision", "recall", "f1"))]
        if one := result["emotions"].get(label):
            cells += [str(one["reference_events"]), str(one["predicted_events"]), f"{one['count_bias']:+}"]
            cells += [f"{one['reference_seconds']:.1f}", f"{one['predicted_seconds']:.1f}"]
            cells.append(f"{one['duration_bias']:+.1f}")
        lines.append(_row(cells, 14, 12))
    return lines


def _borders(boundaries: Mapping[str, Any]) -> list[str]:
    limits = [key for key in boundaries["onset"] if key.startswith("within_")]
    headings = [f"within {limit.removeprefix('within_')} s" for limit in limits]
    lines = [_row(["borders", "number", "median error", "90 % below", *headings], 10, 14)]
    for border in ("onset", "offset"):
        row = boundaries[border]
        seconds = [f"{row[name]:.3f} s" if row["count"] else NOTHING for name in ("median", "percentile_90")]
        lines.append(_row([border, str(row["count"]), *seconds, *(percent(row[limit]) for limit in limits)], 10, 14))
    return lines


def _calibration(calibration: Mapping[str, Any] | None) -> list[str]:
    if calibration is None:
        return []
    lines = [_row(["probability", "frames", "mean probability", "right"], 14, 18)]
    for one in calibration["curve"]:
        if one["frames"]:
            cells = [f"{one['low']:.2f} to {one['high']:.2f}", str(one["frames"])]
            lines.append(_row([*cells, percent(one["confidence"]), percent(one["accuracy"])], 14, 18))
    return lines


def _utterances(result: Mapping[str, Any]) -> list[str]:
    columns, of_each = ("eder", *COMPONENTS), result["per_utterance"]
    width = max(len("utterance"), *map(len, result["names"]))
    lines = [f"{'utterance':<{width}}{'seconds':>10}" + "".join(f"{_title(name):>16}" for name in columns)]
    for index, name in enumerate(result["names"]):
        cells = "".join(f"{percent(of_each[column][index]):>16}" for column in columns)
        lines.append(f"{name:<{width}}{of_each['seconds'][index]:>10.2f}{cells}")
    return lines


def format_rate(name: str, value: float) -> str:
    """A rate by its name in `TITLES`: in per cent if it is a share."""
    return percent(value) if is_share(name) else (NOTHING if math.isnan(value) else f"{value:.3f}")


def percent(share: float) -> str:
    """With two decimals."""
    return NOTHING if math.isnan(share) else f"{100 * share:.2f} %"


def _range(interval: Sequence[float], name: str) -> str:
    low, high = interval
    if math.isnan(low):
        return NOTHING
    return f"{100 * low:.2f} to {100 * high:.2f} %" if is_share(name) else f"{low:.3f} to {high:.3f}"


def _interval_title(interval: Mapping[str, Any]) -> str:
    return f"{100 * interval['level']:g} % interval"


def _title(name: str) -> str:
    return "EDER" if name == "eder" else name.replace("_", " ")


def _row(cells: Iterable[str], first: int, others: int) -> str:
    title, *values = cells
    return f"{title:<{first}}" + "".join(f"{value:>{others}}" for value in values)
