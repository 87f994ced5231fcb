"""Utterances in the shape of an annotation: sequences, durations, speakers; the same seed, the same bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.data import zed_shaped
from benchmarks.accuracy.zed_shape import SHORTEST, nearest, parts_of, plan_like, shortened
from modeling_sed import InputError
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.segments import fill_neutral
from modeling_sed.dataset_scripts.corpora.recording import Recording
from modeling_sed.dataset_scripts.simulation import Source
from modeling_sed.dataset_scripts.waveforms import SAMPLING_RATE, read_waveform


def annotated(name: str, duration: float, label: str, start: float, end: float) -> Annotation:
    return Annotation(name, [{"start": start, "end": end, "label": label}], duration)


SHAPE = {
    one.name: one
    for one in (
        annotated("spk1_1", 3.0, "angry", 1.2, 3.0),  # null-angry
        annotated("spk1_2", 2.5, "sad", 0.0, 2.5),  # sad
        annotated("spk2_1", 6.0, "happy", 0.0, 0.6),  # happy-null
        annotated("spk3_1", 4.0, "sad", 0.5, 2.0),  # null-sad-null
    )
}


def source(*speech: tuple[int, int], name: str = "a", label: str = "sad", speaker: str = "x") -> Source:
    return Source(Recording(Path(name), "corpus", speaker, label), speech)


@pytest.fixture(scope="module")
def rows(test_sources) -> list[dict]:
    return zed_shaped(SHAPE, test_sources, seed=1).to_list()


def test_sequences_are_those_of_the_annotation(rows):
    assert {row["name"]: row["transition"] for row in rows} == {
        "spk1_1": "null-angry",
        "spk1_2": "sad",
        "spk2_1": "happy-null",
        "spk3_1": "null-sad-null",
    }
    assert all(len(row["segments"]) == 1 for row in rows)


def test_parts_last_as_long_as_in_the_annotation(rows):
    for row in rows:
        found = parts_of(Annotation(row["name"], row["segments"], row["duration"]))
        asked = parts_of(SHAPE[row["name"]])
        assert [label for label, _ in found] == [label for label, _ in asked]
        for number, ((_, seconds), (_, wanted)) in enumerate(zip(found, asked, strict=True)):
            in_the_middle = 0 < number < len(asked) - 1
            assert abs(seconds - wanted) < (0.7 if in_the_middle else SHORTEST / SAMPLING_RATE)


def test_labels_and_sources_tile_the_audio(rows):
    for row in rows:
        assert len(read_waveform(row["audio"]["bytes"])) == round(row["duration"] * SAMPLING_RATE)
        for pieces in (row["sources"], fill_neutral(row["segments"], row["duration"])):
            assert pieces[0]["start"] == 0 and pieces[-1]["end"] == row["duration"]
            assert all(before["end"] == after["start"] for before, after in pairwise(pieces))


def test_speakers_are_those_of_the_test_split_only(rows, benchmark):
    speakers = {split: set(benchmark[split]["speaker"]) for split in benchmark}
    assert {row["speaker"] for row in rows} <= speakers["test"]
    assert speakers["test"].isdisjoint(speakers["train"] | speakers["validation"])
    assert all(f"-{row['speaker']}." in piece["file"] for row in rows for piece in row["sources"])
    of_zed = {row["name"]: row["speaker"] for row in rows}
    assert of_zed["spk1_1"] == of_zed["spk1_2"]


def test_the_same_seed_gives_the_same_bytes(rows, test_sources, tmp_path: Path):
    for folder in ("once", "again"):
        zed_shaped(SHAPE, list(reversed(test_sources)), seed=1).save_to_disk(str(tmp_path / folder))
    files = [sorted((tmp_path / folder).iterdir()) for folder in ("once", "again")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]
    assert zed_shaped(SHAPE, test_sources, seed=1).to_list() == rows
    assert zed_shaped(SHAPE, test_sources, seed=2).to_list() != rows


def test_only_the_ends_of_an_utterance_are_cut():
    second = SAMPLING_RATE
    sources = [
        source((0, second), (2 * second, 4 * second), name=f"{label}{number}", label=label)
        for label in ("neutral", "sad")
        for number in range(3)
    ]
    (utterance,) = plan_like({"spk1_1": annotated("spk1_1", 9.0, "sad", 4.5, 9.0)}, sources, seed=0)
    assert [part.speech for part in utterance.parts] == [
        ((int(2.5 * second), 4 * second),),
        ((0, second), (2 * second, 4 * second)),
        ((0, second), (2 * second, 4 * second)),
        ((0, second), (2 * second, int(2.5 * second))),
    ]
    assert len({part.recording.path for part in utterance.parts}) == 4


def test_shortened():
    whole = source((100, 200), (300, 400))
    assert shortened(whole, 150, keep_beginning=True).speech == ((100, 200), (300, 350))
    assert shortened(whole, 150, keep_beginning=False).speech == ((150, 200), (300, 400))
    assert shortened(whole, 100, keep_beginning=True).speech == ((100, 200),)
    assert shortened(whole, 200, keep_beginning=True) is whole


def test_nearest_takes_neighbouring_stretches():
    pool = [source((0, 10_000), (20_000, 28_000), (40_000, 46_000)), source((0, 30_000), name="b")]
    assert [run.speech for run in nearest(14_000, pool)] == [((20_000, 28_000), (40_000, 46_000))]
    assert [run.speech for run in nearest(40_000, pool)] == [((0, 30_000),), ((0, 10_000),)]
    assert [run.speech for run in nearest(SHORTEST, pool)] == [((40_000, 46_000),)]


def test_speakers_without_all_emotions_are_not_used(test_sources):
    lacking = [one for one in test_sources if one.recording.label != "happy"]
    with pytest.raises(
        InputError, match=r"None of the \d speakers has recordings of all of angry, happy, neutral, sad"
    ):
        plan_like(SHAPE, lacking, seed=0)
    complete = [replace(one, recording=replace(one.recording, speaker="complete")) for one in test_sources]
    plan = plan_like(SHAPE, [*lacking, *complete], seed=0)
    assert {part.recording.speaker for utterance in plan for part in utterance.parts} == {"complete"}


def test_an_annotation_without_a_duration_is_refused():
    with pytest.raises(InputError, match="does not say how long spk1_1 last"):
        plan_like({"spk1_1": Annotation("spk1_1")}, [source((0, 10))], seed=0)


def test_samples_of_a_part_are_the_recordings(test_sources, rows):
    """All but the level, and 16 bits."""
    row = rows[0]
    piece = row["sources"][0]
    path = next(one.recording.path for one in test_sources if piece["file"].endswith(one.recording.path.name))
    wave = read_waveform(path)
    kept = np.concatenate(
        [
            wave[round(stretch["start"] * SAMPLING_RATE) : round(stretch["end"] * SAMPLING_RATE)]
            for stretch in piece["stretches"]
        ]
    )
    rendered = read_waveform(row["audio"]["bytes"])[: len(kept)]
    assert np.corrcoef(kept, rendered)[0, 1] > 0.999
