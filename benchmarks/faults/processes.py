"""Commands of `emotion-diarization` as processes of their own, forked from this one, which has imported everything."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from modeling_sed.cli.app import app

PATIENCE = 1800.0  # seconds, for a command that takes two on a quiet machine


class Process:
    """A command that runs.

    Args:
        arguments: of `emotion-diarization`.
        log: what it prints goes to ``log``.out and ``log``.err.
        source: standard input.
        output: standard output instead of ``log``.out.
    """

    def __init__(self, arguments: Sequence[str], log: Path, source: Path | None = None, output: Path | None = None):
        self.out, self.err = output or log.with_suffix(".out"), log.with_suffix(".err")
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._become(arguments, source)

    def _become(self, arguments: Sequence[str], source: Path | None) -> None:
        code = 70
        try:
            os.setsid()  # its own children are in its group
            writes = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            opened = (os.open(source or os.devnull, os.O_RDONLY), os.open(self.out, writes), os.open(self.err, writes))
            for number, descriptor in enumerate(opened):
                os.dup2(descriptor, number)
            app(list(arguments), prog_name="emotion-diarization")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(BaseException):
                sys.stderr.flush()
                sys.stdout.flush()
            os._exit(code)

    def kill_after(self, seconds: float) -> None:
        """`kill -9`, of it alone."""
        time.sleep(seconds)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def wait(self) -> int:
        """Its exit code."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        raise AssertionError(f"it hangs: {self.err.read_text()}")

    @property
    def is_refused_by_a_sentence(self) -> bool:
        """Whether it ended with a message for users, not for programmers."""
        said = self.err.read_text(errors="replace")
        return "error: " in said and "Traceback" not in said
