"""Shards: which recordings belong to one, and that nothing else has a say in it."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.archive.shards import parse_shard, shard_of, split_shard
from modeling_sed.recordings.sources import Recordings

NAMES = st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=8)
ON_A_BUSY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
COUNTS = st.integers(1, 8)


@ON_A_BUSY_MACHINE
@given(NAMES, COUNTS)
def test_each_recording_is_in_one_shard_with_all_that_belongs_to_it(names: list[str], count: int):
    references = [[{"start": 0.0, "end": 1.0, "label": name}] for name in names]
    recordings = Recordings(names, lambda position: f"audio of {names[position]}", references)
    found = []
    for index in range(1, count + 1):
        shard, others = split_shard(recordings, index, count)
        assert list(shard.names) == [name for name in names if shard_of(name, count) == index]
        assert others == [name for name in names if name not in shard.names]
        assert [shard.audio(position) for position in range(len(shard.names))] == [
            f"audio of {name}" for name in shard.names
        ]
        assert [(segment["label"]) for (segment,) in shard.references] == list(shard.names)
        found += shard.names
    assert sorted(found) == sorted(names)
    assert split_shard(Recordings(names, names.__getitem__), 1, count)[0].references is None


@ON_A_BUSY_MACHINE
@given(NAMES, st.text(min_size=1), COUNTS)
def test_a_recording_more_moves_no_other(names: list[str], another: str, count: int):
    def shards(names: list[str]) -> dict[str, int]:
        recordings = Recordings(names, names.__getitem__)
        return {name: index for index in range(1, count + 1) for name in split_shard(recordings, index, count)[0].names}

    before, after = shards(names), shards([another, *(name for name in names if name != another)])
    assert {name: after[name] for name in names} == before


def test_a_shard_is_a_part_of_the_names_digest():
    first_eight_bytes = int(sha256(b"calls/1.wav").hexdigest()[:16], 16)
    assert shard_of("calls/1.wav", 7) == first_eight_bytes % 7 + 1
    # written out, since machines with different versions must agree
    assert [shard_of(f"calls/{number}.wav", 4) for number in range(8)] == [3, 1, 4, 3, 2, 4, 3, 1]
    composed, decomposed = (unicodedata.normalize(form, "appels/été.wav") for form in ("NFC", "NFD"))
    assert composed != decomposed and shard_of(composed, 1000) == shard_of(decomposed, 1000)
    assert 1 <= shard_of("caf\udce9.wav", 5) <= 5  # a name that is not UTF-8 on disk


def test_shards_are_about_equal():
    sizes = [0] * 64
    for number in range(64_000):
        sizes[shard_of(f"s3://archive/{number:06}.flac", 64) - 1] += 1
    # binomial: 1,000 on average, with a standard deviation of 31.4
    assert min(sizes) > 1_000 - 5 * 31.4 and max(sizes) < 1_000 + 5 * 31.4


def test_what_is_no_shard():
    assert parse_shard("3/64") == (3, 64) and parse_shard("1/1") == (1, 1)
    for text in ("0/4", "5/4", "1/0", "1", "a/b", "1/2/3", "-1/4", " 1/2", "1/2\n", "", "1/" + "9" * 5_000):
        with pytest.raises(ValueError, match="a shard is I/N"):
            parse_shard(text)
