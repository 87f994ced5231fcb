"""What people call a model -> the model, or a folder on disk that `pipeline` opens; or a sentence that says why not.

A hub id is looked for on disk first, and what is there is taken without asking the Hub, so that a machine without a
network starts at once; `hf download MODEL` brings a newer one. Checkpoints of the paper's authors are converted once,
and kept beside the Hub's cache. No code of a model is run, and none is downloaded.
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
from safetensors import SafetensorError, safe_open
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor

from ..configuration_sed import SEDConfig, check_file_content
from ..disk.replaced_files import finish
from ..disk.work_folder import held, within
from ..frames_sed import InputError, MissingFileError
from ..modeling_sed import SEDForAudioFrameClassification
from ..values_sed import shown
from .feature_extractors import load_feature_extractor
from .speechbrain import convert_speechbrain
from .speechbrain_files import FILES as SPEECHBRAIN_FILES
from .speechbrain_files import is_speechbrain, speechbrain_files

DOWNLOADED = ["*.json", "*.safetensors", *SPEECHBRAIN_FILES]
WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
NUMBERS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # what safetensors calls the types of weights
LARGEST_JSON = 10_000_000  # bytes
# What transformers does at these: reads other files, converts weights, downloads code.
NOT_OURS = ("configuration_files", "transformers_weights", "quantization_config", "fusion_config", "distributed_config")
SETTINGS = ("config.json", "preprocessor_config.json")
PATIENCE = 1.0  # seconds, for a Hub that does not answer


def open_model(
    model: str | Path, dtype: str = "auto"
) -> tuple[SEDForAudioFrameClassification, SequenceFeatureExtractor]:
    """A model and its feature extractor.

    Args:
        model: as `model_folder` takes it.
        dtype: name of a floating point type of torch; "auto": as the model was saved.

    Raises:
        InputError: as `model_folder`, or if its files are not those of a model: a value in them that cannot be, weights
            that are missing, too many or of other shapes.
    """
    folder = model_folder(str(model))
    try:
        loaded = SEDForAudioFrameClassification.from_pretrained(folder, dtype=dtype)
        return loaded, load_feature_extractor(folder, loaded.config)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot load the model {model}: {' '.join(str(error).split())}") from error


def model_folder(model: str) -> Path:
    """The folder of a model.

    Args:
        model: folder or hub id of a model of this package, or of a checkpoint in SpeechBrain's layout; or the results
            folder of a training with SpeechBrain.

    Raises:
        InputError: if there is none, it is a model of another kind, or the Hub cannot be reached. The message says
            what it is instead, and what to do with it.
    """
    folder = Path(model).expanduser()
    if not folder.exists():
        folder = _downloaded(model)
    if is_speechbrain(folder):
        return _converted(folder, model)
    finish(folder, InputError)  # what a training was killed in
    try:
        reason = _why_not(folder, model)
    except InputError as error:
        reason = str(error)
    if reason:
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
    ours = (folder / "config.json").is_file() and _has_weights(folder)
    return ours or is_speechbrain(folder)


def _has_weights(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX))


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
    files = [path.resolve() for path in (*folder.iterdir(), *speechbrain_files(folder).values())]
    state = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(files)]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
    converted = Path(constants.HF_HOME) / "emotion-diarization" / key
    if not converted.exists():
        with held(within(converted.parent), converted, InputError, wait=True):
            if not converted.exists():  # another process may have converted it meanwhile
                print(f"{model} has SpeechBrain's layout: converting it, once, into {converted}", file=sys.stderr)
                convert_speechbrain(folder, converted)
    return converted


def _why_not(folder: Path, model: str) -> str:
    """What is wrong with a folder; empty if nothing is. Raises an InputError for files that cannot be of a model."""
    if (folder / "adapter_config.json").is_file():
        return "it is a LoRA adapter without its model; merge them (peft's merge_and_unload) and save that."
    if not (folder / "config.json").exists():
        if list(folder.glob("*.onnx")):
            return "it is an exported model, which runs by itself: python diarize_onnx.py RECORDING, in its folder."
        return f"{folder} has no config.json, as a model's folder has; it has {_contents(folder)}."
    config = _read_json(folder / "config.json")
    if config.get("model_type") == SEDConfig.model_type:
        _check_config(config, folder / "config.json")
        if not _has_weights(folder):
            return f"{folder} has no weights (model.safetensors); it has {_contents(folder)}."
        _check_weights(folder)
        return ""
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


def _read_json(path: Path) -> dict[str, Any]:
    """The object that a file holds."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise InputError(f"{path} has more than {LARGEST_JSON} bytes, as no model's has.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply.") from error
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a JSON object.")
    check_file_content(content, str(path))
    return content


def _check_config(config: dict[str, Any], path: Path) -> None:
    """Refuses what is not the model's own: other files, other people's code, weights in other forms."""
    if foreign := [key for key in NOT_OURS if config.get(key) is not None]:
        raise InputError(f"{path} has {', '.join(foreign)}, which models of this package do not have.")
    for key in ("auto_map", "custom_pipelines"):  # code for machines without this package; here, none of it is run
        if elsewhere := [text for text in _texts(config.get(key)) if "--" in text or "/" in text or "\\" in text]:
            raise InputError(f"{path}: {key} names code outside of the model's own files: {shown(elsewhere[0])}.")


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _check_weights(folder: Path) -> None:
    """Refuses files that are not weights: damaged ones, those of other folders, those that hold no such numbers."""
    names = {WEIGHTS}
    if not (folder / WEIGHTS).is_file():
        index = _read_json(folder / WEIGHTS_INDEX)
        places = index.get("weight_map")
        if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
            raise InputError(f"{folder / WEIGHTS_INDEX}: weight_map must say which file each weight is in.")
        names = set(places.values())
    for name in sorted(names):
        if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise InputError(f"{folder / WEIGHTS_INDEX}: {shown(name)} is not the name of a file beside it.")
        try:
            with safe_open(folder / name, "pt") as file:
                types = {key: file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, OSError) as error:
            raise InputError(f"{folder / name} is damaged, or not a file of safetensors ({error}).") from error
        if others := [f"{key} ({kind})" for key, kind in types.items() if kind not in NUMBERS]:
            raise InputError(f"{folder / name}: weights are floating point numbers; got {shown(others)}.")


def _contents(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return ", ".join(names[:5] + ["…"] * (len(names) > 5)) or "nothing"
