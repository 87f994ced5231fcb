"""Readers of emotional speech corpora: a folder in its official layout -> recordings."""

from .ravdess import read_ravdess
from .synthetic import read_synthetic

READERS = {"ravdess": read_ravdess, "synthetic": read_synthetic}
