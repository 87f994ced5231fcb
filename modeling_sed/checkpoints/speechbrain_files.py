"""Where the files of a SpeechBrain checkpoint are: released together, or in the results folder of a training.

A training of the recipe leaves ``hyperparams.yaml`` in its results folder and, in ``save/``, ``label_encoder.txt`` and
checkpoints: the last one, the best one and perhaps one from within an epoch, each a folder ``CKPT+…`` whose
``CKPT.yaml`` says when it was made and with which validation error rate.
"""

from __future__ import annotations

import math
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from ..frames_sed import InputError, MissingFileError
from .yaml_files import read_yaml

FILES = ("hyperparams.yaml", "wav2vec2.ckpt", "model.ckpt", "label_encoder.txt")
CHECKPOINTS = "CKPT+*/CKPT.yaml"


def is_speechbrain(folder: Path) -> bool:
    """Whether a folder has the files of a checkpoint, or checkpoints of a training."""
    return all((folder / name).is_file() for name in FILES) or _checkpoint_of_training(folder) is not None


def speechbrain_files(source: str | Path) -> dict[str, Path]:
    """The `FILES` of a checkpoint by name; of a training's checkpoints, those of the one with the lowest error rate.

    Args:
        source: folder or hub id of a released checkpoint; results folder of a training; or one of its folders
            ``CKPT+…``.

    Raises:
        InputError: if one is missing, or the Hub cannot be reached.
    """
    checkpoint = _checkpoint_of_training(Path(source))
    if checkpoint is None:
        return {name: find_file(source, name) for name in FILES}
    save = checkpoint.parent
    places = (save.parent, checkpoint, checkpoint, save)
    return {name: find_file(place, name) for name, place in zip(FILES, places, strict=True)}


def find_file(source: str | Path, name: str, cache: Path | None = None) -> Path:
    """A file of a folder, or of a repository on the Hub, which is downloaded if ``cache``, a folder, does not have it.

    Raises:
        InputError: if it is not there.
    """
    if Path(source).is_dir():
        path = Path(source) / name
        if not path.is_file():
            raise MissingFileError(f"{source} has no {name}.")
        return path
    try:
        found = try_to_load_from_cache(str(source), name, cache_dir=cache) if cache else None
        return Path(found) if isinstance(found, str) else Path(hf_hub_download(str(source), name))
    except (OSError, HFValidationError) as error:
        raise InputError(f"{source} is not a folder, and {name} cannot be downloaded from the Hub: {error}") from error


def _checkpoint_of_training(folder: Path) -> Path | None:
    """The folder itself, if it is a checkpoint of a training; the best one, if it holds some; otherwise None."""
    if (folder / "CKPT.yaml").is_file():
        return folder
    descriptions = [path for place in (folder / "save", folder) for path in sorted(place.glob(CHECKPOINTS))]
    return min(descriptions, key=_rank).parent if descriptions else None


def _rank(description: Path) -> tuple[float, float]:
    """Lowest for the best checkpoint: by error rate, as the recipe tests; then, and without one, the newest."""
    try:
        meta = read_yaml(description)
        error_rate = float(meta.get("error_rate", math.inf))
        return math.inf if math.isnan(error_rate) else error_rate, -float(meta["unixtime"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{description} does not describe a checkpoint of SpeechBrain: {error!r}.") from error
