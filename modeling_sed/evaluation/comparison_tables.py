"""The result of `compare_pairs` as a table: text, Markdown or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .rates import TITLES, is_share
from .report_text import NOTHING

LATEX_SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    NOTHING: "--",
}


def format_comparison(result: Mapping[str, Any], style: str) -> str:
    """Rates of systems side by side, each with its interval, and below it the difference from the first system.

    Args:
        result: of `compare_pairs`.
        style: a key of `STYLES`.
    """
    return STYLES[style](comparison_rows(result), _remarks(result))


def comparison_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Cells of the table; its first row are the headings."""
    first, *others = systems = list(result["systems"])
    rows = [[f"{100 * result['level']:g} % intervals", *systems]]
    for rate in result["systems"][first]:
        unit = " (%)" if is_share(rate) else ""
        cells = [_with_interval(one[rate]["value"], one[rate]["interval"], rate) for one in result["systems"].values()]
        rows.append([f"{TITLES[rate]}{unit}", *cells])
        if others:
            differences = (_difference(result["differences"][name][rate], rate) for name in others)
            rows.append([f"  less {first}", "", *differences])
    return rows


def _remarks(result: Mapping[str, Any]) -> list[str]:
    counted = f"{result['utterances']} utterances; bootstrap by {result['by']} ({result['clusters']} of them)."
    remarks = [counted, *(note["text"] for note in result["notes"]["all"])]
    for name in result["systems"]:
        remarks += [f"{name}: {note['text']}" for note in result["notes"][name]]
    return remarks


def _with_interval(value: float, interval: Sequence[float], rate: str) -> str:
    if math.isnan(value):
        return NOTHING
    return f"{_number(value, rate)}{'' if math.isnan(interval[0]) else ' ' + _range(interval, rate)}"


def _difference(one: Mapping[str, Any], rate: str) -> str:
    if math.isnan(one["difference"]):
        return NOTHING
    if math.isnan(one["interval"][0]):
        return _number(one["difference"], rate, "+")
    p_value = "p < 0.001" if one["p_value"] < 0.001 else f"p = {one['p_value']:.3f}"
    return f"{_number(one['difference'], rate, '+')} {_range(one['interval'], rate, '+')}, {p_value}"


def _range(interval: Sequence[float], rate: str, sign: str = "") -> str:
    return f"({' to '.join(_number(end, rate, sign) for end in interval)})"


def _number(value: float, rate: str, sign: str = "") -> str:
    return f"{100 * value:{sign}.2f}" if is_share(rate) else f"{value:{sign}.3f}"


def _as_text(rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *remarks])


def _as_markdown(rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    escaped = [[cell.strip().replace("|", "\\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    lines.insert(1, f"| --- {'| ---: ' * (len(rows[0]) - 1)}|")
    return "\n".join([*lines, "", *(f"- {remark}" for remark in remarks)])


def _as_latex(rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    def escaped(text: str) -> str:
        return "".join(LATEX_SPECIAL.get(character, character) for character in text)

    lines = [" & ".join(escaped(cell.strip()) for cell in row) + r" \\" for row in rows]
    begin = [f"\\begin{{tabular}}{{l{'r' * (len(rows[0]) - 1)}}}", r"\hline", lines[0], r"\hline"]
    return "\n".join([*(f"% {remark}" for remark in remarks), *begin, *lines[1:], r"\hline", r"\end{tabular}"])


STYLES = {"text": _as_text, "markdown": _as_markdown, "latex": _as_latex}
