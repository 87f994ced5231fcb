"""What trained models answer to the utterances of a test. Posteriors are kept on disk; nothing is fitted here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from datasets import Dataset

from modeling_sed import InputError, SEDConfig, Segment
from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.dataset_rows import as_segments
from modeling_sed.cli.model_loading import load_pipeline
from modeling_sed.decoding_sed import temper
from modeling_sed.evaluation.tuning import UtterancePosteriors, decode_utterances, posteriors_of
from modeling_sed.recordings.sources import dataset_split
from modeling_sed.training.report import RESULTS_FILE

OWN, ARGMAX, ALL_NEUTRAL, MOST_FREQUENT = "own decoder", "argmax", "all neutral", "most frequent emotion"
DECODERS, TRIVIAL = (OWN, ARGMAX), (ALL_NEUTRAL, MOST_FREQUENT)


@dataclass(frozen=True)
class Answered:
    """An utterance of a test, and what is answered to it.

    Attributes:
        corpus: that it is from.
        speaker: who speaks, with the corpus: the same person in all tests.
        truth: its true segments and labels, and the model's posteriors at the model's temperature.
        answers: segments by the name of the answer, of `DECODERS` and `TRIVIAL`.
    """

    corpus: str
    speaker: str
    truth: UtterancePosteriors
    answers: dict[str, list[Segment]]


def answer_tests(runs: Sequence[Path], tests: Sequence[Path], cache: Path) -> list[Answered]:
    """What each run answers to its own test, one after the other.

    Args:
        runs: folders of trained models, as train_sed.py writes them.
        tests: folders of datasets, one for each run; their test splits are taken.
        cache: folder that keeps posteriors.

    Raises:
        InputError: if there is not one test for each run, or one of them cannot be used.
    """
    if len(runs) != len(tests):
        raise InputError(f"Each run needs its test; got {len(runs)} runs and {len(tests)} tests.")
    return [
        answered
        for run, test in zip(runs, tests, strict=True)
        for answered in _answer(run, dataset_split(test, "test"), cache)
    ]


def _answer(run: Path, rows: Dataset, cache: Path) -> list[Answered]:
    emotion, config = _most_frequent_emotion(run), SEDConfig.from_pretrained(run)
    found = cached_posteriors(run, rows, cache)
    own = decode_utterances(found, config, config.decoder, config.posterior_temperature)
    argmax = decode_utterances(found, config, "argmax")
    answered = []
    for item, corpus, speaker, *decoded in zip(found, rows["corpus"], rows["speaker"], own, argmax, strict=True):
        throughout: Segment = {"start": 0.0, "end": item.annotation.duration, "label": emotion}
        answers = dict(zip((*DECODERS, *TRIVIAL), (*decoded, [], [throughout]), strict=True))
        calibrated = replace(item, posteriors=temper(item.posteriors, config.posterior_temperature))
        answered.append(Answered(corpus, f"{corpus}/{speaker}", calibrated, answers))
    return answered


def _most_frequent_emotion(run: Path) -> str:
    """Of the split that the run was trained on, as training noted it."""
    try:
        return json.loads((run / RESULTS_FILE).read_text(encoding="utf-8"))["majority_emotion"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{run / RESULTS_FILE} does not tell the most frequent emotion of the train split ({error!r}); name the "
            "folder of a run of train_sed.py that came to its end."
        ) from error


def cached_posteriors(run: Path, rows: Dataset, cache: Path) -> list[UtterancePosteriors]:
    """The posteriors of a model for a split, before any temperature; computed once for the same model and data."""
    file = cache / f"{_digest(run, rows)}.npz"
    if not file.is_file():
        found = posteriors_of(load_pipeline(str(run)), rows)
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished.npz")
        np.savez(
            unfinished,
            frames=[len(item.posteriors) for item in found],
            posteriors=np.concatenate([item.posteriors for item in found]),
            frame_labels=np.concatenate([item.frame_labels for item in found]),
            frame_times=np.concatenate([item.frame_times for item in found]),
        )
        unfinished.replace(file)
    with np.load(file) as stored:
        ends = np.cumsum(stored["frames"])
        posteriors, labels = (np.split(stored[name], ends[:-1]) for name in ("posteriors", "frame_labels"))
        times = np.split(
            stored["frame_times"], (ends + np.arange(1, len(ends) + 1))[:-1]
        )  # one border more than frames
    described = rows.select_columns(["name", "segments", "duration"])
    return [
        UtterancePosteriors(Annotation(row["name"], as_segments(row["segments"]), row["duration"]), *arrays)
        for row, *arrays in zip(described, posteriors, labels, times, strict=True)
    ]


def _digest(run: Path, rows: Dataset) -> str:
    """Changes with the model and the data; not with decoder and temperature, on which posteriors do not depend."""
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    fitted_later = ("decoder", "posterior_temperature")
    digest = hashlib.sha256(json.dumps({k: v for k, v in config.items() if k not in fitted_later}).encode())
    for path in (*sorted(run.glob("*.safetensors")), run / "preprocessor_config.json"):
        digest.update(path.read_bytes())
    for file in rows.cache_files:
        digest.update(Path(file["filename"]).read_bytes())
    return digest.hexdigest()[:16]
