"""Pictures of a training run: learning curves and confusion (needs the extra `plot`: matplotlib)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure


def plot_learning_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Train loss and validation frame error rate of each run, by epoch.

    Args:
        histories: by the runs' names, what train_sed.py reports of each epoch: ``epoch``, ``train_loss`` and
            ``validation_frame_error_rate``.

    Returns:
        A figure; save it with ``figure.savefig("curves.png")``.
    """
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    for axes, (key, title) in zip(
        figure.subplots(1, 2),
        (("train_loss", "train loss"), ("validation_frame_error_rate", "validation frame error rate")),
        strict=True,
    ):
        for (name, history), marker in zip(histories.items(), cycle("os^Dv")):
            epochs, values = ([item[column] for item in history] for column in ("epoch", key))
            axes.plot(epochs, values, marker=marker, markersize=4, label=name)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    if len(histories) > 1:
        axes.legend(frameon=False)
    return figure


def plot_confusion(seconds: Mapping[str, Mapping[str, float]]) -> Figure:
    """The confusion matrix: for each reference label, the share of its time that each label is predicted.

    Args:
        seconds: for each reference label, by predicted label, how long both apply.

    Returns:
        A figure; save it with ``figure.savefig("confusion.png")``.
    """
    labels = list(seconds)
    matrix = np.array([[seconds[reference][predicted] for predicted in labels] for reference in labels])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
    figure = Figure(figsize=(1.6 + len(labels), 1 + len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{100 * share:.0f} %", ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("reference")
    return figure
