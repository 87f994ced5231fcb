"""Tables for sed_scores_eval, which reads them where it is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.evaluation.sed_scores_tables import write_sed_scores
from modeling_sed.evaluation.tuning import UtterancePosteriors

LABELS = ("neutral", "happy", "sad")
SEGMENTS = [
    {"start": 0.0, "end": 1.0, "label": "neutral"},
    {"start": 1.0, "end": 1.5, "label": "sad"},  # touching segments are one event
    {"start": 1.5, "end": 2.0, "label": "sad"},
]
ITEM = UtterancePosteriors(
    Annotation("one", SEGMENTS, 2.0),
    np.array([[0.5, 0.25, 0.25], [0.125, 0.25, 0.625]]),
    np.array([0, 2]),
    np.array([0.0, 1.0, 2.0]),
)
CALM = replace(ITEM, annotation=Annotation("calm", [], 2.0))


def test_tables_by_hand(tmp_path: Path):
    write_sed_scores([ITEM, CALM], LABELS, "neutral", tmp_path)
    assert (tmp_path / "scores" / "one.tsv").read_text().splitlines() == [
        "onset\toffset\thappy\tsad",
        "0.0\t1.0\t0.25\t0.25",
        "1.0\t2.0\t0.25\t0.625",
    ]
    assert (tmp_path / "ground_truth.tsv").read_text().splitlines()[1:] == [
        "one.wav\t1.0\t2.0\tsad",
        "calm.wav\t\t\t",
    ]
    assert (tmp_path / "durations.tsv").read_text().splitlines()[1:] == ["one.wav\t2.0", "calm.wav\t2.0"]


def test_sed_scores_eval_reads_them(tmp_path: Path):
    io = pytest.importorskip("sed_scores_eval", reason="sed_scores_eval is not installed").base_modules.io
    write_sed_scores([ITEM, CALM], LABELS, "neutral", tmp_path)
    assert io.parse_scores(tmp_path / "scores")[0]["one"]["sad"].tolist() == [0.25, 0.625]
    assert io.parse_ground_truth(tmp_path / "ground_truth.tsv") == {"one": [[1.0, 2.0, "sad"]], "calm": []}
    assert io.read_audio_durations(tmp_path / "durations.tsv") == {"one": 2.0, "calm": 2.0}
