"""The simulation: plans by what must hold, sounds by hand."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.dataset_scripts import acoustics
from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.corpora.recording import Recording
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.simulation import SimulationOptions, Source, plan_utterances
from modeling_sed.dataset_scripts.waveforms import read_waveform
from tests.dataset_scripts.conftest import voice


def sources(speakers: int = 3, neutral: int = 2, emotional: int = 40) -> list[Source]:
    """Recordings of 2 s that exist in name only."""
    emotions = ["neutral"] * neutral + [("happy", "sad", "angry")[n % 3] for n in range(emotional)]
    return [
        Source(
            Recording(Path(f"s{speaker}/{n}.wav"), "corpus", f"s{speaker}", emotion), ((0, 16_000), (20_000, 36_000))
        )
        for speaker in range(speakers)
        for n, emotion in enumerate(emotions)
    ]


def files(utterances) -> list[str]:
    return [part.recording.path.as_posix() for utterance in utterances for part in utterance.parts]


def test_the_four_sequences_are_equally_likely():
    plan = plan_utterances(sources(speakers=30), 0, "train")
    kinds = Counter(tuple(part.recording.label == "neutral" for part in utterance.parts) for utterance in plan)
    assert set(kinds) == {(False,), (True, False), (False, True), (True, False, True)}
    # 1200 draws: 300 each, three standard deviations are 3 * sqrt(1200 * 0.25 * 0.75) = 45
    assert all(abs(count - 300) <= 45 for count in kinds.values())


def test_plans_depend_on_the_seed_and_a_speaker_on_no_other():
    assert plan_utterances(sources(), 1, "train") == plan_utterances(sources(), 1, "train")
    assert plan_utterances(sources(), 1, "train") != plan_utterances(sources(), 2, "train")
    assert plan_utterances(sources(), 1, "train")[:40] == plan_utterances(sources(speakers=1), 1, "train")
    shuffled = sorted(sources(), key=lambda source: source.recording.path.stem)
    assert [u.name for u in plan_utterances(shuffled, 1, "train")] == [
        u.name for u in plan_utterances(sources(), 1, "train")
    ]


def test_speakers_are_never_mixed_and_neutral_neighbours_differ():
    for utterance in plan_utterances(sources(), 0, "train", SimulationOptions(events=4)):
        assert len({part.recording.speaker for part in utterance.parts}) == 1
        names = [part.recording.path for part in utterance.parts]
        assert len(names) == len(set(names)) or len(names) > 4


def test_more_than_one_event():
    plan = plan_utterances(sources(speakers=10), 0, "train", SimulationOptions(events=3))
    events = Counter(sum(part.recording.label != "neutral" for part in utterance.parts) for utterance in plan)
    assert set(events) == {1, 2, 3}
    used = [file for file in files(plan) if not file.endswith(("/0.wav", "/1.wav"))]
    assert len(used) == len(set(used)) == 400  # still, every emotional recording is used once
    labels = [[part.recording.label for part in utterance.parts] for utterance in plan]
    assert any(pair == ("happy", "sad") for own in labels for pair in pairwise(own))


@pytest.mark.parametrize("hours", [0.05, 1.0])
def test_hours_are_reached_by_further_passes(hours: float):
    plan = plan_utterances(sources(), 0, "train", SimulationOptions(hours=hours))
    seconds = sum(part.seconds for utterance in plan for part in utterance.parts)
    assert hours * 3600 <= seconds < hours * 3600 + 6.001
    assert len({utterance.name for utterance in plan}) == len(plan)
    used = Counter(file for file in files(plan) if not file.endswith(("/0.wav", "/1.wav")))
    assert max(used.values()) - min(used.values() if len(used) == 120 else [0]) <= 1  # evenly


def test_options_do_not_disturb_each_other():
    plain = plan_utterances(sources(), 0, "train")
    pauses = SimulationOptions(pause_mean=0.3, pause_deviation=0.2)
    everything = SimulationOptions(pause_mean=0.3, pause_deviation=0.2, crossfade=0.05)
    noises, rooms = [Path("a"), Path("b")], [Path("c"), Path("d")]
    paused = plan_utterances(sources(), 0, "train", pauses)
    all_of_it = plan_utterances(sources(), 0, "train", everything, noises, rooms)
    assert files(plain) == files(paused) == files(all_of_it)
    assert [u.pauses for u in paused] == [u.pauses for u in all_of_it]
    drawn = [pause for utterance in paused for pause in utterance.pauses]
    assert min(drawn) == 0 and 0.25 < np.mean(drawn) < 0.37
    assert {u.room for u in all_of_it} == {Path("c"), Path("d")}
    ratios = [u.noise[1] for u in all_of_it]
    assert 10 <= min(ratios) < 12 and 28 < max(ratios) <= 30


@pytest.mark.parametrize(
    "options", [{"events": 0}, {"hours": 0.0}, {"crossfade": -0.1}, {"pause_mean": -1.0}, {"noise_ratio": (3.0, 1.0)}]
)
def test_impossible_options_are_refused(options: dict):
    with pytest.raises(InputError, match=next(iter(options))):
        SimulationOptions(**options).check()


@pytest.mark.parametrize("hours", [None, 1.0])
def test_a_split_without_emotions_is_refused(hours: float | None):
    with pytest.raises(InputError, match="The train split has no recording with an emotion"):
        plan_utterances(sources(emotional=0), 0, "train", SimulationOptions(hours=hours))


def test_join_by_hand():
    one, two = np.ones(10, np.float32), np.full(8, 3, np.float32)
    whole, intervals = acoustics.join([one, two, one], [0, 2], crossfade=4)
    # the first two fade over 4 samples, at 1/8, 3/8, 5/8 and 7/8 of the way from 1 to 3; then 2 samples of silence
    assert whole.tolist() == [1] * 6 + [1.25, 1.75, 2.25, 2.75] + [3] * 4 + [0, 0] + [1] * 10
    assert intervals == [(0, 8), (8, 14), (16, 26)]
    whole, intervals = acoustics.join([one, two], [0], crossfade=0)
    assert whole.tolist() == [1] * 10 + [3] * 8 and intervals == [(0, 10), (10, 18)]


def test_noise_has_the_ratio_that_was_asked_for():
    speech, noise = voice(2.0, 120, 1), np.random.default_rng(0).standard_normal(5000)
    noisy = acoustics.add_noise(speech, noise, ratio=20.0, offset=0.5)
    assert acoustics.level(speech) / acoustics.level(noisy - speech) == pytest.approx(10.0, rel=1e-3)
    np.testing.assert_allclose((noisy - speech)[:2500] * noise[2500] / (noisy - speech)[0], noise[2500:], atol=1e-4)


def test_a_room_moves_nothing_and_keeps_the_level():
    speech = voice(1.0, 120, 1).astype(np.float32)
    response = np.zeros(4000)
    response[300] = 2.0  # the direct sound, late in the file
    np.testing.assert_allclose(acoustics.add_room(speech, response), speech, atol=1e-6)
    response[300:] += 0.05 * np.random.default_rng(0).standard_normal(3700) * np.exp(-np.arange(3700) / 800)
    heard = acoustics.add_room(speech, response)
    assert len(heard) == len(speech) and acoustics.level(heard) == pytest.approx(acoustics.level(speech), rel=1e-4)
    assert np.argmax(np.correlate(heard, speech, "full")) == len(speech) - 1
    assert np.abs(heard - speech).max() > 0.01


def test_nothing_clips():
    assert np.abs(acoustics.limit_peak(np.array([3.0, -6.0, 1.0]))).max() == pytest.approx(0.99)
    quiet = np.array([0.5, -0.2])
    assert acoustics.limit_peak(quiet).tolist() == quiet.tolist()


def test_a_dataset_with_everything(ravdess: Path, tmp_path: Path):
    for name, wave in (("noise", np.random.default_rng(0).standard_normal(8000) / 10), ("room", np.eye(1, 500, 20)[0])):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / f"{name}.wav", wave, 16_000)
    options = {
        "noises": str(tmp_path / "noise"), "rooms": str(tmp_path / "room"), "noise_ratio": (15, 15),
        "pause_mean": 0.3, "crossfade": 0.02, "events": 2, "hours": 0.05,
    }  # fmt: skip
    splits = build(tmp_path / "out", "simulated", corpora={"ravdess": str(ravdess)}, **options)
    assert sum(splits["train"]["duration"]) >= 180 > sum(splits["validation"]["duration"])
    for row in splits["train"].to_list():
        waveform = read_waveform(row["audio"]["bytes"])
        assert len(waveform) == round(row["duration"] * 16_000)
        assert [s["label"] for s in row["segments"]] == [p for p in row["transition"].split("-") if p != "null"]
        for one, following in zip(row["sources"], row["sources"][1:], strict=False):
            pause = waveform[round(one["end"] * 16_000) + 40 : round(following["start"] * 16_000) - 40]
            assert following["start"] - one["end"] == pytest.approx(0.3)
            assert acoustics.level(pause) == pytest.approx(acoustics.level(waveform) * 10 ** (-15 / 20), rel=0.15)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no audio files"):
        build(tmp_path / "bad", "simulated", corpora={"ravdess": str(ravdess)}, noises=str(tmp_path / "empty"))
