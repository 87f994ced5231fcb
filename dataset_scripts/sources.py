"""From recordings of a corpus to sources for the simulation: what is heard in each file, found once and remembered."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import datasets
from tqdm import tqdm

from . import speech_activity, waveforms
from .corpora import read_corpus
from .corpora.recording import EMOTIONS
from .errors import InputError
from .labels import name_emotions, spellings
from .processes import process_pool
from .simulation import Source

SHORTEST = round(0.2 * waveforms.SAMPLING_RATE)  # samples; recordings with less speech are not used, as in the authors'
NAMED_AT_MOST = 10  # unreadable files, or other emotions, that a message names


def find_sources(
    corpus: str,
    path: str | Path,
    *,
    labels: Sequence[str] = EMOTIONS,
    rename: Mapping[str, str] | None = None,
    seen: set[str] | None = None,
    num_proc: int | None = None,
    cache_file: str | Path | None = None,
) -> list[Source]:
    """A corpus' recordings that have speech, each content once, with where the speech is.

    What is left out, and why, goes to stderr: other emotions, files that cannot be read (they stop nothing else),
    recordings without speech, and copies.

    Args:
        corpus: name of its reader, or any name for one that has a table.
        path: its folder or table.
        labels: the emotions to use; blanks around them and letter case do not matter, here and in ``rename``.
        rename: emotions that get another label, such as ``{"calm": "neutral"}``.
        seen: digests of the audio of other corpora, which is not used again; grows by this one's.
        num_proc: processes that decode and listen.
        cache_file: remembers what was heard in each file's content; default: in the cache folder of datasets.

    Raises:
        InputError: if the path is not the corpus, none of its recordings can be read, or the cache cannot be used.
    """
    found = read_corpus(corpus, path)
    skipped = Counter(found.skipped)
    recordings = name_emotions(found.recordings, labels, rename or {})
    of_the_paper = sum(recording.label in EMOTIONS for recording in found.recordings)
    used = frozenset(spellings(labels).values())
    wanted = [recording for recording in recordings if recording.label in used]
    others = Counter(recording.label for recording in recordings if recording.label not in used)
    skipped[f"other emotion ({_named(others)})"] = others.total()
    with open_cache(cache_file) as cache:
        heard = list(cache.listen([recording.path for recording in wanted], corpus, num_proc))
    seen = set() if seen is None else seen
    sources, unreadable = [], []
    for recording, result in zip(wanted, heard, strict=True):
        if "error" in result:
            unreadable.append(result["error"])
        elif sum(last - first for first, last in result["speech"]) < SHORTEST:
            skipped["no speech"] += 1
        elif result["audio"] in seen:
            skipped["same audio as another recording"] += 1
        else:
            seen.add(result["audio"])
            sources.append(Source(recording, tuple(map(tuple, result["speech"]))))
    skipped["unreadable"] = len(unreadable)
    _report(corpus, len(sources), skipped, unreadable)
    if found.complete is not None and of_the_paper < found.complete:
        print(f"{corpus}: incomplete, {of_the_paper} of {found.complete} recordings are there", file=sys.stderr)
    if len(unreadable) == len(wanted):
        reason = unreadable[0] if unreadable else f"all have other emotions ({_named(others)})"
        raise InputError(f"{path}: none of the {len(recordings)} recordings of {corpus} can be used: {reason}")
    return sources


def _report(corpus: str, used: int, skipped: Counter[str], unreadable: Sequence[str]) -> None:
    reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()) if count)
    print(f"{corpus}: {used} recordings" + (f"; left out: {reasons}" if reasons else ""), file=sys.stderr)
    for error in unreadable[:NAMED_AT_MOST]:
        print(f"  {error}", file=sys.stderr)
    if len(unreadable) > NAMED_AT_MOST:
        print(f"  and {len(unreadable) - NAMED_AT_MOST} more", file=sys.stderr)


def _named(emotions: Counter[str]) -> str:
    names = [f"{count} {emotion}" for emotion, count in emotions.most_common(NAMED_AT_MOST)]
    more = sum(count for _, count in emotions.most_common()[NAMED_AT_MOST:])
    return ", ".join([*names, *([f"{more} of other names"] if more else [])])


@contextmanager
def open_cache(path: str | Path | None = None) -> Iterator[SpeechCache]:
    """The cache in an SQLite file; default: in the cache folder of datasets.

    Raises:
        InputError: if the file cannot be read or written.
    """
    path = Path(path or Path(datasets.config.HF_DATASETS_CACHE) / "sed_speech.sqlite")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=60)) as database:
            yield SpeechCache(database)
    except sqlite3.Error as error:
        raise InputError(
            f"{path}, the cache of speech activity, cannot be used ({error}); free disk space, delete the file, or set "
            "HF_DATASETS_CACHE to another folder."
        ) from error


class SpeechCache:
    """Remembers what was heard in audio files, by their content: a second build does not decode them again."""

    def __init__(self, database: sqlite3.Connection):
        self._database = database
        self._database.execute("CREATE TABLE IF NOT EXISTS heard (content TEXT PRIMARY KEY, result TEXT NOT NULL)")

    def listen(self, paths: Sequence[Path], name: str, num_proc: int | None = None) -> Iterator[dict]:
        """What is heard in each file, in their order; kept as soon as it is known, so that a killed build goes on.

        Args:
            paths: of audio files.
            name: what to call them beside the progress bar.
            num_proc: processes that decode and listen.

        Yields:
            ``audio`` (a digest of the decoded samples) and ``speech`` (``[first, last]`` samples of each stretch), or
            ``error``.
        """
        progress = tqdm(paths, f"finding speech in {name}", unit="file")
        with process_pool(num_proc or 1) as pool:
            remaining = iter(progress)
            while batch := list(islice(remaining, 64)):
                keys = list(pool.map(_content_key, batch, chunksize=16))
                known = {key: self._recall(key) for key in keys}
                missing = {key: path for key, path in zip(keys, batch, strict=True) if known[key] is None}
                heard = pool.map(_listen_to, missing.values(), missing, chunksize=4)
                for key, result in zip(missing, heard, strict=True):
                    known[key] = result
                    if "error" not in result:
                        self._database.execute("INSERT OR REPLACE INTO heard VALUES (?, ?)", (key, json.dumps(result)))
                self._database.commit()
                yield from (known[key] for key in keys)

    def _recall(self, key: str) -> dict | None:
        row = self._database.execute("SELECT result FROM heard WHERE content = ?", (key,)).fetchone()
        return row and json.loads(row[0])


# Whatever changes what is heard in a file changes the keys.
_METHOD = hashlib.sha256(
    b"".join(Path(module.__file__).read_bytes() for module in (speech_activity, waveforms))
).hexdigest()


def _content_key(path: Path) -> str:
    try:
        return hashlib.sha256(_METHOD.encode() + path.read_bytes()).hexdigest()
    except OSError:
        return str(path)


def _listen_to(path: Path, key: str) -> dict:
    try:
        waveform = waveforms.read_waveform(path)
    except (InputError, OSError) as error:
        return {"error": str(error)}
    if _content_key(path) != key:  # what was heard is not what would be remembered
        return {"error": f"{path}: changed while it was read."}
    speech = speech_activity.speech_intervals(waveform)
    return {"audio": hashlib.sha256(waveform.tobytes()).hexdigest(), "speech": speech.tolist()}
