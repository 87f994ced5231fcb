"""Scoring files: every format says the same, the report is right, what does not fit together is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from praatio import textgrid
from typer.testing import CliRunner, Result

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations, read_durations
from modeling_sed.cli.app import app
from modeling_sed.evaluation.pairing import pair_annotations
from modeling_sed.evaluation.plotting import plot_errors
from modeling_sed.evaluation.report import score_pairs, worst_utterances
from tests.conftest import REAL_DATA

UTTERANCES = {
    "call_1": Annotation("call_1", [{"start": 0.5, "end": 2.0, "label": "sad"}], 4.0),
    "call.2": Annotation(
        "call.2", [{"start": 0.0, "end": 1.0, "label": "happy"}, {"start": 2.0, "end": 3.0, "label": "sad"}], 3.0
    ),
    "calm": Annotation("calm", [], 2.0),
}


def score(*arguments: str | Path) -> Result:
    """The command in this process; what other processes add is tested with `diarize`."""
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def write_own_json(folder: Path) -> Path:
    entries = [
        {"name": f"audio/{a.name}.wav", "duration": a.duration, "segments": a.segments} for a in UTTERANCES.values()
    ]
    (folder / "own.json").write_text(json.dumps(entries))
    return folder / "own.json"


def write_zed(folder: Path) -> Path:
    entries = {
        a.name: {
            "wav": f"datafolder/{a.name}.wav",
            "duration": a.duration,
            "emotion": [{"emo": s["label"], "start": s["start"], "end": s["end"]} for s in a.segments],
        }
        for a in UTTERANCES.values()
    }
    (folder / "ZED.json").write_text(json.dumps(entries))
    return folder / "ZED.json"


def write_rttm(folder: Path) -> Path:
    lines = [";; a comment", ""]
    for a in UTTERANCES.values():
        lines += [
            f"SPEAKER {a.name} 1 {s['start']} {s['end'] - s['start']} <NA> <NA> {s['label']} <NA> <NA>"
            for s in a.segments
        ]
    (folder / "all.rttm").write_text("\n".join(lines))
    return folder / "all.rttm"


def write_csv(folder: Path) -> Path:
    lines = ["name,start,end,label,duration", "calm,,,,2.0"]
    for a in UTTERANCES.values():
        lines += [f"{a.name},{s['start']},{s['end']},{s['label']},{a.duration}" for s in a.segments]
    (folder / "all.csv").write_text("\n".join(lines))
    return folder / "all.csv"


def write_textgrids(folder: Path) -> Path:
    target = folder / "grids"
    target.mkdir()
    for a in UTTERANCES.values():
        entries = [(s["start"], s["end"], s["label"]) for s in a.segments]
        grid = textgrid.Textgrid()
        grid.addTier(textgrid.IntervalTier("words", [(0, 1, "so")], 0, a.duration))
        grid.addTier(textgrid.IntervalTier("Emotion", entries, 0, a.duration))
        grid.save(str(target / f"{a.name}.TextGrid"), format="long_textgrid", includeBlankSpaces=True)
    return target


WRITERS = [write_own_json, write_zed, write_rttm, write_csv, write_textgrids]


@pytest.mark.parametrize("write", WRITERS, ids=lambda writer: writer.__name__)
def test_every_format_is_read(tmp_path: Path, write: Callable[[Path], Path]):
    read = read_annotations(write(tmp_path))
    expected = dict(UTTERANCES)
    if write is write_rttm:  # it knows neither durations nor utterances without segments
        expected = {name: Annotation(name, a.segments) for name, a in UTTERANCES.items() if a.segments}
    assert read == expected


def test_durations_name_the_utterances_that_rttm_cannot(tmp_path: Path):
    (tmp_path / "all.uem").write_text(";; comment\ncall_1 1 0 4\ncall.2 1 0.0 3\ncalm 1 0 2\n")
    (tmp_path / "durations.csv").write_text("name,duration\ncall_1.wav,4\ncall.2,3\ncalm,2\n")
    durations = read_durations(tmp_path / "all.uem")
    assert durations == read_durations(tmp_path / "durations.csv") == {"call_1": 4.0, "call.2": 3.0, "calm": 2.0}
    pairs = pair_annotations(UTTERANCES, read_annotations(write_rttm(tmp_path)), durations)
    result = score_pairs(pairs, ["neutral"])
    assert result["eder"] == 0 and result["utterances"] == 3


def test_command_prints_the_report(tmp_path: Path):
    reference = write_zed(tmp_path)
    predictions = [
        {"name": "x/call_1.wav", "duration": 4.0, "segments": [{"start": 0, "end": 2, "label": "sad", "score": 0.7}]},
        {"name": "call.2", "duration": 3.0, "segments": [{"start": 0, "end": 3, "label": "happy"}]},
        {"name": "calm", "duration": 2.0, "segments": [{"start": 0, "end": 2, "label": "neutral"}]},
    ]
    (tmp_path / "predictions.json").write_text(json.dumps(predictions))
    picture = tmp_path / "errors.png"
    options = [reference, tmp_path / "predictions.json", "--plot", picture, "--worst", "2"]
    done = score(*options, "--per-utterance")
    assert done.exit_code == 0, done.stderr
    # call_1: 0 to 0.5 s of 4 false alarm; call.2: of 3 s 1 false alarm, 1 confusion; calm: right
    rates = [0.125, 2 / 3, 0]
    words = [line.split() for line in done.stdout.splitlines()]
    assert ["EDER", f"{100 * sum(rates) / 3:.2f}", "%", f"{100 * 2.5 / 9:.2f}", "%"] in words
    assert ["false", "alarm", f"{100 * (0.125 + 1 / 3) / 3:.2f}", "%", f"{100 * 1.5 / 9:.2f}", "%"] in words
    assert ["call.2", "3.00", "66.67", "%", "33.33", "%", "0.00", "%", "33.33", "%", "0.00", "%"] in words
    assert ["total", "3", "1", "33.3", "%"] in words
    # of the true events only the sad one of call_1 is found, half a second late, which is a third of its length
    assert words[[word[:2] for word in words].index(["event", "F1,"]) + 1][:5] == ["event", "F1,", "collar", "0.5", "s"]
    assert "notes" in done.stdout and "1 of 3 references have no emotion" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")

    done = score(*options, "--per-utterance", "--json")
    result = json.loads(done.stdout)
    assert [row["name"] for row in result["per_utterance"]] == ["call_1", "call.2", "calm"]
    assert [row["eder"] for row in result["per_utterance"]] == pytest.approx(rates)
    assert "per_utterance" not in json.loads(score(*options, "--json").stdout)


def test_worst_utterances_show_where_the_errors_are():
    predictions = {name: Annotation(name, [{"start": 0.0, "end": 1.0, "label": "sad"}]) for name in UTTERANCES}
    pairs = pair_annotations(UTTERANCES, predictions)
    worst = worst_utterances(pairs, score_pairs(pairs, ["neutral"]), 2, ["neutral"])
    # call.2: confused for 1 s of 3, then sad is missed for 1 s; calm: 1 s of 2 is false alarm
    assert [(item["name"], item["eder"]) for item in worst] == [("call.2", pytest.approx(2 / 3)), ("calm", 0.5)]
    assert worst[0]["errors"] == [
        {"start": 0.0, "end": 1.0, "label": "confusion"},
        {"start": 2.0, "end": 3.0, "label": "missed_emotion"},
    ]
    figure = plot_errors(worst)
    titles = [text.get_text() for text in figure.texts]
    assert titles[:2] == ["call.2   0:03.0   EDER 66.7 %", "calm   0:02.0   EDER 50.0 %"]


TIMED, UNTIMED = "name,start,end,label,duration\n", "name,start,end,label\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"r.csv": TIMED + "a,0,1,sad,2\nb,0,1,sad,2", "h.csv": UNTIMED + "a,0,1,sad"},
            "in the references but not in the predictions: b.",
        ),
        (
            {"r.csv": TIMED + "a,0,1,sad,2", "h.csv": UNTIMED + "a,0,1,sad\nc,0,1,sad"},
            "in the predictions but not in the references: c.",
        ),
        (
            {"r.csv": UNTIMED + "a,0,1,sad", "h.csv": UNTIMED + "a,0,1,sad"},
            "without a duration in either file; give them with --durations: a.",
        ),
        (
            {"r.csv": TIMED + "a,0,1,sad,2", "h.csv": TIMED + "a,0,1,sad,3"},
            "whose durations contradict each other; --durations overrules both: a (2.0 and 3.0 s).",
        ),
        ({"r.csv": TIMED + "a,0,1,sad,2\nx/a.wav,0,1,sad,2", "h.csv": ""}, "utterances that come more than once: a."),
        (
            {"r.csv": TIMED + "a,0,3,sad,2", "h.csv": UNTIMED + "a,0,1,sad"},
            "utterance 'a': the segment 'sad' of its references, from 0.0 to 3.0 s, reaches past the end",
        ),
        ({"r.csv": TIMED + "a,0,one,sad,2", "h.csv": ""}, "r.csv, line 2: end must be a finite number"),
        (
            {"r.csv": "a,b\n1,2", "h.csv": ""},
            "r.csv, line 1: the table needs one column name, start, end, label; its columns are a, b.",
        ),
        ({"r.json": "{", "h.csv": ""}, "r.json is not JSON"),
        ({"r.rttm": "SPEAKER a 1 0", "h.csv": ""}, "r.rttm, line 1: a line SPEAKER has 10 columns"),
        ({"r.TextGrid": "no grid", "h.csv": ""}, "r.TextGrid, line 1: expected a text in double quotes"),
        ({"r.docx": "", "h.csv": ""}, "r.docx: annotations are files that end in .csv, .eaf, .json, .jsonl, .rttm,"),
    ],
)
def test_what_does_not_fit_is_listed(tmp_path: Path, files: dict[str, str], message: str):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    reference, hypothesis = (tmp_path / name for name in files)
    done = score(reference, hypothesis)
    assert done.exit_code == 1
    assert message in done.stderr


def test_an_unknown_label_is_an_error_when_labels_are_given(tmp_path: Path):
    path = write_zed(tmp_path)
    assert score(path, path, "--label", "happy", "--label", "sad").exit_code == 0
    done = score(path, path, "--label", "happy")
    assert done.exit_code == 1 and "the segment 'sad'" in done.stderr and "unknown label" in done.stderr


def test_real_zed_against_itself():
    path = REAL_DATA / "ZED" / "ZED.json"
    if not path.is_file():
        pytest.skip(f"the annotation of ZED is not at {path}")
    done = score(path, path, "--json")
    result = json.loads(done.stdout)
    assert result["eder"] == 0.0 and result["transitions"]["accuracy"] == 1.0 and result["boundaries"]["f1"] == 1.0


HYPOTHESIS = '[{"name": "u1", "duration": 6, "segments": [{"start": 2, "end": 4.5, "label": "happy"}]}]'


def score_texts(folder: Path, reference: str, *options: str | Path, hypothesis: str = HYPOTHESIS) -> Result:
    (folder / "reference.csv").write_text(reference)
    (folder / "hypothesis.json").write_text(hypothesis)
    return score(folder / "reference.csv", folder / "hypothesis.json", "--json", *options)


def test_labels_are_compared_without_case_and_spaces(tmp_path: Path):
    spelt = TIMED + "u1,0,2,NEUTRAL,6\nu1,2,4.5, Happy ,6\n"
    done = score_texts(tmp_path, spelt, "--label", "HAPPY", "--neutral", "Neutral ")
    assert json.loads(done.stdout)["eder"] == 0 and done.stderr == ""


def test_labels_are_mapped_on_both_sides(tmp_path: Path):
    letters = TIMED + "u1,0,2,N,6\nu1,2,4.5,h,6\n"
    done = score_texts(tmp_path, letters, "--map", "n=neutral", "--map", "H = happy")
    assert json.loads(done.stdout)["eder"] == 0 and done.stderr == ""
    assert json.loads(score_texts(tmp_path, letters, "--map", "h=happy", "--neutral", "n").stdout)["eder"] == 0
    for options, message in (
        (["--map", "n"], "'n' must say which label becomes which: n=neutral"),
        (["--map", "=n"], "must say which label"),
        (["--map", "n=neutral", "--map", "N=sad"], "'n' cannot become both 'neutral' and 'sad'"),
    ):
        done = score_texts(tmp_path, letters, *options)
        assert done.exit_code == 1 and message in done.stderr


def test_labels_of_one_side_only_are_named_with_their_counts(tmp_path: Path):
    done = score_texts(tmp_path, TIMED + "u1,0,1,fear,6\nu1,1,2,fear,6\nu1,2,3,joy,6\n")
    assert done.exit_code == 0 and json.loads(done.stdout)["eder"] > 0
    assert done.stderr == (
        "warning: Labels (number of segments) only in the references: fear (2), joy (1); "
        "only in the predictions: happy (1).\n"
    )


def test_what_rounding_moved_past_the_end_is_cut_with_one_line(tmp_path: Path):
    rounded = UNTIMED + "u1,2,6.0009,happy\nu1,4,6.02,happy\n"
    done = score_texts(tmp_path, rounded)
    assert done.stderr == (
        "warning: 2 segment(s) of the references end up to 20.0 ms after their utterances and were cut there.\n"
    )
    assert json.loads(done.stdout)["eder"] == pytest.approx(0.25)
    done = score_texts(tmp_path, UNTIMED + "u1,2,6.021,happy\n")
    assert done.exit_code == 1 and "'u1': the segment 'happy' of its references, from 2.0 to 6.021 s" in done.stderr


def test_durations_are_the_last_word(tmp_path: Path):
    reference = TIMED + "u1,2,4.5,happy,5.8\n"
    done = score_texts(tmp_path, reference)
    assert "contradict each other; --durations overrules both: u1 (5.8 and 6.0 s)" in done.stderr
    (tmp_path / "d.csv").write_text("name,duration\nu1,5\n")
    result = json.loads(score_texts(tmp_path, reference, "--durations", tmp_path / "d.csv").stdout)
    assert result["eder"] == 0 and result["hours"] == pytest.approx(5 / 3600)


def test_lines_that_are_skipped_are_said_by_the_command(tmp_path: Path):
    lines = "SPEAKER u1 1 2 2.5 <NA> <NA> happy <NA> <NA>\nNOSCORE u1 1 5 0.5 <NA> <NA> <NA> <NA> <NA>\n"
    (tmp_path / "r.rttm").write_text(lines)
    (tmp_path / "h.json").write_text(HYPOTHESIS)
    done = score(tmp_path / "r.rttm", tmp_path / "h.json")
    assert done.exit_code == 0
    assert done.stderr == f"warning: {tmp_path / 'r.rttm'}: lines that are no segments were skipped: NOSCORE (1).\n"


def test_one_tier_of_several_is_chosen(tmp_path: Path):
    grid = textgrid.Textgrid()
    for name, label in (("words", "so"), ("Affect", "happy")):
        grid.addTier(textgrid.IntervalTier(name, [(2, 4.5, label)], 0, 6))
    path = tmp_path / "u1.TextGrid"
    grid.save(str(path), format="short_textgrid", includeBlankSpaces=True)
    (tmp_path / "h.json").write_text(HYPOTHESIS)
    done = score(path, tmp_path / "h.json")
    assert done.exit_code == 1 and "choose one of the interval tiers 'words', 'Affect' by --tier" in done.stderr
    assert json.loads(score(path, tmp_path / "h.json", "--tier", "affect", "--json").stdout)["eder"] == 0
