"""A table of recordings in, a table of their segments out: what an engine for archives, such as Ray Data, maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import torch
from transformers import pipeline

from ..checkpoints.opening import digest_of_model, model_folder
from ..frames_sed import InputError, Segment
from ..hub.bundled_model import BUNDLED_MODEL
from ..recordings.speaker_turns import Turn, spoken_segments

TEXT, NUMBER = pa.string(), pa.float64()
SEGMENTS = pa.schema(
    [
        *(("recording", TEXT), ("start", NUMBER), ("end", NUMBER), ("label", TEXT), ("score", NUMBER)),
        *(("speaker", TEXT), ("error", TEXT), ("model", TEXT), ("revision", TEXT)),
    ]
)


class TableDiarizer:
    """For `ray.data.Dataset.map_batches` with ``batch_format="pyarrow"``: an actor loads the model once.

    The rows for a recording do not depend on the batch that it comes in, so that a task may be tried again anywhere.

    Args:
        model: folder that all machines see, or hub id; default: the model that comes with the package.
        device: default: the actor's GPU if it has one.
        dtype: "bfloat16" on GPUs; default: as the model was saved.
        options: of the pipeline, such as ``decoder``, ``window``, ``max_duration``, ``batch_size``.

    Raises:
        InputError: if the model cannot be loaded.
    """

    def __init__(self, model: str | None = None, device: str | None = None, dtype: str | None = None, **options: Any):
        from .. import TASK

        folder = BUNDLED_MODEL if model is None else model_folder(model)
        is_snapshot = folder.parent.name == "snapshots"  # in the Hub's cache, whose folders are called by commits
        revision = folder.name if is_snapshot else digest_of_model(folder)
        self._source = {"model": BUNDLED_MODEL.name if model is None else model, "revision": revision}
        loading: dict[str, Any] = {"device": device, "dtype": dtype}
        self._pipeline = pipeline(TASK, model=str(folder), **loading)  # type: ignore[call-overload]  # its own tasks only
        self._options = {"batch_size": "auto", **options}

    def __call__(self, recordings: pa.Table) -> pa.Table:
        """The segments of recordings, as rows of `SEGMENTS`; what cannot be heard is a row with its ``error``.

        Args:
            recordings: with the column ``recording``: paths or addresses. If there is a column ``turns``, lists of
                ``{"start", "end", "speaker"}``, the segments are those of the speakers.

        Raises:
            torch.AcceleratorError: if a GPU fails, which is not the recordings' fault.
        """
        names = recordings["recording"].to_pylist()
        has_turns = "turns" in recordings.column_names
        turns = recordings["turns"].to_pylist() if has_turns else [None] * len(names)
        found = zip(names, self._timelines(names), turns, strict=True)
        rows = [row | self._source for name, timeline, spoken in found for row in _rows(name, timeline, spoken)]
        return pa.Table.from_pylist(rows, SEGMENTS)

    def _timelines(self, names: Sequence[str]) -> Iterator[list[Segment] | Exception]:
        """The timeline of each recording, or why it has none."""
        done = 0
        try:
            for found in self._pipeline(iter(names), return_exceptions=True, **self._options):
                yield found
                done += 1
        except torch.AcceleratorError:
            raise
        except Exception:  # a bug, which one of them has met: it is to cost an archive no other
            yield from map(self._alone, names[done:])

    def _alone(self, name: str) -> list[Segment] | Exception:
        try:
            return self._pipeline(name, **self._options)
        except torch.AcceleratorError:
            raise
        except Exception as error:
            return error


def _rows(name: str, timeline: list[Segment] | Exception, turns: Sequence[Turn] | None) -> list[dict[str, Any]]:
    try:
        if isinstance(timeline, Exception):
            raise timeline
        segments = timeline if turns is None else spoken_segments(timeline, turns)
        if not segments:
            raise InputError(f"{name}: nobody speaks, by the turns of speakers.")
    except InputError as error:
        return [{"recording": name, "error": str(error)}]
    except Exception as error:
        return [{"recording": name, "error": f"{type(error).__name__}: {error}"}]
    return [{"recording": name, **segment} for segment in segments]
