"""The datasets builder of Speech Emotion Diarization: from speech corpora to the rows of train, validation and test.

Configurations: `simulated` (train and validation: concatenated recordings of emotional speech corpora), `zed` (test:
the Zaion Emotion Dataset), `benchmark` (all three; without ZED, test is simulated from speakers that the other splits
do not have). Section 5.1 of arXiv 2306.12991. Times are seconds; neutral stretches have no segment.
"""

from __future__ import annotations

import hashlib
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import pyarrow

from ..metrics.emotion_transition_accuracy import transitions
from .corpora import READERS
from .corpora.recording import EMOTIONS, AnnotatedUtterance, audio_files
from .corpora.table import COLUMNS, TABLE_NAME
from .corpora.zed import read_zed
from .errors import InputError
from .files import files_below, reading
from .labels import renamings, spellings
from .options import check_types, option, options_of
from .simulation import NEUTRAL, PlannedUtterance, SimulationOptions, plan_utterances, render
from .sources import find_sources
from .splits import SPLIT_BY, split_sources
from .waveforms import SAMPLING_RATE, encode_waveform, read_waveform

CONFIGURATIONS = ("simulated", "zed", "benchmark")
ROWS_AT_ONCE = 64
BEYOND_THE_END = 0.1  # seconds: a segment may end so much later than the audio, and is cut there

INFO = datasets.DatasetInfo(
    description="Utterances with annotated emotions: which emotion appears when?",
    homepage="https://arxiv.org/abs/2306.12991",
    features=datasets.Features(
        {
            "name": datasets.Value("string"),
            "audio": datasets.Audio(sampling_rate=SAMPLING_RATE, decode=False),
            "duration": datasets.Value("float64"),
            "segments": [
                {
                    "start": datasets.Value("float64"),
                    "end": datasets.Value("float64"),
                    "label": datasets.Value("string"),
                }
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
    ),
)


@dataclass
class SEDBuilderConfig(datasets.BuilderConfig, SimulationOptions):
    """What a dataset is built from. The help texts say what the options mean."""

    corpora: Mapping[str, str] = option(
        "speech corpora and their folders. NAME is that of a reader "
        f"({', '.join(READERS)}), or any other name for a folder with a {TABLE_NAME} that has the columns "
        f"{', '.join(COLUMNS)}",
        default_factory=dict,
        metavar="NAME=DIR",
    )
    labels: Sequence[str] = option(
        f"emotions to use; recordings of other emotions are left out. {NEUTRAL} must be among them", default=EMOTIONS
    )
    rename: Mapping[str, str] = option(
        "emotions of the corpora that get another label, such as calm=neutral",
        default_factory=dict,
        metavar="EMOTION=LABEL",
    )
    zed: str | None = option(
        "folder or ZIP archive of the Zaion Emotion Dataset, which becomes the test split", default=None, metavar="PATH"
    )
    split_by: str = option(
        "what the splits do not have in common: recordings (as in the paper), speakers, or corpora",
        default="recording",
        choices=SPLIT_BY,
    )
    held_out: str | None = option(
        "corpus that the train split does not have; needed to split by corpus", default=None, metavar="NAME"
    )
    seed: int = option("random seed of the splits and the simulation; the same seed gives the same bytes", default=0)
    validation_fraction: float = option(
        "fraction of the recordings, or of the speakers, that the validation split gets", default=0.1
    )
    test_fraction: float = option(
        "fraction of the speakers that a simulated test split gets (configuration benchmark without ZED)", default=0.2
    )

    @classmethod
    def checked(cls, name: str, options: Mapping[str, Any]) -> SEDBuilderConfig:
        """A configuration that something can be built of.

        Args:
            name: of the configuration.
            options: by name; None stands for the default.

        Raises:
            InputError: if there is no such configuration or option, or an option has no usable value.
        """
        known = [one.name for one in options_of(cls)]
        if unknown := [one for one in options if one not in known]:
            raise InputError(f"There is no option {', '.join(unknown):.200}; the options are {', '.join(known)}.")
        if name not in CONFIGURATIONS:
            raise InputError(f"The configurations are {', '.join(CONFIGURATIONS)}; got {reprlib.repr(name):.200}.")
        config = cls(name=name, **{one: value for one, value in options.items() if value is not None})
        config.check()
        return config

    def check(self) -> None:
        """Raises an InputError if nothing can be built of this."""
        check_types(self)
        super().check()
        if self.name != "zed" and not self.corpora:
            raise InputError(f"The configuration {self.name!r} needs a corpus: {', '.join(READERS)}.")
        if self.name == "zed" and self.zed is None:
            raise InputError("The configuration 'zed' needs the folder or ZIP archive of ZED.")
        renamings(self.rename)
        if NEUTRAL not in spellings(self.labels):
            raise InputError(f"labels must contain {NEUTRAL!r}; got {', '.join(self.labels)}.")
        if self.split_by not in SPLIT_BY:
            raise InputError(f"split_by must be one of {', '.join(SPLIT_BY)}; got {self.split_by!r}.")
        if (self.split_by == "corpus") != (self.held_out is not None) or self.held_out not in (None, *self.corpora):
            raise InputError(
                "split_by 'corpus', and nothing else, needs held_out, one of the corpora; "
                f"got split_by {self.split_by!r} and held_out {self.held_out!r}."
            )
        for name in ("validation_fraction", "test_fraction"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name} must be between 0 and 1; got {getattr(self, name)}.")

    @property
    def has_zed(self) -> bool:
        """Whether ZED is the test split."""
        return self.name != "simulated" and self.zed is not None


class SED(datasets.ArrowBasedBuilder):
    """Builds the splits; use it as any builder: ``SED("benchmark", corpora={"ravdess": DIR}, seed=1)``.

    Args:
        config_name: "simulated", "zed" or "benchmark".
        cache_dir: of `datasets`.
        options: of `SEDBuilderConfig`.

    Raises:
        InputError: if the configuration or a source is not usable.
    """

    BUILDER_CONFIG_CLASS = SEDBuilderConfig
    BUILDER_CONFIGS = [SEDBuilderConfig(name=name) for name in CONFIGURATIONS]  # noqa: RUF012 - as datasets has it

    def __init__(self, config_name: str = "benchmark", cache_dir: str | None = None, **options: Any):
        config = SEDBuilderConfig.checked(config_name, options)
        # datasets' cache does not notice that source files changed: their state becomes a part of its key
        state = fingerprint(config)
        super().__init__(cache_dir=cache_dir, dataset_name="sed", config_name=config_name, hash=state, **options)

    def _info(self) -> datasets.DatasetInfo:
        return INFO.copy()

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        plan = plan_splits(self.config, dl_manager.download_config.num_proc)
        # processes share the batches, and batches do not depend on the number of processes
        generators = [
            datasets.SplitGenerator(name=split, gen_kwargs={"batches": list(in_batches(utterances))})
            for split, utterances in plan.items()
        ]
        if self.config.has_zed:
            generators.append(datasets.SplitGenerator(name="test", gen_kwargs={"zed": self.config.zed}))
        return generators

    def _generate_tables(
        self, batches: Iterable[list[PlannedUtterance]] = (), zed: str | None = None
    ) -> Iterator[tuple[int, pyarrow.Table]]:
        make_row, batches = (render, batches) if zed is None else (annotated_row, in_batches(read_zed(zed)))
        for number, batch in enumerate(batches):
            yield number, table_of(map(make_row, batch))


def plan_splits(config: SEDBuilderConfig, num_proc: int | None = None) -> dict[str, list[PlannedUtterance]]:
    """Plans the simulated splits: finds the recordings of all corpora, divides them, and groups them to utterances.

    Args:
        config: what to build.
        num_proc: processes that decode the recordings and find the speech in them.

    Raises:
        InputError: if a corpus or folder cannot be used.
    """
    if config.name == "zed":
        return {}
    noises, rooms = (_audio_files_of(folder) for folder in (config.noises, config.rooms))
    sources, seen = [], set()
    for name, path in sorted(config.corpora.items()):
        sources += find_sources(name, path, labels=config.labels, rename=config.rename, seen=seen, num_proc=num_proc)
    simulates_test = config.name == "benchmark" and not config.has_zed
    shares = split_sources(
        sources,
        config.split_by,
        config.seed,
        config.validation_fraction,
        config.test_fraction if simulates_test else 0.0,
        config.held_out,
    )
    return {split: plan_utterances(share, config.seed, split, config, noises, rooms) for split, share in shares.items()}


def _audio_files_of(folder: str | None) -> list[Path]:
    files = audio_files(Path(folder)) if folder else []
    if folder and not files:
        raise InputError(f"{folder} holds no audio files.")
    return files


def in_batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Lists of `ROWS_AT_ONCE` items; the last may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, ROWS_AT_ONCE)):
        yield batch


