"""The scores of utterances that were answered: all that the table shows, for all of them and for each corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from modeling_sed.dataset_scripts.simulation import NEUTRAL
from modeling_sed.evaluation.clustered_bootstrap import LEVEL, draw_means, interval
from modeling_sed.evaluation.tuning import expected_calibration_error
from modeling_sed.metrics.boundary_quality.borders import boundary_quality
from modeling_sed.metrics.eder.error_durations import COMPONENTS
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.metrics.emotion_transition_accuracy.transitions import transition_accuracy

from .answers import ARGMAX, DECODERS, OWN, TRIVIAL, Answered

ALL = "all"


def by_corpus(utterances: Iterable[Answered]) -> dict[str, list[Answered]]:
    """All utterances, and those of each corpus where there are several."""
    whole = list(utterances)
    corpora = sorted({item.corpus for item in whole})
    parts = {corpus: [item for item in whole if item.corpus == corpus] for corpus in corpora}
    return {ALL: whole, **(parts if len(corpora) > 1 else {})}


def error_rates(utterances: Sequence[Answered], answer: str) -> np.ndarray:
    """EDER of each utterance under one of the answers, ``(utterances,)``."""
    return np.array(_eder(utterances, answer)["per_utterance"]["eder"])


def score(utterances: Sequence[Answered]) -> dict[str, Any]:
    """All scores: by the name of the answer, and ``utterances``, ``speakers``, ``minutes`` and ``calibration_error``.

    An answer has ``eder`` with its components. Those of the decoders have ``interval`` (of ``eder``), ``sequences``
    (the share that is right), ``boundaries`` and ``seconds`` (of each pair of reference and predicted label), too.
    """
    speakers = [item.speaker for item in utterances]
    result: dict[str, Any] = {
        "utterances": len(utterances),
        "speakers": len(set(speakers)),
        "minutes": sum(item.truth.annotation.duration for item in utterances) / 60,
        "calibration_error": expected_calibration_error([item.truth for item in utterances]),
    }
    for answer in (*DECODERS, *TRIVIAL):
        eder = _eder(utterances, answer)
        result[answer] = {name: eder[name] for name in ("eder", *COMPONENTS)}
        if answer in DECODERS:
            rates = np.array(eder["per_utterance"]["eder"])
            arguments = _arguments(utterances, answer)
            result[answer] |= {
                "interval": interval(draw_means(rates[:, None], speakers)[:, 0], clusters=result["speakers"]),
                "sequences": transition_accuracy(*arguments, neutral_label=NEUTRAL)["accuracy"],
                "boundaries": boundary_quality(*arguments, neutral_label=NEUTRAL),
                "seconds": eder["durations"],
            }
    return result


def _eder(utterances: Sequence[Answered], answer: str) -> dict[str, Any]:
    return score_segments(*_arguments(utterances, answer), neutral_label=NEUTRAL, per_utterance=True, per_label=True)


def _arguments(utterances: Sequence[Answered], answer: str) -> tuple[list, list, list[float]]:
    """Predictions, references and durations, as metrics take them."""
    truth = [item.truth.annotation for item in utterances]
    return (
        [item.answers[answer] for item in utterances],
        [one.segments for one in truth],
        [one.duration for one in truth],
    )


def format_scores(utterances: Sequence[Answered]) -> str:
    """The table, a column for all utterances and for each corpus, and the confusion of labels; rates in per cent."""
    columns = {name: score(part) for name, part in by_corpus(utterances).items()}
    lines = ["".join([f"{'':<26}", *(f"{name:>20}" for name in columns)])]

    def add(title: str, cells: Iterable[str]) -> None:
        lines.append("".join([f"{title:<26}", *(f"{cell:>20}" for cell in cells)]))

    for name in ("utterances", "speakers"):
        add(name, [str(one[name]) for one in columns.values()])
    add("minutes", [f"{one['minutes']:.1f}" for one in columns.values()])
    for decoder in DECODERS:
        answers = [one[decoder] for one in columns.values()]
        add(f"EDER, {decoder}", [_percent(one["eder"]) for one in answers])
        add(
            f"  {100 * LEVEL:g} % interval",
            [" to ".join(f"{100 * end:.2f}" for end in one["interval"]) for one in answers],
        )
        for name in COMPONENTS:
            add(f"  {name.replace('_', ' ')}", [_percent(one[name]) for one in answers])
        add("  sequences right", [_percent(one["sequences"]) for one in answers])
        for border in ("onset", "offset"):
            add(f"  {border} error, median", [f"{one['boundaries'][border]['median']:.3f} s" for one in answers])
        add("  event-based F1", [_percent(one["boundaries"]["f1"]) for one in answers])
    for answer in TRIVIAL:
        add(f"EDER, {answer}", [_percent(one[answer]["eder"]) for one in columns.values()])
    add("calibration error", [_percent(one["calibration_error"]) for one in columns.values()])
    for decoder in DECODERS:
        lines += ["", *format_confusion(columns[ALL][decoder]["seconds"], decoder)]
    return "\n".join(lines)


def format_confusion(seconds: dict[str, dict[str, float]], decoder: str) -> list[str]:
    """For each true label, the share of its time that each label is predicted."""
    lines = [f"{'true label, ' + decoder:<26}" + "".join(f"{label:>12}" for label in seconds)]
    for label, row in seconds.items():
        total = sum(row.values()) or 1.0
        lines.append(f"{label:<26}" + "".join(f"{100 * row[found] / total:>10.1f} %" for found in seconds))
    return lines


def format_comparison(first: Sequence[Answered], second: Sequence[Answered]) -> str:
    """EDER of two systems on the same utterances, with their ratio and their difference, second against first."""
    lines = [
        f"{'EDER':<36}{'first':>10}{'second':>10}{'ratio':>8}{'interval':>18}{'difference':>12}{'interval':>18}",
    ]
    for answer in (OWN, ARGMAX):
        for (name, before), after in zip(by_corpus(first).items(), by_corpus(second).values(), strict=True):
            rates = np.stack([error_rates(before, answer), error_rates(after, answer)], axis=1)
            speakers = [item.speaker for item in before]
            draws = draw_means(rates, speakers)
            means = rates.mean(axis=0)
            ratios, differences = (
                interval(values, clusters=len(set(speakers)))
                for values in (draws[:, 1] / draws[:, 0], draws[:, 1] - draws[:, 0])
            )
            lines.append(
                f"{f'{answer}, {name}':<36}{_percent(means[0]):>10}{_percent(means[1]):>10}{means[1] / means[0]:>8.3f}"
                f"{f'{ratios[0]:.3f} to {ratios[1]:.3f}':>18}{100 * (means[1] - means[0]):>+12.2f}"
                f"{f'{100 * differences[0]:+.2f} to {100 * differences[1]:+.2f}':>18}"
            )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
