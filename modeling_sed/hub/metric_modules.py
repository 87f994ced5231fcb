"""Makes the metrics of this package known to `evaluate` by name: on this machine, or on the Hub as Spaces."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from evaluate.loading import init_dynamic_modules

from .. import metrics
from ..dataset_scripts.repository import Upload, contents
from ..frames_sed import InputError

MODULES = {
    "eder": "metric",
    "emotion_transition_accuracy": "metric",
    "boundary_quality": "metric",
    "annotator_agreement": "measurement",
}


def metric_path(name: str) -> str:
    """The folder of a module in this package, for `evaluate.load`: its code, card, example and requirements.

    ```python
    >>> eder = evaluate.load(modeling_sed.metric_path("eder"))
    ```

    Raises:
        InputError: if there is no such module.
    """
    if name not in MODULES:
        raise InputError(f"There is no metric {name!r}; the metrics are {', '.join(MODULES)}.")
    return str(Path(next(iter(metrics.__path__))) / name)


def install_module(name: str) -> Path:
    """Puts a module where `evaluate.load(name)` finds it from any directory, also without network.

    That is evaluate's cache of modules (``HF_MODULES_CACHE``), where the newest one of a name is taken when neither a
    local folder nor the Hub has it.

    Returns:
        The folder that was written.

    Raises:
        InputError: if there is no such module.
    """
    code = sorted(Path(metric_path(name)).glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()
    package = Path(init_dynamic_modules()) / "metrics"
    folder = package / f"evaluate-{MODULES[name]}--{name}" / digest
    folder.mkdir(parents=True, exist_ok=True)
    for directory in (package, folder.parent, folder):
        (directory / "__init__.py").touch()
    for path in code:
        shutil.copy(path, folder / path.name)  # even if it is there, so that it is the newest
    return folder


def write_space(name: str, folder: Path) -> None:
    """Copies a module's files and, as ``app.py``, the app of all modules into a folder: a complete Space.

    Raises:
        InputError: if there is no such module.
    """
    shutil.copytree(metric_path(name), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(metric_path(name)).with_name("space_app.py"), folder / "app.py")


def module_upload(name: str, namespace: str) -> Upload:
    """A module as a Space, from which `evaluate.load("namespace/name")` loads it.

    Raises:
        InputError: if there is no such module.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_space(name, Path(folder))
        return Upload(f"{namespace}/{name}", "space", contents(Path(folder)))
