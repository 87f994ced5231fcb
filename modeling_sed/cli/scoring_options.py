"""What `score` and `compare` have in common: their options, and how they read annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..evaluation.pairing import Pairs

Reference = Annotated[
    Path,
    typer.Argument(
        help="The truth: JSON (ours, ZED.json, SpeechBrain's, pyannote's, Label Studio's), JSONL, CSV, TSV, RTTM, "
        "TextGrid, Audacity labels (.txt), EAF, SRT, WebVTT, or a folder."
    ),
]
Durations = Annotated[
    Path | None, typer.Option(help="CSV (name,duration) or UEM file; overrules the durations in the annotations.")
]
Neutral = Annotated[list[str] | None, typer.Option(help="Label that means no emotion. Default: neutral; repeatable.")]
Labels = Annotated[list[str] | None, typer.Option(help="A label that may occur. Default: any; repeatable.")]
Renamed = Annotated[list[str] | None, typer.Option("--map", help="What a label is called here: n=neutral; repeatable.")]
Tier = Annotated[
    str | None, typer.Option(help="Tier to read of TextGrid and EAF files that have several. Default: emotion.")
]
Collar = Annotated[float, typer.Option(help="Seconds around reference borders that are not scored.")]
Confidence = Annotated[float, typer.Option(help="Level of the bootstrap intervals.")]
By = Annotated[
    str,
    typer.Option(
        help="What the bootstrap draws: utterance, speaker, recording or another column of --utterances. Several "
        "utterances of a speaker are not independent."
    ),
]
Utterances = Annotated[
    Path | None,
    typer.Option(
        help="CSV file (name,speaker or name,recording) that says whose each utterance is. Default: the speakers of "
        "the references' segments."
    ),
]


@dataclass(frozen=True)
class Systems:
    """What is to be scored: annotations in pairs, by the name of the system.

    Attributes:
        pairs: by name.
        neutral_labels: labels that mean no emotion.
        labels: the emotions that may occur, if only some may.
        clusters: the speaker or recording of each utterance; None if each is one of its own.
    """

    pairs: dict[str, Pairs]
    neutral_labels: list[str]
    labels: list[str] | None
    clusters: list[str] | None


def read_systems(
    reference: Path,
    hypotheses: Sequence[Path],
    *,
    durations: Path | None,
    neutral: Sequence[str] | None,
    label: Sequence[str] | None,
    renamed: Sequence[str] | None,
    tier: str | None,
    by: str,
    utterances: Path | None,
) -> Systems:
    """Reads the truth and the predictions of each system; the arguments are the options.

    Systems are called as their files, or by their whole paths where two files have one name.

    Raises:
        InputError: for what cannot be read, or does not fit together.
    """
    from ..annotations.files import read_annotations, read_durations
    from ..annotations.labels import folded, label_mapping, warn_of_one_sided_labels, with_folded_labels
    from ..evaluation.clusters import clusters_of
    from ..evaluation.pairing import pair_annotations

    mapping = label_mapping(renamed or [])
    neutral_labels = [folded(name, mapping) for name in neutral or ["neutral"]]
    seconds = read_durations(durations) if durations else None
    truth = with_folded_labels(read_annotations(reference, tier), mapping)
    stems = [path.stem for path in hypotheses]
    names = stems if len(set(stems)) == len(stems) else list(map(str, hypotheses))
    pairs = {}
    for name, path in zip(names, hypotheses, strict=True):
        found = with_folded_labels(read_annotations(path, tier), mapping)
        warn_of_one_sided_labels(truth, found, neutral_labels)
        pairs[name] = pair_annotations(truth, found, seconds)
    return Systems(
        pairs,
        neutral_labels,
        [folded(name, mapping) for name in label] if label else None,
        clusters_of(next(iter(pairs.values())).names, by, truth, utterances),
    )
