"""Changes to bytes: those that break files, without knowing the format."""

from __future__ import annotations

import random

# numbers at the edges of types, in both orders of bytes, and what texts and formats begin and end with
NUMBERS = (0, 1, 2**7 - 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
TOKENS = (
    *(number.to_bytes(size, order) for number in NUMBERS for size in (1, 2, 4, 8) for order in ("little", "big")
      if number < 256**size),
    *(b"\0", b"\n", b"\r\n", b"\t", b" ", b'"', b"'", b",", b";", b":", b"-", b".", b"[", b"]", b"{", b"}", b"<", b">"),
    *(b"nan", b"inf", b"-1", b"1e400", b"9" * 400, b"null", b"true", b"../", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
)  # fmt: skip
LONGEST = 2**18  # bytes of an input


def mutate(generator: random.Random, seeds: list[bytes]) -> bytes:
    """One of the seeds after one to eight changes; now and then, noise."""
    if not seeds or generator.random() < 0.01:
        return generator.randbytes(generator.randrange(200))
    content = bytearray(generator.choice(seeds))
    for _ in range(generator.choice((1, 1, 2, 3, 8))):
        generator.choice(CHANGES)(generator, content, seeds)
    return bytes(content[:LONGEST])


def _place(generator: random.Random, content: bytearray) -> int:
    """Anywhere; half of the time near the beginning, where headers are."""
    near = min(len(content), 200) if generator.random() < 0.5 else len(content)
    return generator.randint(0, near)


def _stretch(generator: random.Random, content: bytearray) -> slice:
    first = _place(generator, content)
    return slice(first, first + min(int(generator.expovariate(1 / 50)) + 1, len(content)))


def _flip(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    if content:
        content[min(_place(generator, content), len(content) - 1)] ^= 1 << generator.randrange(8)


def _overwrite(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    token, first = generator.choice(TOKENS), _place(generator, content)
    content[first : first + len(token)] = token


def _insert(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    first = _place(generator, content)
    content[first:first] = generator.choice(TOKENS) * generator.choice((1, 1, 1, 2, 100))


def _noise(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    stretch = _stretch(generator, content)
    content[stretch] = generator.randbytes(len(content[stretch]))


def _remove(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    del content[_stretch(generator, content)]


def _repeat(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    stretch = _stretch(generator, content)
    content[stretch.stop : stretch.stop] = content[stretch] * generator.choice((1, 2, 200))


def _cut(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    del content[_place(generator, content) :]


def _splice(generator: random.Random, content: bytearray, seeds: list[bytes]) -> None:
    other = bytearray(generator.choice(seeds))
    content[_place(generator, content) :] = other[_place(generator, other) :]


CHANGES = (_flip, _flip, _overwrite, _overwrite, _insert, _noise, _remove, _repeat, _cut, _splice)
