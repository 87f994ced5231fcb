"""Posteriors of frames as tables of sed_scores_eval, for scores over all thresholds, such as PSDS.

sed_scores_eval.intersection_based.psds(
    scores="FOLDER/scores", ground_truth="FOLDER/ground_truth.tsv", audio_durations="FOLDER/durations.tsv", ...
)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..annotations.segments import union

if TYPE_CHECKING:
    from .tuning import UtterancePosteriors


def write_sed_scores(
    utterances: Sequence[UtterancePosteriors], labels: Sequence[str], neutral_label: str, folder: Path
) -> None:
    """Writes ``scores/NAME.tsv`` of each utterance, ``ground_truth.tsv`` and ``durations.tsv``.

    Neutral is no event, and has no column.

    Args:
        utterances: with posteriors ``(frames, labels)`` and true segments; their names are those of files.
        labels: of the posteriors.
        neutral_label: the one that means no emotion.
        folder: is made if it is not there.
    """
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    emotions = [index for index, label in enumerate(labels) if label != neutral_label]
    events: list[tuple[Any, ...]] = [("filename", "onset", "offset", "event_label")]
    durations: list[tuple[Any, ...]] = [("filename", "duration")]
    for item in utterances:
        name = f"{item.annotation.name}.wav"  # sed_scores_eval leaves the suffix out
        frames = zip(item.frame_times[:-1], item.frame_times[1:], item.posteriors[:, emotions], strict=True)
        header = ("onset", "offset", *(labels[index] for index in emotions))
        rows = [(float(start), float(end), *map(float, scores)) for start, end, scores in frames]
        _write(folder / "scores" / f"{item.annotation.name}.tsv", [header, *rows])
        own = [
            (name, start, end, labels[index])
            for index in emotions
            for start, end in union(one for one in item.annotation.segments if one["label"] == labels[index])
        ]
        events += own or [(name, "", "", "")]  # otherwise it would be unknown
        durations.append((name, float(item.frame_times[-1])))
    _write(folder / "ground_truth.tsv", events)
    _write(folder / "durations.tsv", durations)


def _write(path: Path, rows: Iterable[tuple[Any, ...]]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