def table_of(rows: Iterable[dict]) -> pyarrow.Table:
    """Rows of the dataset as a table."""
    return pyarrow.Table.from_pylist(list(rows), schema=INFO.features.arrow_schema)


def annotated_row(utterance: AnnotatedUtterance) -> dict[str, Any]:
    """A row of the dataset for an utterance that was annotated by people.

    Raises:
        InputError: if its audio is bad, ends more than `BEYOND_THE_END` before a segment does, or before one begins.
    """
    waveform = read_waveform(utterance.audio, utterance.origin)
    duration = len(waveform) / SAMPLING_RATE
    for segment in utterance.segments:
        start, end, label = segment["start"], segment["end"], segment["label"]
        if start >= duration or end > duration + BEYOND_THE_END:
            raise InputError(
                f"{utterance.origin}: {label} is annotated from {start} to {end} s, but the audio ends at {duration} s."
            )
    whole = {"start": 0.0, "end": duration}
    segments = [segment | {"end": min(segment["end"], duration)} for segment in utterance.segments]
    return {
        "name": utterance.name,
        "audio": {"path": f"{utterance.name}.flac", "bytes": encode_waveform(waveform)},
        "duration": duration,
        "segments": segments,
        "speaker": utterance.speaker,
        "corpus": "zed",
        "transition": transitions.transition(segments, duration),
        "transcription": utterance.transcription,
        "sources": [{"file": utterance.name, **whole, "stretches": [whole]}],
    }


def fingerprint(config: SEDBuilderConfig) -> str:
    """Changes whenever a file of the folders that the options name, or the code that builds from them, does."""
    digest = hashlib.sha256()
    for root in map(Path, filter(None, (*config.corpora.values(), config.zed, config.noises, config.rooms))):
        with reading(root):
            for path in files_below(root) if root.is_dir() else [root]:
                state = path.stat() if path.exists() else None
                digest.update(repr((str(path), state and (state.st_size, state.st_mtime_ns))).encode())
    for path in [*sorted(Path(__file__).resolve().parent.rglob("*.py")), Path(transitions.__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
