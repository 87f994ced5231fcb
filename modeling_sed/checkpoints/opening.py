"""What people call a model -> a folder on disk that `pipeline` opens; or a sentence that says why there is none.

A hub id is looked for on disk first, and what is there is taken without asking the Hub, so that a machine without a
network starts at once; `hf download MODEL` brings a newer one. Checkpoints of the paper's authors are converted once,
and kept beside the Hub's cache.
"""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

from ..configuration_sed import SEDConfig
from ..frames_sed import InputError, MissingFileError
from .speechbrain import FILES as SPEECHBRAIN_FILES
from .speechbrain import convert_speechbrain

DOWNLOADED = ["*.json", "*.safetensors", *SPEECHBRAIN_FILES]
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
SETTINGS = ("config.json", "preprocessor_config.json")
PATIENCE = 1.0  # seconds, for a Hub that does not answer


def model_folder(model: str) -> Path:
    """The folder of a model.

    Args:
        model: folder or hub id of a model of this package, or of a checkpoint in SpeechBrain's layout.

    Raises:
        InputError: if there is none, it is a model of another kind, or the Hub cannot be reached. The message says
            what it is instead, and what to do with it.
    """
    folder = Path(model).expanduser()
    if not folder.exists():
        folder = _downloaded(model)
    if all((folder / name).is_file() for name in SPEECHBRAIN_FILES):
        return _converted(folder, model)
    if reason := _why_not(folder, model):
        raise InputError(f"Cannot load the model {model}: {reason}")
    return folder


def digest_of_model(folder: Path) -> str:
    """16 hexadecimal digits that change with the configuration, the feature extractor or the weights of a model."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.name in SETTINGS or path.suffix == ".safetensors":
            digest.update(f"{path.name} {path.stat().st_size} ".encode())
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
    return digest.hexdigest()[:16]


def _downloaded(repo_id: str) -> Path:
    """The folder of a repository in the Hub's cache, which is filled first if need be."""
    try:
        cached = Path(snapshot_download(repo_id, local_files_only=True))
        if _is_complete(cached):
            return cached
    except HFValidationError as error:
        raise MissingFileError(f"Cannot load the model {repo_id}: no folder is called so, and no hub id.") from error
    except LocalEntryNotFoundError:
        pass
    if constants.HF_HUB_OFFLINE or not _hub_answers():
        raise MissingFileError(
            f"Cannot load the model {repo_id}: there is no such folder, it is not in the Hub's cache, and "
            f"{constants.ENDPOINT} cannot be reached"
            + (" (HF_HUB_OFFLINE is set)." if constants.HF_HUB_OFFLINE else f" within {PATIENCE:g} s.")
        )
    try:
        return Path(snapshot_download(repo_id, allow_patterns=DOWNLOADED))
    except RepositoryNotFoundError as error:
        raise MissingFileError(
            f"Cannot load the model {repo_id}: neither is there such a folder, nor has {constants.ENDPOINT} such a "
            "model; for a private one, log in first (`hf auth login`)."
        ) from error
    except OSError as error:
        raise InputError(f"Cannot load the model {repo_id}: {' '.join(str(error).split())}") from error


def _is_complete(folder: Path) -> bool:
    ours = (folder / "config.json").is_file() and any((folder / name).is_file() for name in WEIGHTS)
    return ours or all((folder / name).is_file() for name in SPEECHBRAIN_FILES)


def _hub_answers() -> bool:
    """Whether the Hub answers at all; libraries that download from it try again for half a minute."""
    try:
        urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _converted(folder: Path, model: str) -> Path:
    """The conversion of a checkpoint of the authors, which is made if it is not there yet."""
    state = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(folder.iterdir())]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
    converted = Path(constants.HF_HOME) / "emotion-diarization" / key
    if not converted.exists():
        print(f"{model} has SpeechBrain's layout: converting it, once, into {converted}", file=sys.stderr)
        convert_speechbrain(folder, converted)
    return converted


def _why_not(folder: Path, model: str) -> str:
    """What is wrong with a folder; empty if nothing is."""
    config = _read_config(folder / "config.json")
    if config is None:
        if (folder / "adapter_config.json").is_file():
            return "it is a LoRA adapter without its model; merge them (peft's merge_and_unload) and save that."
        if list(folder.glob("*.onnx")):
            return "it is an exported model, which runs by itself: python diarize_onnx.py RECORDING, in its folder."
        if (folder / "config.json").exists():
            return "its config.json is not a JSON object."
        return f"{folder} has no config.json, as a model's folder has; it has {_contents(folder)}."
    if config.get("model_type") == SEDConfig.model_type:
        if any((folder / name).is_file() for name in WEIGHTS):
            return ""
        return f"{folder} has no weights (model.safetensors); it has {_contents(folder)}."
    kind = ", ".join(map(str, config.get("architectures") or [config.get("model_type", "without a model_type")]))
    if "Classification" in kind:
        return (
            f"it is a classifier of another kind ({kind}), which does not say when; fine-tune it: emotion-diarization "
            f"train --encoder {model} --initialize-head --dataset DATA --output-dir RUN"
        )
    return (
        f"it is not a model of emotion diarization ({kind}); if it is an encoder of speech, train one on it: "
        f"emotion-diarization train --encoder {model} --dataset DATA --output-dir RUN"
    )


def _read_config(path: Path) -> dict[str, Any] | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config if isinstance(config, dict) else None


def _contents(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return ", ".join(names[:5] + ["…"] * (len(names) > 5)) or "nothing"
