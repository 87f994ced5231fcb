"""One try of each kind: a command is disturbed, and run again; what must hold then is asserted."""

from __future__ import annotations

import math
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jobs import Job, write_recording
from .processes import Process

PAGE = 4096  # bytes: what such a disk is made of
ROOM = 64_000_000  # bytes: enough for any of them


@dataclass
class Undisturbed:
    """What a command does if nobody disturbs it.

    Attributes:
        job: the command.
        inputs: its inputs.
        seconds: that it takes.
        result: that it leaves.
    """

    job: Job
    inputs: Path
    seconds: float
    result: Any


def undisturbed(job: Job, inputs: Path, place: Path) -> Undisturbed:
    """Runs it twice, the second time for the time that it takes."""
    results, seconds = [], 0.0
    for number in range(2):
        begun = time.monotonic()
        folder = place / str(number)
        folder.mkdir(parents=True)
        process = start(job, inputs, folder)
        assert process.wait() == 0, process.err.read_text()
        seconds = time.monotonic() - begun
        results.append(job.result(output_of(job, folder)))
    assert results[0] == results[1] and results[0], "it does not give the same twice"
    return Undisturbed(job, inputs, seconds, results[0])


def output_of(job: Job, place: Path) -> Path:
    """Where its result is; names are new in each try, since a Hub remembers them."""
    if not job.output:
        return place / "standard.out"
    return place / (job.output if job.name != "push" else "_".join(place.parts[-2:]))


def start(job: Job, inputs: Path, place: Path, *more: str, log: str = "log") -> Process:
    """Starts the command."""
    output = output_of(job, place)
    source = inputs / job.source if job.source else None
    shown = None if job.output else output
    return Process([*job.arguments(output, inputs), *more], place / log, source, shown)


def killed(known: Undisturbed, place: Path, chance: random.Random) -> None:
    """`kill -9` at a random moment; then the same command ends with what it would have given."""
    job, output = known.job, output_of(known.job, place)
    with files_of_a_user(output):
        start(job, known.inputs, place).kill_after(chance.uniform(0, known.seconds))
        if not job.output:
            shown = (job.result(output), output.read_text() if output.exists() else "")
            assert shown[0] == known.result[: len(shown[0])] and (not shown[1] or shown[1].endswith("\n"))
            return
        left = job.result(output)
        assert left is None or is_part_of(left, known.result)
        if left != known.result:
            process = start(job, known.inputs, place, *job.again)
            assert process.wait() == 0, process.err.read_text()
        assert job.result(output) == known.result


def two_at_once(known: Undisturbed, place: Path, chance: random.Random) -> None:
    """Two with one output: one gives what it would have given alone, the other does, too, or is refused."""
    job = known.job
    if not job.output:
        places = [place / "first", place / "second"]
        for folder in places:
            folder.mkdir()
        processes = [start(job, known.inputs, folder) for folder in places]
        assert [process.wait() for process in processes] == [0, 0]
        assert [job.result(output_of(job, folder)) for folder in places] == [known.result] * 2
        return
    with files_of_a_user(output_of(job, place)):
        first = start(job, known.inputs, place, log="first")
        time.sleep(chance.uniform(0, known.seconds))
        second = start(job, known.inputs, place, log="second")
        codes = [first.wait(), second.wait()]
        for code, process in zip(codes, (first, second), strict=True):
            assert code == 0 or (code == 1 and process.is_refused_by_a_sentence), process.err.read_text()
        assert 0 in codes and job.result(output_of(job, place)) == known.result


def full_disk(known: Undisturbed, place: Path, chance: random.Random) -> None:
    """A disk of a few kilobytes or megabytes; when it is larger, the same command ends with all."""
    job, output = known.job, output_of(known.job, place)
    size = PAGE * math.ceil(job.space ** chance.uniform(0.75, 1.0) / PAGE)
    logs = place.with_name(f"{place.name}-logs")
    logs.mkdir()
    with disk(place, size):
        process = start_with_logs(job, known.inputs, place, logs)
        code = process.wait()
        assert code == 0 or (code == 1 and process.is_refused_by_a_sentence), process.err.read_text()
        if not job.output:
            assert is_part_of(whole_lines(output, job), known.result)
            return
        left = job.result(output)
        assert left == known.result if code == 0 else left is None or is_part_of(left, known.result)
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(place)], check=True)
        if left != known.result:
            process = start_with_logs(job, known.inputs, place, logs, *job.again)
            assert process.wait() == 0, process.err.read_text()
        assert job.result(output) == known.result


