"""Builds what models are trained and tested on: unseen speakers, unseen corpora, and tests in the shape of ZED."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import datasets

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import read_annotations
from modeling_sed.dataset_scripts.build import build, format_statistics
from modeling_sed.dataset_scripts.builder import INFO, SEDBuilderConfig, plan_splits, table_of
from modeling_sed.dataset_scripts.simulation import Source

from .zed_shape import plan_like, render_parts

SEEDS = (1, 2, 3)
UNSEEN_SPEAKERS, UNSEEN_CORPUS, ZED_SHAPED = "unseen_speakers", "unseen_corpus", "zed_shaped"


def prepare(corpora: Mapping[str, str], annotation: Path, output_dir: Path, num_proc: int | None = None) -> None:
    """Builds all datasets below a folder and prints their statistics; those that are there are used again.

    Args:
        corpora: folders by the names of their readers.
        annotation: ZED.json, or the same in any format that is read; without its audio.
        output_dir: gets ``unseen_speakers/seed_1`` …, ``unseen_corpus/NAME`` … and ``zed_shaped/seed_1`` ….
        num_proc: processes that decode, find speech and make utterances.

    Raises:
        InputError: if a corpus, the annotation or the folder cannot be used.
    """
    annotations = read_annotations(annotation)
    for seed in SEEDS:
        options = {"corpora": corpora, "split_by": "speaker", "seed": seed}
        folder = output_dir / UNSEEN_SPEAKERS / f"seed_{seed}"
        _report(folder, build(folder, "benchmark", num_proc=num_proc, **options))
        folder = output_dir / ZED_SHAPED / f"seed_{seed}"
        sources = recordings_of_test(SEDBuilderConfig.checked("benchmark", options), num_proc)
        splits = datasets.DatasetDict(test=zed_shaped(annotations, sources, seed))
        splits.save_to_disk(str(folder))
        _report(folder, splits)
    for corpus in corpora:
        folder = output_dir / UNSEEN_CORPUS / corpus
        options = {"corpora": corpora, "split_by": "corpus", "held_out": corpus, "seed": SEEDS[0]}
        _report(folder, build(folder, "benchmark", num_proc=num_proc, **options))


def recordings_of_test(config: SEDBuilderConfig, num_proc: int | None = None) -> list[Source]:
    """The recordings that the utterances of a simulated test split consist of, each once."""
    utterances = plan_splits(config, num_proc)["test"]
    return list(dict.fromkeys(part for utterance in utterances for part in utterance.parts))


def zed_shaped(annotations: Mapping[str, Annotation], sources: list[Source], seed: int) -> datasets.Dataset:
    """A test split whose utterances have the sequences and durations of the annotation (see zed_shape.py)."""
    table = table_of(map(render_parts, plan_like(annotations, sources, seed)))
    return datasets.Dataset(table, info=INFO.copy(), split=datasets.Split.TEST)


def _report(folder: Path, splits: datasets.DatasetDict) -> None:
    print(f"\n{folder}\n{format_statistics(splits)}", flush=True)
