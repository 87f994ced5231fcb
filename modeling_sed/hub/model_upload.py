"""What of a model's folder is published: the model, its code, card and report; and what Inference Endpoints need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from huggingface_hub import ModelCard

from ..dataset_scripts.repository import Upload
from ..frames_sed import InputError, MissingFileError
from .eval_results import EVAL_RESULTS_FILE, eval_results

ENDPOINT = Path(__file__).with_name("endpoint")
CARD, REPORT, RESULTS_FILE = "README.md", "report.md", "results.json"
NEEDED = ("config.json", "model.safetensors", "preprocessor_config.json")
PARTS = (
    *("config.json", "preprocessor_config.json", "model.safetensors", "*_sed.py"),
    *("model-*-of-*.safetensors", "model.safetensors.index.json"),
    *(CARD, REPORT, RESULTS_FILE, ".eval_results/*.yaml", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE"),
    *("handler.py", "requirements.txt"),
)
LINK = re.compile(r"\]\(\s*<?([^)\s>#]+)|(?:src|href)=[\"']([^\"'#]+)")  # of Markdown and HTML


def model_upload(folder: str | Path, repo_id: str, dataset_id: str | None = None) -> Upload:
    """A saved model, which `from_pretrained(repo_id, trust_remote_code=True)` loads anywhere, and endpoints serve.

    Only what a model consists of is taken, and the files that its card and report show or link; others are named. The
    card calls the model by ``repo_id``.

    Args:
        folder: of the model.
        repo_id: ``NAMESPACE/NAME``.
        dataset_id: hub id of the dataset that the model was trained on and scored on, for the card and leaderboards.

    Raises:
        MissingFileError: if there is no such folder, or it holds no model.
        InputError: if results.json is not that of a training.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"{folder} is not a folder.")
    present = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    if missing := [name for name in NEEDED if name not in present and not _is_sharded(name, present)]:
        raise MissingFileError(f"{folder} is not a saved model: it has no {', '.join(missing)}.")
    shown = {name for page in (CARD, REPORT) if page in present for name in _links(folder / page)}
    taken = [name for name in present if name in shown or _is_part(name)]
    files: dict[str, Path | bytes] = {path.name: path for path in ENDPOINT.iterdir() if path.is_file()}
    files |= {name: folder / name for name in taken}
    if CARD in files:
        files[CARD] = _card(folder / CARD, repo_id, dataset_id).encode()
    if dataset_id and RESULTS_FILE in files:
        files[EVAL_RESULTS_FILE] = _eval_results(folder / RESULTS_FILE, dataset_id, repo_id).encode()
    return Upload(repo_id, "model", files, _in_short([name for name in present if name not in files], files))


def _is_part(name: str) -> bool:
    return any(fnmatchcase(name, part) and name.count("/") == part.count("/") for part in PARTS)


def _is_sharded(name: str, present: Iterable[str]) -> bool:
    return name == "model.safetensors" and "model.safetensors.index.json" in present


def _links(page: Path) -> Iterable[str]:
    """Names of the files below the folder of a page that it shows or links."""
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        path = PurePosixPath(match[1] or match[2])
        if not path.is_absolute() and not {"..", "checkpoints"} & set(path.parts):
            yield path.as_posix()


def _card(path: Path, repo_id: str, dataset_id: str | None) -> str:
    """The card, in which the model has its name on the Hub; one that was not written by training stays as it is."""
    text = path.read_text(encoding="utf-8")
    card = ModelCard(text, ignore_metadata_errors=True)
    name = card.data.get("model_name")
    if not name or (name == repo_id and not dataset_id):
        return text
    card.data["model_name"] = repo_id
    if dataset_id:
        card.data["datasets"] = [dataset_id]
    card.text = card.text.replace(f'"{name}"', f'"{repo_id}"').replace(f"# {name}\n", f"# {repo_id}\n", 1)
    return str(card)


def _eval_results(path: Path, dataset_id: str, repo_id: str) -> str:
    try:
        return eval_results(json.loads(path.read_text(encoding="utf-8")), dataset_id, model_id=repo_id)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} does not hold the results of a training: {error!r}.") from error


def _in_short(names: list[str], taken: Iterable[str]) -> list[str]:
    """Folders of which nothing is taken by their names, instead of those of all their files."""
    kept = {name.partition("/")[0] for name in taken if "/" in name}
    parts = [name.partition("/") for name in names]
    return list(dict.fromkeys(top + slash + (rest if top in kept else "") for top, slash, rest in parts))
