"""What cards say of corpora: every reader's, and that something is not known where it is not."""

from __future__ import annotations

from modeling_sed.dataset_scripts.corpora import READERS
from modeling_sed.dataset_scripts.corpora.about import ABOUT, corpora_table, languages_of


def test_every_corpus_with_a_reader_is_described():
    assert {*READERS, "zed"} <= ABOUT.keys()


def test_table_and_languages():
    assert corpora_table(["nemo", "calls"]).splitlines()[2:] == [
        "| nemo | acted | pl | CC BY-NC-SA 4.0 |",
        "| calls | not known to this program | ? | not known to this program |",
    ]
    assert languages_of(["ravdess", "calls", "emodb", "tess"]) == ["de", "en"]
