"""What cards of datasets and models say of the corpora: how the emotions came about, languages, licences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class AboutCorpus(NamedTuple):
    """Of a corpus.

    Attributes:
        nature: how its emotions came about.
        languages: ISO 639-1 codes.
        licence: of its recordings, as its publication says.
    """

    nature: str
    languages: tuple[str, ...]
    licence: str


ABOUT = {
    "iemocap": AboutCorpus("acted and improvised", ("en",), "by agreement with SAIL, USC; not to be passed on"),
    "ravdess": AboutCorpus("acted", ("en",), "CC BY-NC-SA 4.0"),
    "emovdb": AboutCorpus("acted", ("en",), "its own, not for commercial purposes"),
    "esd": AboutCorpus("acted", ("en",), "for research only"),
    "jl_corpus": AboutCorpus("acted", ("en",), "CC0 1.0"),
    "crema_d": AboutCorpus("acted", ("en",), "ODbL 1.0"),
    "tess": AboutCorpus("acted", ("en",), "CC BY-NC-ND 4.0"),
    "emodb": AboutCorpus("acted", ("de",), "as its authors say (emodb.bilderbar.info)"),
    "nemo": AboutCorpus("acted", ("pl",), "CC BY-NC-SA 4.0"),
    "emotion_tts_ko": AboutCorpus("acted", ("ko",), "CC BY-NC-SA 4.0, for research only"),
    "zed": AboutCorpus("natural, annotated in time by people", ("en",), "CC BY-NC 4.0"),
    "synthetic": AboutCorpus("synthetic: rules for the prosody of a speech synthesiser", ("en",), "as its makers say"),
}
UNKNOWN = AboutCorpus("not known to this program", (), "not known to this program")


def corpora_table(names: Iterable[str]) -> str:
    """A table of corpora, in Markdown."""
    rows = [(name, ABOUT.get(name, UNKNOWN)) for name in names]
    header = ["| corpus | emotions | language | licence of the recordings |", "| --- | --- | --- | --- |"]
    lines = [f"| {name} | {one.nature} | {', '.join(one.languages) or '?'} | {one.licence} |" for name, one in rows]
    return "\n".join([*header, *lines])


def languages_of(names: Iterable[str]) -> list[str]:
    """ISO 639-1 codes of all languages of corpora, sorted."""
    return sorted({language for name in names for language in ABOUT.get(name, UNKNOWN).languages})
