"""Labels are the same whatever their case and the spaces around them; names of other tools are mapped."""

from __future__ import annotations

import unicodedata
import warnings

import pytest

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.labels import folded, label_mapping, warn_of_one_sided_labels, with_folded_labels
from modeling_sed.frames_sed import InputError, InputWarning


def labelled(*labels: str) -> dict[str, Annotation]:
    return {"a": Annotation("a", [{"start": 0.0, "end": 1.0, "label": label, "score": 0.5} for label in labels], 2.0)}


def test_labels_are_folded():
    assert folded(" Happy\t") == folded("HAPPY") == "happy"
    assert folded("GROẞ") == folded("gross")
    assert folded(unicodedata.normalize("NFD", "Müde")) == folded("müde")


def test_labels_are_mapped_in_any_spelling():
    mapping = label_mapping(["N=Neutral", "very sad = sad", "x=a=b"])
    assert mapping == {"n": "neutral", "very sad": "sad", "x": "a=b"}
    given = labelled("n", "Very Sad", "angry")
    found = with_folded_labels(given, mapping)
    assert found == labelled("neutral", "sad", "angry")
    assert given == labelled("n", "Very Sad", "angry")


@pytest.mark.parametrize("assignments", [["n"], ["n="], ["=n"], [""], ["n=a", "N=b"]])
def test_other_assignments_are_refused(assignments: list[str]):
    with pytest.raises(InputError, match=r"must say which label|cannot become both"):
        label_mapping(assignments)


def test_labels_of_one_side_are_warned_of_but_for_neutral_ones():
    with pytest.warns(InputWarning, match=r"only in the predictions: joy \(2\)\.$"):
        warn_of_one_sided_labels(labelled("sad"), labelled("sad", "joy", "neutral", "joy"), ["neutral"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_one_sided_labels(labelled("sad", "calm"), labelled("sad", "neutral"), ["neutral", "calm"])
