"""Several systems beside each other: by hand, beside EDER's own comparison, and as tables."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from modeling_sed import InputError
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.cli.app import app
from modeling_sed.evaluation.clusters import clusters_of
from modeling_sed.evaluation.comparison import compare_pairs
from modeling_sed.evaluation.comparison_tables import comparison_rows, format_comparison
from modeling_sed.evaluation.pairing import Pairs
from modeling_sed.metrics.eder.bootstrap import compare_systems


def pairs_with_errors(rates: np.ndarray) -> Pairs:
    """Utterances of 1 s, sad all the time, of which some is missed at the end."""
    sad = [[{"start": 0.0, "end": 1.0, "label": "sad"}] for _ in rates]
    found = [[{"start": 0.0, "end": 1.0 - rate, "label": "sad"}] for rate in rates.tolist()]
    return Pairs([f"u{number}" for number in range(len(rates))], sad, found, [1.0] * len(rates))


generator = np.random.default_rng(0)
FIRST = generator.uniform(0.2, 0.9, 80)
SYSTEMS = {
    "old": pairs_with_errors(FIRST),
    "new_one": pairs_with_errors(FIRST - generator.uniform(0, 0.2, 80)),
    "old again": pairs_with_errors(FIRST),
}


def test_difference_of_eder_is_that_of_its_own_module():
    result = compare_pairs(SYSTEMS, ["neutral"])
    rates = [{"eder": (1 - np.array([s[0]["end"] for s in SYSTEMS[name].predictions])).tolist()} for name in SYSTEMS]
    expected = compare_systems(rates[1], rates[0])
    found = result["differences"]["new_one"]["eder"]
    assert found["difference"] == pytest.approx(expected["difference"])
    assert found["interval"] == pytest.approx(expected["interval"], abs=0.002)  # 80 utterances: a little wider
    assert found["p_value"] == expected["p_value"] == 1 / 10_001
    same = result["differences"]["old again"]
    assert all(one["difference"] == 0 and one["p_value"] == 1 for one in same.values())
    assert [note["about"] for note in result["notes"]["all"]] == ["several_comparisons"]


def test_speakers_make_the_interval_wider():
    """Eight utterances of a speaker that say the same as one do not make a difference more certain."""
    rates = np.repeat(np.random.default_rng(1).uniform(0.2, 0.9, 30), 8)
    other = rates - np.repeat(np.random.default_rng(2).uniform(-0.1, 0.2, 30), 8)
    systems = {"a": pairs_with_errors(rates), "b": pairs_with_errors(other)}
    speakers = [f"{number // 8}" for number in range(240)]
    widths = [
        np.diff(compare_pairs(systems, ["neutral"], clusters=clusters)["differences"]["b"]["eder"]["interval"])[0]
        for clusters in (None, speakers)
    ]
    assert widths[1] > 2 * widths[0]


def test_one_utterance_has_neither_interval_nor_p_value():
    one = {name: pairs_with_errors(np.array([rate])) for name, rate in (("a", 0.5), ("b", 0.4))}
    result = compare_pairs(one, ["neutral"])
    assert math.isnan(result["differences"]["b"]["eder"]["p_value"])
    assert [note["about"] for note in result["notes"]["all"]] == ["single_cluster"]
    assert comparison_rows(result)[1:3] == [["EDER (%)", "50.00", "40.00"], ["  less a", "", "-10.00"]]


def test_what_is_not_of_the_same_utterances_is_refused():
    longer = Pairs(["u0"], [[]], [[]], [1.02])
    for other, message in (
        (pairs_with_errors(FIRST[1:]), "old and b are not of the same utterances: u79"),
        (Pairs(["u0"], [[]], [[]], [1.0]), "not of the same utterances"),
    ):
        with pytest.raises(InputError, match=message):
            compare_pairs({"old": SYSTEMS["old"], "b": other}, ["neutral"])
    with pytest.raises(InputError, match="a and b have other durations of u0; give them with --durations"):
        compare_pairs({"a": pairs_with_errors(np.array([0.5])), "b": longer}, ["neutral"])


def test_tables_in_other_forms():
    result = compare_pairs(SYSTEMS, ["neutral"])
    assert comparison_rows(result)[0] == ["95 % intervals", "old", "new_one", "old again"]
    markdown = format_comparison(result, "markdown").splitlines()
    assert markdown[0].count("|") == 5 and markdown[1] == "| --- | ---: | ---: | ---: |"
    latex = format_comparison(result, "latex")
    assert r"95 \% intervals & old & new\_one & old again \\" in latex and "p < 0.001" in latex
    assert latex.splitlines()[-1] == r"\end{tabular}" and latex.startswith("% 80 utterances")


def test_clusters_are_speakers_of_the_references_or_those_of_a_table(tmp_path: Path):
    spoken = {"start": 0.0, "end": 1.0, "label": "sad", "speaker": "anna"}
    references = {"a": Annotation("a", [spoken]), "b": Annotation("b", [spoken, {**spoken, "speaker": "bert"}])}
    assert clusters_of(["a", "b"], "utterance", references) is None
    assert clusters_of(["a"], "speaker", references) == ["anna"]
    with pytest.raises(InputError, match="--by speaker: the speaker is not known of b; their references must name one"):
        clusters_of(["a", "b"], "speaker", references)
    with pytest.raises(InputError, match="--by recording needs --utterances: a CSV file with the columns name and rec"):
        clusters_of(["a"], "recording", references)
    (tmp_path / "whose.csv").write_text("name,Recording\nx/a.wav,call\nb,call\n")
    assert clusters_of(["a", "b"], "recording", references, tmp_path / "whose.csv") == ["call", "call"]
    with pytest.raises(InputError, match=r"the recording is not known of c; see .*whose\.csv"):
        clusters_of(["c"], "recording", references, tmp_path / "whose.csv")


REFERENCE = "name,start,end,label,duration\na,1,3,sad,4\nb,0,2,happy,4\n"


def compare(folder: Path, *options: str) -> Result:
    for name, end in (("one", 2), ("two", 3)):
        (folder / f"{name}.csv").write_text(f"name,start,end,label\na,1,{end},sad\nb,0,2,happy\n")
    (folder / "reference.csv").write_text(REFERENCE)
    (folder / "whose.csv").write_text("name,speaker\na,anna\nb,bert\n")
    files = [str(folder / name) for name in ("reference.csv", "one.csv", "two.csv")]
    return CliRunner().invoke(app, ["compare", *files, *options])


def test_command(tmp_path: Path):
    done = compare(tmp_path)
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    # a: 1 s of 4 s is missed by the first system, nothing by the second
    assert rows[1] == ["EDER", "(%)", "12.50", "(0.00", "to", "25.00)", "0.00", "(0.00", "to", "0.00)"]
    assert rows[2][:6] == ["less", "one", "-12.50", "(-25.00", "to", "+0.00),"]
    by_speaker = compare(tmp_path, "--by", "speaker", "--utterances", str(tmp_path / "whose.csv"), "--format", "json")
    result = json.loads(by_speaker.stdout)
    assert (result["by"], result["clusters"], result["utterances"]) == ("speaker", 2, 2)
    assert compare(tmp_path, "--by", "speaker").exit_code == 1
