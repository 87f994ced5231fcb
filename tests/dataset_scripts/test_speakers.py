"""Speakers who lack neutral recordings or emotional ones: what is made of them, and what is said."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.corpora.recording import Recording
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.simulation import SimulationOptions, Source, plan_utterances
from modeling_sed.dataset_scripts.splits import split_sources

EMOTIONAL = ("happy", "sad", "angry", "happy", "sad", "angry")


def speaker(name: str, neutral: int, emotional: tuple[str, ...] = EMOTIONAL) -> list[Source]:
    """Recordings of 1 s that exist in name only."""
    labels = ["neutral"] * neutral + list(emotional)
    return [
        Source(Recording(Path(f"{name}/{number}.wav"), "calls", name, label), ((0, 16_000),))
        for number, label in enumerate(labels)
    ]


def labels_of(plan: list) -> list[list[str]]:
    return [[part.recording.label for part in utterance.parts] for utterance in plan]


@pytest.mark.parametrize("options", [SimulationOptions(), SimulationOptions(events=3), SimulationOptions(hours=0.01)])
def test_a_speaker_without_neutral_recordings_gives_emotions_alone(options: SimulationOptions):
    both = speaker("a", 3) + speaker("c", 2)
    alone = plan_utterances(speaker("b", 0), 1, "train", options)
    labels = labels_of(alone)
    assert all("neutral" not in own for own in labels)
    assert max(map(len, labels)) == 1 if options.events == 1 else 1 < max(map(len, labels)) <= 3
    if options.hours is None:
        assert sum(map(len, labels)) == len(EMOTIONAL)  # each once
        plan = plan_utterances(both + speaker("b", 0) + speaker("d", 2, ()), 1, "train", options)
        # the others' utterances are what they are without him; who has neutral recordings only gives none
        assert [one for one in plan if "_b_" not in one.name] == plan_utterances(both, 1, "train", options)
        assert [one for one in plan if "_b_" in one.name] == alone


def test_who_lacks_neutral_recordings_is_in_train_only(capsys: pytest.CaptureFixture):
    both = speaker("a", 4) + speaker("b", 4)
    expected = split_sources(both, "recording", 1, 0.2, 0.0)
    assert capsys.readouterr().err == ""
    splits = split_sources(both + speaker("c", 0) + speaker("d", 1) + speaker("e", 3, ()), "recording", 1, 0.2, 0.0)
    assert capsys.readouterr().err == (
        "calls: of 5 speakers, 1 without a neutral recording (no neutral speech in their utterances); "
        "1 without an emotional recording (left out); 1 with a single neutral recording (train split only)\n"
    )
    for split, sources in splits.items():
        assert [one for one in sources if one.recording.speaker in "ab"] == expected[split]
        plan_utterances(sources, 1, split)
    assert {one.recording.speaker for one in splits["validation"]} == {"a", "b", "e"}


@pytest.mark.parametrize("neutral", [0, 1])
def test_a_corpus_in_which_nobody_has_two_neutral_recordings_is_divided(neutral: int):
    splits = split_sources(speaker("a", neutral) + speaker("b", neutral), "recording", 1, 0.2, 0.0)
    for name in "ab":
        own = {
            split: [one.recording.label for one in sources if one.recording.speaker == name]
            for split, sources in splits.items()
        }
        assert own["train"].count("neutral") == neutral and "neutral" not in own["validation"]
        assert set(own["validation"]) == set(EMOTIONAL) == {*own["train"]} - {"neutral"}


def test_a_split_is_not_left_to_speakers_without_emotions():
    sources = [one for name in "abcd" for one in speaker(name, 2)]
    sources += [one for name in "efghij" for one in speaker(name, 2, ())]
    for seed in range(10):
        splits = split_sources(sources, "speaker", seed, 0.1, 0.1)
        plans = {split: plan_utterances(own, seed, split) for split, own in splits.items()}
        assert sum(map(len, plans.values())) == 4 * len(EMOTIONAL)
    with pytest.raises(InputError, match="split has no recording with an emotion"):
        splits = split_sources(speaker("a", 2) + speaker("b", 2, ()), "speaker", 0, 0.1, 0.0)
        for split, own in splits.items():
            plan_utterances(own, 0, split)


@pytest.mark.parametrize("split_by", ["speaker", "recording"])
def test_a_corpus_with_such_a_speaker_is_built(ravdess: Path, tmp_path: Path, split_by: str, capsys):
    shutil.copytree(ravdess, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("Actor_03/03-01-01-*"):
        path.unlink()
    options = {"split_by": split_by, "seed": 1}
    splits = build(tmp_path / "out", "benchmark", corpora={"ravdess": str(tmp_path / "copy")}, **options)
    rows = [row for rows in splits.values() for row in rows.to_list()]
    assert len(rows) == 6 * 3 * 3
    assert "ravdess: of 6 speakers, 1 without a neutral recording" in capsys.readouterr().err
    assert {row["transition"] for row in rows if row["speaker"] == "03"} == {"happy", "sad", "angry"}
    whole = build(tmp_path / "whole", "benchmark", corpora={"ravdess": str(ravdess)}, **options)
    others = {row["name"]: row for rows in whole.values() for row in rows.to_list() if row["speaker"] != "03"}
    assert {row["name"]: row for row in rows if row["speaker"] != "03"} == others


def test_emotions_may_meet():
    labels = labels_of(plan_utterances(speaker("a", 0, EMOTIONAL * 5), 0, "train", SimulationOptions(events=4)))
    assert any(pair == ("happy", "sad") for own in labels for pair in pairwise(own))
