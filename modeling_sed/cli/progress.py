"""Progress of many recordings, or of one long one, on a terminal's standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

if TYPE_CHECKING:  # importing them takes seconds
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline
    from ..recordings.diarization import Result

LOOKED_INTO = 200  # recordings; of more, reading all headers first would take its time
BAR = "{percentage:3.0f} %|{bar}| {n:.1f} of {total:.1f} min of audio, {elapsed} < {remaining}"


def progress_of(
    pipeline: SpeechEmotionDiarizationPipeline, names: Sequence[str]
) -> Callable[[Iterator[tuple[int, Result]], int], Iterator[tuple[int, Result]]]:
    """Shows how much audio the pipeline's model has heard of recordings; of many, how many are done.

    Args:
        pipeline: with the model.
        names: of all recordings.

    Returns:
        A function that passes on what comes of so many of them. The bar makes room while the caller prints them.
    """

    def shown(results: Iterator[tuple[int, Result]], total: int) -> Iterator[tuple[int, Result]]:
        if not sys.stderr.isatty():
            yield from results
            return
        seconds = _stated_seconds(names) if total == len(names) <= LOOKED_INTO else None
        bar = tqdm(total=seconds / 60, bar_format=BAR, leave=False) if seconds else tqdm(total=total, leave=False)
        geometry, sampling_rate = pipeline.model.config.geometry, pipeline.model.config.sampling_rate

        def hear(module: Any, arguments: Any, output: Any) -> None:
            windows, frames, _ = output.logits.shape
            heard = windows * frames * geometry.hop / sampling_rate / 60
            bar.update(min(heard, bar.total - bar.n))  # windows overlap

        hook = pipeline.model.register_forward_hook(hear) if seconds else None
        try:
            for result in results:
                if hook is None:
                    bar.update()
                bar.clear()
                yield result
                bar.refresh()
        finally:
            if hook is not None:
                hook.remove()
            bar.close()

    return shown


def _stated_seconds(names: Sequence[str]) -> float | None:
    """How long recordings last, as their headers say; None if one is no file, or does not say."""
    from ..audio_files_sed import stated_duration

    total = 0.0
    for name in names:
        seconds = stated_duration(Path(name))
        if seconds is None:
            return None
        total += seconds
    return total
