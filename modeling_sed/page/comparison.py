"""A timeline beside an annotation of the same recording: EDER with its components, and where the errors are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..annotations.annotation import Annotation, utterance_name
from ..annotations.files import read_annotations
from ..annotations.labels import folded, warn_of_one_sided_labels, with_folded_labels
from ..annotations.segments import fill_neutral
from ..annotations.times import DISAGREEMENT
from ..evaluation.pairing import pair_annotations
from ..evaluation.report import score_pairs, worst_utterances
from ..frames_sed import InputError, Segment
from .results import DiarizedRecording, about_file

RATES = ("eder", "false_alarm", "missed_emotion", "confusion", "overlap")


@dataclass(frozen=True)
class Comparison:
    """What differs between a timeline and the truth.

    Attributes:
        rates: EDER and its components, shares of the recording's time, by the names of `RATES`.
        reference: the true segments, neutral ones written out.
        errors: segments whose label is the kind of error.
        notes: what was warned of.
    """

    rates: dict[str, float]
    reference: list[Segment]
    errors: list[Segment]
    notes: list[str]


def compare(recording: DiarizedRecording, path: Path) -> Comparison:
    """Scores a timeline against an annotation, as `emotion-diarization score` does.

    Args:
        recording: what was found.
        path: of a file in any format that `read_annotations` reads. If it holds one recording, that is this one,
            whatever its name.

    Raises:
        InputError: as `read_annotations` and `score_pairs`, or if the annotation is of another recording; the
            file's folder is not named.
    """
    with about_file(path) as notes:
        true = _annotation_of(recording, read_annotations(path), path)
        references = with_folded_labels({recording.name: true})
        predictions = with_folded_labels({recording.name: Annotation(recording.name, recording.segments)})
        neutral = [folded(recording.neutral_label)]
        warn_of_one_sided_labels(references, predictions, neutral)
        pairs = pair_annotations(references, predictions, {recording.name: recording.duration})
        result = score_pairs(pairs, neutral)
    (found,) = worst_utterances(pairs, result, 1, neutral)
    names = {folded(label): label for label in recording.labels}
    reference = fill_neutral(found["reference"], recording.duration, neutral[0])
    reference = [{**segment, "label": names.get(segment["label"], segment["label"])} for segment in reference]
    return Comparison({name: result[name] for name in RATES}, reference, found["errors"], notes)


def _annotation_of(recording: DiarizedRecording, annotations: Mapping[str, Annotation], path: Path) -> Annotation:
    if len(annotations) == 1:
        (found,) = annotations.values()
    elif utterance_name(recording.name) in annotations:
        found = annotations[utterance_name(recording.name)]
    else:
        raise InputError(
            f"{path}: of its {len(annotations)} recordings, none is called {utterance_name(recording.name)}."
        )
    if found.duration is not None and abs(found.duration - recording.duration) > DISAGREEMENT:
        raise InputError(
            f"{path} is of a recording of {found.duration:g} s, but {recording.name} has {recording.duration:g} s: it "
            "seems to be another."
        )
    return found