def start_with_logs(job: Job, inputs: Path, place: Path, logs: Path, *more: str) -> Process:
    """As `start`, with what is printed on another disk."""
    output = output_of(job, place)
    source = inputs / job.source if job.source else None
    return Process([*job.arguments(output, inputs), *more], logs / "log", source, None if job.output else output)


def whole_lines(output: Path, job: Job) -> Any:
    """Without what a full disk cut off."""
    text = output.read_text()
    output.write_text(text[: text.rfind("\n") + 1])
    return job.result(output)


@contextmanager
def disk(place: Path, size: int):
    """A disk in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # a process may have it open for a moment


def changing(known: Undisturbed, place: Path, chance: random.Random) -> None:
    """An input is exchanged, written anew or deleted while it may be read: never a result of half of each."""
    job, output = known.job, output_of(known.job, place)
    inputs = place / "inputs"
    inputs.mkdir()
    for path in known.inputs.iterdir():
        if path.name == job.changing:
            shutil.copytree(path, inputs / path.name)
        else:
            (inputs / path.name).symlink_to(path)
    chosen = chance.choice(sorted((inputs / job.changing).rglob("*.wav")))
    change = chance.choice((exchange, write_anew, delete))
    process = start(job, inputs, place, log="first")
    changer = threading.Timer(chance.uniform(0, known.seconds), change, [chosen])
    changer.start()
    code = process.wait()
    changer.join()
    assert code == 0 or (code == 1 and process.is_refused_by_a_sentence), process.err.read_text()
    fresh = place / "fresh"
    fresh.mkdir()
    renewed = start(job, inputs, fresh)
    renewed.wait()
    now = job.result(output_of(job, fresh))
    allowed = (known.result, now)
    left = job.result(output)
    if isinstance(left, dict) and job.name != "build":
        assert all(left[name] in [result[name] for result in allowed if name in result] for name in left)
        assert {*left} >= {*known.result} - {chosen.name}
    else:
        assert left is None or left in allowed
    if job.name == "diarize into a file" and output.exists():
        output.unlink()
    again = start(job, inputs, place, *(["--overwrite"] if job.name == "build" else []), log="again")
    assert again.wait() in (0, 1) and "Traceback" not in again.err.read_text()
    done = job.result(output)
    assert is_part_of(now, done) if change is delete and job.name == "diarize into a folder" else done == now


def exchange(path: Path) -> None:
    """Another file, at once."""
    other = path.with_name("other")
    write_other(other)
    other.replace(path)


def write_anew(path: Path) -> None:
    """Other content, in two steps."""
    other = path.with_name("other")
    write_other(other)
    content = other.read_bytes()
    other.unlink()
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        time.sleep(0.02)
        file.write(content[len(content) // 2 :])


def delete(path: Path) -> None:
    """No file any more."""
    path.unlink()


def write_other(path: Path) -> None:
    """A recording as none of the others."""
    whole = path.with_suffix(".wav")
    write_recording(whole, 99, seconds=0.9)
    whole.replace(path)


def is_part_of(part: Any, whole: Any) -> bool:
    """Whether a result is whole as far as it goes."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and part[name] == whole[name] for name in part)
    return part == whole[: len(part)] if isinstance(part, list) else part == whole


@contextmanager
def files_of_a_user(output: Path):
    """Files and folders beside an output, as a user may call them, stay as they are."""
    names = [f"{output.name}{ending}" for ending in (".partial", ".parts", ".unfinished", ".lock")]
    folders = [output.with_name(name) for name in (*names, f"0.{output.name}")] if output.name else []
    for folder in folders:
        folder.mkdir()
        (folder / "thesis.txt").write_text("all of it")
    yield
    assert [(folder / "thesis.txt").read_text() for folder in folders] == ["all of it"] * len(folders)


Try = Callable[[Undisturbed, Path, random.Random], None]
TRIES: dict[str, Try] = {
    "kill -9": killed,
    "two at once": two_at_once,
    "full disk": full_disk,
    "input changes": changing,
}


def applies(kind: str, job: Job) -> bool:
    """Whether a command can be disturbed so."""
    if kind == "full disk":
        return job.space > 0 and os.geteuid() == 0
    return kind != "input changes" or job.changing is not None
