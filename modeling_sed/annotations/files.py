"""Annotations in files and folders: which formats there are, and who reads and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..frames_sed import InputError, MissingFileError
from .annotation import Annotation
from .audacity_files import read_audacity, write_audacity
from .csv_files import read_csv, read_csv_durations, write_csv
from .eaf_files import read_eaf, write_eaf
from .json_files import read_json, read_jsonl, write_json, write_jsonl
from .rttm_files import read_rttm, read_uem_durations, write_rttm
from .subtitle_files import read_srt, read_vtt, write_srt, write_vtt
from .text_files import Target
from .textgrid_files import read_textgrid, write_textgrid


@dataclass(frozen=True)
class Format:
    """A format of annotations.

    Attributes:
        suffixes: of its files, in lower case.
        read: the annotations of a file; a second argument chooses the tier, if it has tiers.
        write: annotations into a file or stream.
        has_tiers: whether a file may hold several annotations of the same recording.
    """

    suffixes: tuple[str, ...]
    read: Callable[..., Iterable[Annotation]]
    write: Callable[[Iterable[Annotation], Target], None]
    has_tiers: bool = False


FORMATS = {
    "json": Format((".json",), read_json, write_json),
    "jsonl": Format((".jsonl",), read_jsonl, write_jsonl),
    "csv": Format((".csv", ".tsv"), read_csv, write_csv),
    "rttm": Format((".rttm",), read_rttm, write_rttm),
    "textgrid": Format((".textgrid",), read_textgrid, write_textgrid, has_tiers=True),
    "audacity": Format((".txt",), read_audacity, write_audacity),
    "eaf": Format((".eaf",), read_eaf, write_eaf, has_tiers=True),
    "srt": Format((".srt",), read_srt, write_srt),
    "vtt": Format((".vtt",), read_vtt, write_vtt),
}
BY_SUFFIX = {suffix: kind for kind in FORMATS.values() for suffix in kind.suffixes}
# in a folder of other annotations, these are transcriptions or notes
AMBIGUOUS = FORMATS["audacity"].suffixes


def read_annotations(path: str | Path, tier: str | None = None) -> dict[str, Annotation]:
    """Reads a file, or all files of a folder that have a known format.

    Of a folder, ``.txt`` files are read only if it has no others, and what macOS leaves there (``._*``) never.

    Args:
        path: of the file or folder.
        tier: which to read of files that have several; by default the one called ``emotion``.

    Returns:
        Annotations by the utterances' names, in the order of the files.

    Raises:
        InputError: for a file that does not exist or is not as its suffix says, a segment whose times are not
            ``0 <= start <= end``, a folder without annotations, or names that come more than once.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"{path}: there is no such file or folder.")
    found: dict[str, Annotation] = {}
    sources: dict[str, list[Path]] = {}
    for file in _files_of(path) if path.is_dir() else [path]:
        for annotation in _read_file(file, tier):
            found[annotation.name] = annotation
            sources.setdefault(annotation.name, []).append(file)
    if twice := {name: files for name, files in sources.items() if len(files) > 1}:
        files = sorted({str(file) for files in twice.values() for file in files})
        raise InputError(f"{', '.join(files)}: utterances that come more than once: {', '.join(twice)}.")
    return found


def _files_of(folder: Path) -> list[Path]:
    files = [file for file in folder.iterdir() if file.suffix.lower() in BY_SUFFIX and not file.name.startswith("._")]
    clear = [file for file in files if file.suffix.lower() not in AMBIGUOUS]
    if not files:
        raise InputError(f"{folder} holds no annotations: no file ends in {', '.join(sorted(BY_SUFFIX))}.")
    return sorted(clear or files)


def _read_file(path: Path, tier: str | None) -> Iterable[Annotation]:
    kind = BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: annotations are files that end in {', '.join(sorted(BY_SUFFIX))}.")
    return kind.read(path, tier) if kind.has_tiers else kind.read(path)


def read_durations(path: str | Path) -> dict[str, float]:
    """Durations of utterances in seconds, by name: CSV or TSV with the columns ``name,duration``, or UEM.

    Raises:
        InputError: for a file that does not exist or is neither, a duration that is not positive, or two of one
            utterance.
    """
    path = Path(path)
    is_table = path.suffix.lower() in FORMATS["csv"].suffixes
    durations: dict[str, float] = {}
    for name, duration in (read_csv_durations if is_table else read_uem_durations)(path):
        if durations.setdefault(name, duration) != duration:
            raise InputError(f"{path}: the duration of {name} is both {durations[name]} and {duration} s.")
    return durations
