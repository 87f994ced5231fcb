"""Shards: parts of many recordings, for machines that know nothing of each other."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

from ..frames_sed import InputError
from ..recordings.sources import Recordings


def parse_shard(text: str) -> tuple[int, int]:
    """The number of a shard, from 1, and how many there are, of ``"3/64"``.

    Raises:
        InputError: if it is something else, or there is no such shard.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    index, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= index <= count:
        raise InputError(f"{text}: a shard is I/N, its number from 1 and how many there are, such as 3/64.")
    return index, count


def shard_of(name: str, count: int) -> int:
    """The shard that a recording belongs to, from 1 to ``count``.

    It depends on the name alone: every machine finds the same, and a recording more or less moves no other. Accents
    that are composed in another way, as file systems have them, make no other name.
    """
    content = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    return int.from_bytes(sha256(content).digest()[:8], "big") % count + 1


def split_shard(recordings: Recordings, index: int, count: int) -> tuple[Recordings, list[str]]:
    """The recordings of a shard, in their order, and the names of all others."""
    shards = [shard_of(name, count) for name in recordings.names]
    ours = [position for position, shard in enumerate(shards) if shard == index]
    others = [name for name, shard in zip(recordings.names, shards, strict=True) if shard != index]

    def of_ours(values: Any) -> Any:
        """What gives, or has, a value for each recording."""
        return (
            (lambda position: values(ours[position])) if callable(values) else [values[position] for position in ours]
        )

    given = {field.name: getattr(recordings, field.name) for field in fields(recordings)}
    return replace(recordings, **{key: of_ours(values) for key, values in given.items() if values is not None}), others
