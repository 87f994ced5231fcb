"""Where gradio keeps what visitors upload."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_UPLOAD = 200  # MB of a file: three hours of MP3


@contextmanager
def uploads_folder() -> Iterator[None]:
    """The working directory is a new folder until the end, when it is deleted with all that was uploaded into it.

    Enter it before gradio is imported, which then keeps files below the working directory, and tells browsers their
    relative paths, which say nothing about this machine.
    """
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="emotion-diarization-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = "uploads"
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
