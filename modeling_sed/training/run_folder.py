"""The folder of a training run: one training at a time, which writes over nothing that a training has not written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from ..disk.replaced_files import finish_here, replace_files
from ..disk.replacing import replacing
from ..disk.work_folder import NAME, held, within, writing
from ..frames_sed import InputError

CHECKPOINTS = "checkpoints"
WRITTEN = "written.json"  # in the work folder: names of the files that trainings have written into the folder
STAGED, DISCARDED = "staged", "discarded"  # in the work folder: what is not complete yet, or not needed any more
WRITERS_OF_TORCH = ("inline_container", "iostream", "PytorchStreamWriter")  # what it calls a full disk
ALWAYS_WRITTEN = (  # with any training
    *("config.json", "model.safetensors", "preprocessor_config.json"),
    *("README.md", "results.json", "report.md", CHECKPOINTS),
)


class RunFolder:
    """The folder ``path`` of one run, or of the runs of several seeds.

    In its work folder a list says which files trainings have written; others are never written over or deleted.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str | Path):
        self.path, self.work = Path(path), within(Path(path))

    @contextmanager
    def held(self, resume: bool, overwrite: bool) -> Iterator[None]:
        """Holds the folder, for one training, which may have many processes: only the main one calls this.

        Args:
            resume: whether an earlier training in it may be resumed.
            overwrite: whether what trainings have written may be overwritten, and whether there may be other files.

        Raises:
            InputError: if another training holds it; it has an earlier one, or files of others, and the options do not
                say what to do with them; or it cannot be written.
        """
        is_new = not self.path.exists()
        try:
            with held(self.work, self.path, InputError):
                with writing(self.path, InputError):
                    finish_here(self.path)
                    self._check(resume, overwrite)
                self._tidy()  # after a training that was killed
                try:
                    yield
                finally:
                    self._tidy()
        finally:
            if is_new:
                with suppress(OSError):  # it is not empty
                    self.path.rmdir()

    @contextmanager
    def replacing_files(self) -> Iterator[Path]:
        """Yields an empty folder, whose files become those of the run when the block ends; all of them, or none.

        Raises:
            InputError: if that would write over files of others, or the folder cannot be written.
        """
        staged = self.work / STAGED / self.path.resolve().name  # models are called as their folders are
        with self.writing():
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
            try:
                yield staged
                names = {path.name for path in staged.iterdir()}
                if others := sorted(name for name in names - self._written() if (self.path / name).exists()):
                    raise InputError(f"{self.path}: {', '.join(others)} is there, but not of this training; move it.")
                self.remember(names)
                replace_files(staged, self.path)
            finally:
                shutil.rmtree(staged.parent, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turns errors of the disk, as the libraries that save tensors know them, into an `InputError`."""
        with writing(self.path, InputError):
            try:
                yield
            except (SafetensorError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and not any(name in str(error) for name in WRITERS_OF_TORCH):
                    raise
                raise OSError(f"{' '.join(str(error).split())}") from error

    def discard(self, folder: Path) -> None:
        """Deletes a folder of the run; a process that is killed leaves it whole, or where it is not found."""
        discarded = self.work / DISCARDED / folder.name
        shutil.rmtree(discarded, ignore_errors=True)
        discarded.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(discarded)
        shutil.rmtree(discarded.parent, ignore_errors=True)

    def remember(self, names: set[str]) -> None:
        """Adds names to those that trainings have written; to be called before they are."""
        with replacing(self.work / WRITTEN) as file:
            file.write_text(json.dumps(sorted(self._written() | names)), encoding="utf-8")

    def clear(self) -> None:
        """Deletes the files that trainings have written, but not their checkpoints."""
        for name in self._written() - {CHECKPOINTS}:
            (self.path / name).unlink(missing_ok=True)

    def _check(self, resume: bool, overwrite: bool) -> None:
        present = {path.name for path in self.path.iterdir()} - {NAME}
        written = self._written()
        if not written:
            if in_the_way := sorted(present & {*ALWAYS_WRITTEN}):
                raise InputError(
                    f"{self.path} holds {', '.join(in_the_way)}, which no training of ours has written: move them, or "
                    "choose another --output-dir."
                )
            if present and not overwrite:
                raise InputError(
                    f"{self.path} is not empty, and not the folder of a training: choose another --output-dir, or "
                    "--overwrite, which leaves the files that are there."
                )
            return
        if others := sorted(present & {*ALWAYS_WRITTEN} - written):
            raise InputError(f"{self.path}: {', '.join(others)} is there, but not of a training; move it.")
        if present & written and not (resume or overwrite):
            raise InputError(
                f"{self.path} holds an earlier training: --resume it, --overwrite it, or choose another --output-dir."
            )

    def _tidy(self) -> None:
        for name in (STAGED, DISCARDED):
            shutil.rmtree(self.work / name, ignore_errors=True)

    def _written(self) -> set[str]:
        record = self.work / WRITTEN
        return set(json.loads(record.read_text(encoding="utf-8"))) if record.exists() else set()
