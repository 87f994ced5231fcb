"""Which utterances belong together: those of one speaker, of one recording, or of whatever a table says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..annotations.annotation import Annotation
from ..annotations.csv_files import read_csv_column
from ..frames_sed import InputError

UTTERANCE, SPEAKER = "utterance", "speaker"


def clusters_of(
    names: Sequence[str], by: str, references: Mapping[str, Annotation], table: Path | None = None
) -> list[str] | None:
    """The speaker or recording of each utterance, for a bootstrap of these.

    Args:
        names: of the utterances.
        by: "utterance", "speaker", "recording" or another column of the table.
        references: by name; where there is no table, their segments tell who speaks.
        table: CSV or TSV with the column ``name`` and one called as ``by``.

    Returns:
        A name for each utterance; None if each is one of its own.

    Raises:
        InputError: if it is not known of each utterance what it belongs to.
    """
    if by == UTTERANCE:
        return None
    if table is None and by != SPEAKER:
        raise InputError(f"--by {by} needs --utterances: a CSV file with the columns name and {by}.")
    known = _speakers(references) if table is None else dict(read_csv_column(table, by))
    if missing := [name for name in names if name not in known]:
        remedy = "their references must name one, or --utterances say it" if table is None else f"see {table}"
        raise InputError(f"--by {by}: the {by} is not known of {', '.join(missing)}; {remedy}.")
    return [known[name] for name in names]


def _speakers(references: Mapping[str, Annotation]) -> dict[str, str]:
    speakers = {
        name: {segment["speaker"] for segment in annotation.segments if "speaker" in segment}
        for name, annotation in references.items()
    }
    return {name: next(iter(found)) for name, found in speakers.items() if len(found) == 1}
