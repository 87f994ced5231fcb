"""The report of one training run or of several seeds: tables as the paper prints them, in Markdown, with pictures."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

from ..evaluation.pairing import Pairs
from ..evaluation.report import score_pairs, worst_utterances
from ..metrics.eder.error_durations import COMPONENTS

REPORT_FILE = "report.md"
RESULTS_FILE = "results.json"
NEUTRAL = "neutral"
WORST_SHOWN = 6
# Table 2 of arXiv 2306.12991: mean and deviation over five seeds, in per cent
PAPER = {"wav2vec 2.0-large": (36.2, 1.14), "HuBERT-large": (34.5, 0.81), "WavLM-large": (30.2, 1.60)}

Results = Mapping[str, Any]


class Moments(TypedDict):
    """Mean and sample standard deviation of several runs; None for a single run."""

    mean: float
    deviation: float | None


def write_report(folder: Path, runs: Sequence[Results], pairs: Pairs | None = None) -> None:
    """Writes report.md and its pictures; for several runs also results.json, with their means.

    Args:
        folder: the reports are written into it.
        runs: results of train_sed.py, one for each seed.
        pairs: predictions of the test split of a single run: its worst utterances are drawn.
    """
    folder = Path(folder)
    if len(runs) > 1:
        summary = {"eder": mean_and_deviation(runs, "eder"), "runs": list(runs)}
        (folder / RESULTS_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    sections = [
        _setup(runs),
        _table_2(runs),
        _by_seed(runs),
        _by_emotion(runs),
        _table_3(runs),
        *_pictures(folder, runs, pairs),
    ]
    (folder / REPORT_FILE).write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def mean_and_deviation(runs: Iterable[Results], name: str) -> Moments:
    """Of one score of several runs."""
    values = [run[name] for run in runs]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "deviation": deviation}


def _per_cent(moments: Moments) -> str:
    mean, deviation = moments["mean"], moments["deviation"]
    return f"{100 * mean:.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _setup(runs: Sequence[Results]) -> str:
    first, seeds = runs[0], [str(run["options"]["seed"]) for run in runs]
    names = dict.fromkeys(run["data"]["name"] for run in runs)
    utterances = ", ".join(f"{run['utterances']} ({60 * run['hours']:.1f} min)" for run in runs)
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    return f"""# Speech Emotion Diarization with {Path(first["options"]["encoder"]).stem}

Dataset {", ".join(f"`{name}`" for name in names)}; seed {", ".join(seeds)}; test utterances: {utterances}. Every run's
model is that of its best epoch by validation frame error rate; the test split was used once, for this report.

Trained by {first["num_processes"]} process(es) on {os.cpu_count()} cores, {platform.machine()}; {versions}."""


def _table_2(runs: Sequence[Results]) -> str:
    ours = mean_and_deviation(runs, "eder")
    rows = [[Path(runs[0]["options"]["encoder"]).stem, "the test split", len(runs), _per_cent(ours)]]
    rows += [
        [f"{name} (the paper's)", "ZED", 5, f"{mean:.2f} ± {deviation:.2f}"]
        for name, (mean, deviation) in PAPER.items()
    ]
    return (
        "## EDER, as in Table 2\n\nFigures on different test sets cannot be compared.\n\n"
        f"{_table(['model', 'test set', 'seeds', 'EDER (%)'], rows)}"
    )


def _by_seed(runs: Sequence[Results]) -> str:
    header = ["seed", "EDER (%)", "95 % interval", *(name.replace("_", " ") for name in COMPONENTS)]
    header += ["by duration", "argmax", "all neutral", "most frequent emotion throughout"]
    columns = (*COMPONENTS, "eder_by_duration", "eder_argmax", "eder_all_neutral", "eder_majority")
    rows = []
    for run in runs:
        low, high = run["confidence_interval"]["eder"]
        row = [run["options"]["seed"], f"{100 * run['eder']:.2f}", f"{100 * low:.2f} to {100 * high:.2f}"]
        rows.append(row + [f"{100 * run[name]:.2f}" for name in columns])
    if len(runs) > 1:
        means = [_per_cent(mean_and_deviation(runs, name)) for name in ("eder", *columns)]
        rows.append(["mean", means[0], "", *means[1:]])
    return (
        "## Components\n\nMean over utterances, in per cent; intervals by bootstrap over the utterances of a test "
        "split. Decoder and temperature were fitted on validation; argmax is the paper's decoder. The last two columns "
        f"need no model.\n\n{_table(header, rows)}"
    )


def _by_emotion(runs: Sequence[Results]) -> str:
    rows = []
    for label in sorted(set().union(*(run["per_label"] for run in runs))):
        having = [run["per_label"][label] for run in runs if label in run["per_label"]]
        rates = [mean_and_deviation(having, name) for name in ("eder", *COMPONENTS)]
        rows.append([label, sum(row["utterances"] for row in having), *map(_per_cent, rates)])
    header = ["emotion", "utterances", "EDER (%)", *(name.replace("_", " ") for name in COMPONENTS)]
    return f"## By emotion\n\n{_table(header, rows)}"


def _table_3(runs: Sequence[Results]) -> str:
    total: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for run in runs:
        for name, row in run["transitions"]["transitions"].items():
            total[name] += row["total"]
            correct[name] += row["correct"]
    rows = [[name, total[name], correct[name], f"{100 * correct[name] / total[name]:.1f}"] for name in total]
    rows.append(["total", total.total(), correct.total(), f"{100 * correct.total() / total.total():.1f}"])
    of_all = ", summed over seeds" if len(runs) > 1 else ""
    table = _table(["transition", "total", "correct", "accuracy (%)"], rows)
    return f"## Transitions, as in Table 3\n\nUtterances whose sequence of emotions is right{of_all}.\n\n{table}"


def _pictures(folder: Path, runs: Sequence[Results], pairs: Pairs | None) -> list[str]:
    if find_spec("matplotlib") is None:
        return ["(No pictures: they need matplotlib, `pip install matplotlib`.)"]
    from ..evaluation.plotting import plot_errors
    from ..evaluation.training_plots import plot_confusion, plot_learning_curves

    seconds: dict[str, Counter[str]] = {}
    for run in runs:
        for reference, row in run["durations"].items():
            seconds.setdefault(reference, Counter()).update(row)
    figures = {
        "learning curves": plot_learning_curves({f"seed {run['options']['seed']}": run["history"] for run in runs}),
        "confusion": plot_confusion(seconds),
    }
    if pairs:
        worst = worst_utterances(pairs, score_pairs(pairs, [NEUTRAL]), WORST_SHOWN, [NEUTRAL])
        figures["the worst utterances"] = plot_errors(worst, NEUTRAL)
    sections = []
    for title, figure in figures.items():
        file = f"{title.replace(' ', '_').removeprefix('the_')}.png"
        figure.savefig(folder / file)
        sections.append(f"## {title[0].upper()}{title[1:]}\n\n![{title}]({file})")
    return sections
