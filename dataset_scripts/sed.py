"""The datasets builder of Speech Emotion Diarization, and its command line.

    python dataset_scripts/sed.py benchmark --corpus ravdess=DIR --seed 1 --output_dir OUT

Configurations: `simulated` (train and validation: concatenated recordings of emotional speech corpora), `zed` (test:
the Zaion Emotion Dataset), `benchmark` (all three; without ZED, test is simulated from speakers that the other splits
do not have). Section 5.1 of arXiv 2306.12991. Times are seconds; neutral stretches have no segment.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:  # run as a file: relative imports need to know the package (PEP 366)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    __package__ = "dataset_scripts"

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet

from .corpora import READERS
from .corpora.recording import EMOTIONS, AnnotatedUtterance, audio_files
from .corpora.zed import read_zed
from .simulation import NEUTRAL, PlannedUtterance, SimulationOptions, plan_utterances, render
from .sources import find_sources
from .splits import SPLIT_BY, split_sources
from .waveforms import SAMPLING_RATE, encode_waveform, read_waveform

CONFIGURATIONS = ("simulated", "zed", "benchmark")
ROWS_AT_ONCE = 64

FEATURES = datasets.Features(
    {
        "id": datasets.Value("string"),
        "audio": datasets.Audio(sampling_rate=SAMPLING_RATE, decode=False),
        "duration": datasets.Value("float64"),
        "segments": [
            {"start": datasets.Value("float64"), "end": datasets.Value("float64"), "label": datasets.Value("string")}
        ],
        "speaker": datasets.Value("string"),
        "corpus": datasets.Value("string"),
        "transition": datasets.Value("string"),
        "transcription": datasets.Value("string"),
        "sources": [
            {
                "file": datasets.Value("string"),
                "start": datasets.Value("float64"),
                "end": datasets.Value("float64"),
                "stretches": [{"start": datasets.Value("float64"), "end": datasets.Value("float64")}],
            }
        ],
    }
)


@dataclass
class SEDBuilderConfig(datasets.BuilderConfig):
    """What a dataset is built from.

    Attributes:
        corpora: folder of each corpus, by its reader's name, or by any name for one with a ``metadata.csv``.
        zed: folder or ZIP archive of ZED.
        labels: emotions to use; "neutral" must be among them.
        renamed: emotions that count as others, such as ``{"calm": "neutral"}``.
        split_by: "recording" (the paper's), "speaker" or "corpus": what the splits do not share.
        held_out: the corpus that is left out of training (``split_by="corpus"``).
        events, crossfade, pause_mean, pause_deviation, noise_ratio, hours: see `SimulationOptions`.
        noises, rooms: folders with the audio files of `SimulationOptions`.
        seed: of the splits and of the simulation.
        validation_fraction: share of the recordings, or speakers, for validation.
        test_fraction: share of the speakers for a simulated test split (configuration `benchmark` without ZED).
    """

    corpora: Mapping[str, str] = field(default_factory=dict)
    zed: str | None = None
    labels: Sequence[str] = EMOTIONS
    renamed: Mapping[str, str] = field(default_factory=dict)
    split_by: str = "recording"
    held_out: str | None = None
    events: int = 1
    crossfade: float = 0.0
    pause_mean: float = 0.0
    pause_deviation: float = 0.0
    noises: str | None = None
    noise_ratio: tuple[float, float] = (10.0, 30.0)
    rooms: str | None = None
    hours: float | None = None
    seed: int = 0
    validation_fraction: float = 0.1
    test_fraction: float = 0.2

    def check(self) -> None:
        """Raises a ValueError if nothing can be built of this."""
        if self.name not in CONFIGURATIONS:
            raise ValueError(f"The configurations are {', '.join(CONFIGURATIONS)}; got {self.name!r}.")
        if self.name != "zed" and not self.corpora:
            raise ValueError(f"The configuration {self.name!r} needs a corpus: {', '.join(READERS)}.")
        if self.name == "zed" and self.zed is None:
            raise ValueError("The configuration 'zed' needs the folder or ZIP archive of ZED.")
        if NEUTRAL not in self.labels:
            raise ValueError(f"labels must contain {NEUTRAL!r}; got {', '.join(self.labels)}.")
        if (self.split_by == "corpus") != (self.held_out is not None) or self.held_out not in (None, *self.corpora):
            raise ValueError(
                "split_by 'corpus', and nothing else, needs held_out, one of the corpora; "
                f"got split_by {self.split_by!r} and held_out {self.held_out!r}."
            )
        if self.split_by not in SPLIT_BY:
            raise ValueError(f"split_by is one of {', '.join(SPLIT_BY)}; got {self.split_by!r}.")
        for name in ("validation_fraction", "test_fraction"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1; got {getattr(self, name)}.")

    def simulation_options(self) -> SimulationOptions:
        """The options of the simulation, with the files of its folders."""
        return SimulationOptions(
            events=self.events,
            crossfade=self.crossfade,
            pause_mean=self.pause_mean,
            pause_deviation=self.pause_deviation,
            noises=_files_of(self.noises),
            noise_ratio=tuple(self.noise_ratio),
            rooms=_files_of(self.rooms),
            hours=self.hours,
        )


def _files_of(folder: str | None) -> tuple[Path, ...]:
    files = tuple(audio_files(Path(folder))) if folder else ()
    if folder and not files:
        raise ValueError(f"{folder} holds no audio files.")
    return files


class SED(datasets.ArrowBasedBuilder):
    """Builds the splits; use it as any builder: ``SED("benchmark", corpora={"ravdess": DIR}, seed=1)``.

    Args:
        config_name: "simulated", "zed" or "benchmark".
        cache_dir: of `datasets`.
        rendered_dir: a folder of this dataset alone, where what is rendered is kept until the whole is; a build that
            was killed goes on with it.
        options: of `SEDBuilderConfig`.

    Raises:
        ValueError: if the configuration or a source is not usable.
    """

    BUILDER_CONFIG_CLASS = SEDBuilderConfig
    BUILDER_CONFIGS = [SEDBuilderConfig(name=name) for name in CONFIGURATIONS]  # noqa: RUF012 - as datasets has it
    DEFAULT_CONFIG_NAME = "benchmark"

    def __init__(
        self,
        config_name: str | None = None,
        cache_dir: str | None = None,
        rendered_dir: str | Path | None = None,
        **options: Any,
    ):
        self.rendered_dir = None if rendered_dir is None else Path(rendered_dir)
        # datasets' cache does not notice that source files changed: their state becomes a part of its key
        super().__init__(cache_dir=cache_dir, config_name=config_name, hash=fingerprint(options), **options)

    def _info(self) -> datasets.DatasetInfo:
        self.config.check()
        return datasets.DatasetInfo(
            description="Utterances with annotated emotions: which emotion appears when?",
            features=FEATURES,
            homepage="https://arxiv.org/abs/2306.12991",
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        config, self.plan = self.config, {}
        if config.name != "zed":
            num_proc = dl_manager.download_config.num_proc
            options = {"labels": config.labels, "renamed": config.renamed, "num_proc": num_proc, "seen": set()}
            sources = [
                source
                for name in sorted(config.corpora)
                for source in find_sources(name, config.corpora[name], **options)
            ]
            with_test = config.name == "benchmark" and config.zed is None
            shares = split_sources(
                sources,
                config.split_by,
                config.seed,
                config.validation_fraction,
                config.test_fraction if with_test else 0.0,
                config.held_out,
            )
            options = config.simulation_options()
            self.plan = {
                # only the train split has a size to be reached
                split: plan_utterances(
                    share, config.seed, split, options if split == "train" else replace(options, hours=None)
                )
                for split, share in shares.items()
            }
        # processes share the batches, and batches do not depend on the number of processes
        generators = [
            datasets.SplitGenerator(name=split, gen_kwargs={"batches": list(_batches(plan))})
            for split, plan in self.plan.items()
        ]
        if config.name != "simulated" and config.zed is not None:
            generators.append(datasets.SplitGenerator(name="test", gen_kwargs={"zed": config.zed}))
        return generators

    def _generate_tables(
        self, batches: list[list[PlannedUtterance]] | None = None, zed: str | None = None
    ) -> Iterator[tuple[int, pyarrow.Table]]:
        if zed is None:
            yield from enumerate(map(self._rendered, batches))
        else:
            yield from enumerate(map(_table, _batches(map(annotated_row, read_zed(zed)))))

    def _rendered(self, batch: list[PlannedUtterance]) -> pyarrow.Table:
        if self.rendered_dir is None:
            return _table(map(render, batch))
        name = hashlib.sha256("\n".join(utterance.name for utterance in batch).encode()).hexdigest()
        file = self.rendered_dir / f"{name}.parquet"
        if not file.is_file():
            self.rendered_dir.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".unfinished")
            pyarrow.parquet.write_table(_table(map(render, batch)), unfinished, compression="none")
            unfinished.replace(file)
        return pyarrow.parquet.read_table(file)


def _table(rows: Iterable[dict]) -> pyarrow.Table:
    return pyarrow.Table.from_pylist(list(rows), schema=FEATURES.arrow_schema)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, ROWS_AT_ONCE)):
        yield batch


def annotated_row(utterance: AnnotatedUtterance) -> dict[str, Any]:
    """A row of the dataset for an utterance that was annotated by people.

    Raises:
        ValueError: if its audio is bad, or shorter than its annotation by more than 0.1 s.
    """
    waveform = read_waveform(utterance.audio, utterance.name)
    duration = len(waveform) / SAMPLING_RATE
    end = max((segment["end"] for segment in utterance.segments), default=0.0)
    if end > duration + 0.1:
        raise ValueError(f"{utterance.name}: annotated to {end} s, but the audio ends at {duration} s.")
    whole = {"start": 0.0, "end": duration}
    segments = [segment | {"end": min(segment["end"], duration)} for segment in utterance.segments]
    return {
        "id": utterance.name,
        "audio": {"path": f"{utterance.name}.flac", "bytes": encode_waveform(waveform)},
        "duration": duration,
        "segments": segments,
        "speaker": utterance.speaker,
        "corpus": "zed",
        "transition": transition(segments, duration),
        "transcription": utterance.transcription,
        "sources": [{"file": utterance.name, **whole, "stretches": [whole]}],
    }


def transition(segments: list[dict], duration: float) -> str:
    """The fused sequence of labels as Table 3 of the paper writes it; gaps of less than 1 ms are none."""
    labels, covered = [], 0.0
    for segment in sorted(segments, key=lambda segment: segment["start"]):
        if segment["start"] > covered + 1e-3:
            labels.append("null")
        labels.append(segment["label"])
        covered = segment["end"]
    if covered < duration - 1e-3:
        labels.append("null")
    return "-".join(label for index, label in enumerate(labels) if index == 0 or label != labels[index - 1])


def fingerprint(options: Mapping[str, Any]) -> str:
    """Changes whenever a file of the folders that the options name, or the code that builds from them, does."""
    digest = hashlib.sha256()
    folders = [*options.get("corpora", {}).values(), *(options.get(name) for name in ("zed", "noises", "rooms"))]
    for root in map(Path, filter(None, folders)):
        files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in files:
            state = path.stat() if path.exists() else None
            digest.update(repr((str(path), state and (state.st_size, state.st_mtime_ns))).encode())
    for path in sorted(Path(__file__).resolve().parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    from .build import main

    main()
