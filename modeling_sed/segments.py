"""Segments for people to read. A segment is a mapping with start, end (seconds), label and, if predicted, score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def format_table(segments: Sequence[Mapping[str, Any]], reference: Sequence[Mapping[str, Any]] | None = None) -> str:
    """A table with a line for each segment; a reference's lines stand beside the segments that they begin in.

    Args:
        segments: ``{"start", "end", "label"}`` each, ``score`` if they are predictions, ``speaker`` where it is known.
        reference: the true segments, if they are known.
    """
    predicted = [_line(segment) for segment in segments]
    if reference is None:
        return "\n".join([_HEADER, *predicted])
    true = [_line(segment) for segment in reference]
    height = max(len(predicted), len(true))
    blank = " " * len(_HEADER)
    left = predicted + [blank] * (height - len(predicted))
    right = true + [""] * (height - len(true))
    lines = [f"{'predicted':<{len(_HEADER)}}    reference", f"{_HEADER}    {_HEADER}"]
    return "\n".join(lines + [f"{a:<{len(_HEADER)}}    {b}".rstrip() for a, b in zip(left, right, strict=True)])


_HEADER = "   start      end   label        score"


def _line(segment: Mapping[str, Any]) -> str:
    score = f"{segment['score']:.3f}" if segment.get("score") is not None else ""
    line = f"{segment['start']:8.2f} {segment['end']:8.2f}   {segment['label']:<12} {score:>5}"
    return f"{line}   {segment['speaker']}" if "speaker" in segment else line


def with_neutral(
    segments: Sequence[Mapping[str, Any]], duration: float, neutral_label: str = "neutral"
) -> list[dict[str, Any]]:
    """The same segments in order, with the neutral stretches between them written out.

    Args:
        segments: in any order; overlaps stay as they are.
        duration: of the recording, in seconds.
        neutral_label: label of the stretches that no segment covers.
    """
    filled, covered = [], 0.0
    for segment in sorted(segments, key=lambda segment: (segment["start"], segment["end"])):
        if segment["start"] > covered:
            filled.append({"start": covered, "end": segment["start"], "label": neutral_label})
        filled.append(dict(segment))
        covered = max(covered, segment["end"])
    if covered < duration:
        filled.append({"start": covered, "end": duration, "label": neutral_label})
    return filled


def join_equal(segments: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours with the same label that touch each other become one; its score is their mean over time.

    Args:
        segments: in order.
    """
    joined: list[dict[str, Any]] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is None or last["label"] != segment["label"] or last["end"] != segment["start"]:
            joined.append(dict(segment))
            continue
        if "score" in last and "score" in segment:
            seconds = last["end"] - last["start"], segment["end"] - segment["start"]
            last["score"] = (last["score"] * seconds[0] + segment["score"] * seconds[1]) / sum(seconds)
        last["end"] = segment["end"]
    return joined
