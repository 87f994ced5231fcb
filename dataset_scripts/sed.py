"""The datasets builder of Speech Emotion Diarization, and the script that builds a dataset to disk.

    python dataset_scripts/sed.py benchmark --corpora ravdess=DIR --seed 1 --output-dir OUT

In Python: `SED`, a builder of `datasets`, and `build` (build.py), which does what the script does.
"""

from __future__ import annotations

import importlib
import sys

if not __package__:  # run as a file: the relative imports below are those of the installed package (PEP 366)
    __package__ = "modeling_sed.dataset_scripts"
    importlib.import_module(__package__)

from .builder import SED, SEDBuilderConfig
from .command_line import main
from .errors import InputError

__all__ = ["SED", "SEDBuilderConfig"]

if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"sed.py: {error}")
