"""The house that ARCHITECTURE.md describes: which way imports run, what travels with a checkpoint, how large files are.

Imports for type checkers only, and those inside of functions, count like any other for the direction; for circles, only
those count that run when a file is imported.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGE = "modeling_sed"
# What each room may import besides itself and other libraries. The lower ones know nothing of the higher ones.
MAY_IMPORT = {
    "configs": set(),
    "metrics": set(),
    "disk": set(),
    "dataset_scripts": {"disk", "metrics"},
    "core": set(),  # the files directly in modeling_sed/
    "fast_encoder": {"core"},
    "annotations": {"core", "metrics"},
    "front_end": {"core", "annotations"},
    "recordings": {"core", "disk", "annotations", "front_end"},
    "evaluation": {"core", "disk", "annotations", "metrics"},
    "checkpoints": {"core", "disk", "fast_encoder"},
    "archive": {"core", "annotations", "recordings", "checkpoints", "hub"},
    "hub": {"core", "fast_encoder", "metrics", "dataset_scripts"},
    "page": {"core", "annotations", "evaluation"},
    "training": {
        *("core", "disk", "annotations", "evaluation", "checkpoints", "hub", "metrics", "dataset_scripts", "configs")
    },
    "train_sed": {"core", "evaluation", "hub", "training", "dataset_scripts"},
    "cli": {
        *("core", "annotations", "front_end", "recordings", "archive", "evaluation", "checkpoints", "hub", "page"),
        *("train_sed", "metrics", "dataset_scripts"),
    },
}
TRAVELS_AT_MOST = 13  # three of them for the families of encoders
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
COPIED_OUT = REPOSITORY / PACKAGE / "checkpoints" / "onnx_runner"  # a program that is written for another place


def source_files() -> dict[str, Path]:
    """All files of the package, by the names that they are imported by."""
    found = {}
    for folder, prefix in (
        (PACKAGE, PACKAGE),
        ("configs", f"{PACKAGE}.configs"),
        ("dataset_scripts", f"{PACKAGE}.dataset_scripts"),
        ("metrics", f"{PACKAGE}.metrics"),
    ):
        for path in (REPOSITORY / folder).rglob("*.py"):
            parts = path.relative_to(REPOSITORY / folder).with_suffix("").parts
            if not path.is_relative_to(COPIED_OUT) and not {"demo_space", "endpoint"} & set(parts):
                found[".".join([prefix, *(part for part in parts if part != "__init__")])] = path
    return {**found, "train_sed": REPOSITORY / "train_sed.py"}


FILES = source_files()


def room(module: str) -> str | None:
    """The package's own files have none: they make it a package."""
    parts = module.split(".")
    if module in (PACKAGE, f"{PACKAGE}.__main__"):
        return None
    if parts[0] != PACKAGE:
        return parts[0]
    return parts[1] if len(parts) > 2 or parts[1] in MAY_IMPORT else "core"


def imports(module: str, nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Names of the own modules that import statements name."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else base for name in names]
        else:
            continue
        yield from (name for name in names if name in FILES)


def everywhere(module: str) -> set[str]:
    return set(imports(module, ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8")))))


def when_imported(module: str) -> set[str]:
    """Without function bodies and what is for type checkers only."""
    waiting, nodes = list(ast.parse(FILES[module].read_text(encoding="utf-8")).body), []
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        is_for_type_checkers = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not is_for_type_checkers and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return set(imports(module, iter(nodes)))


def against_the_direction() -> list[str]:
    return [
        f"{module} ({room(module)}) imports {imported} ({room(imported)})"
        for module in FILES
        if room(module) is not None
        for imported in sorted(everywhere(module))
        if room(imported) not in (None, room(module), *MAY_IMPORT[room(module)])
    ]


def test_imports_run_in_the_stated_direction():
    assert against_the_direction() == []


def test_there_is_no_circle():
    TopologicalSorter({module: when_imported(module) - {PACKAGE} for module in FILES}).prepare()
    rooms = {name: others - {name} for name, others in MAY_IMPORT.items()}
    TopologicalSorter(rooms).prepare()


def test_a_wrong_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "wrong.py").write_text("def f():\n    from ...cli import app\n")
    monkeypatch.setitem(FILES, f"{PACKAGE}.metrics.eder.wrong", tmp_path / "wrong.py")
    assert against_the_direction() == ["modeling_sed.metrics.eder.wrong (metrics) imports modeling_sed.cli.app (cli)"]
    (tmp_path / "wrong.py").write_text("from .eder import Eder\n")
    monkeypatch.setitem(FILES, f"{PACKAGE}.metrics.eder.scoring", tmp_path / "wrong.py")
    with pytest.raises(ValueError, match="cycle"):
        test_there_is_no_circle()


def test_few_files_travel_and_name_no_private_class():
    travelling = sorted((REPOSITORY / PACKAGE).glob("*_sed.py"))
    others = {path.name for path in (REPOSITORY / PACKAGE).glob("*.py")} - {path.name for path in travelling}
    assert others == {"__init__.py", "__main__.py"} and len(travelling) <= TRAVELS_AT_MOST
    for path in travelling:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:  # transformers follows `from .x import y` only
                assert node.level == 1 and (path.parent / f"{node.module}.py") in travelling, path.name
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("transformers.models"):
                raise AssertionError(f"{path.name} imports from {node.module}")


def test_files_that_are_opened_name_all_that_they_need():
    """From a folder, transformers 5.0 copies what an opened file names, but not what that names in turn."""
    configuration = f"{PACKAGE}.configuration_sed"  # is opened first; the model then for itself, the pipeline before it
    for opened in ("configuration_sed", "modeling_sed", "pipeline_sed"):
        needed = waiting = {f"{PACKAGE}.{opened}"}
        copied = {configuration} | everywhere(configuration) | needed | everywhere(f"{PACKAGE}.{opened}")
        while waiting:
            waiting = {name for module in waiting for name in everywhere(module)} - needed
            needed = needed | waiting
        assert needed <= copied, opened


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Names and lines; what a function says of itself does not make it long."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            yield node.name, node.end_lineno - (first.end_lineno if is_documented else node.lineno)


def test_files_and_functions_are_short():
    paths = [*FILES.values(), *COPIED_OUT.rglob("*.py")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path.name: count for path, count in lines.items() if count > LONGEST_FILE} == {}
    long = {f"{path.name}: {name}": count for path in paths for name, count in functions(path)}
    assert {name: count for name, count in long.items() if count > LONGEST_FUNCTION} == {}


HEAVY = ("torch", "transformers", "datasets", "evaluate", "accelerate", "huggingface_hub", "gradio")
LOADED = f"\nimport sys; print([name for name in {HEAVY} if name in sys.modules])"


@pytest.mark.parametrize(
    "code",
    [
        "import modeling_sed",
        "from modeling_sed import Segment, FrameGeometry, InputError",
        "from typer.testing import CliRunner; from modeling_sed.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
        "from typer.testing import CliRunner; from modeling_sed.cli.app import app\n"
        "assert CliRunner().invoke(app, ['diarize', '--help']).exit_code == 0",
        "from typer.testing import CliRunner; from modeling_sed.cli.app import app\n"
        "assert CliRunner().invoke(app, ['app', '--help']).exit_code == 0",
        "from typer.testing import CliRunner; from modeling_sed.cli.app import app\n"
        "assert CliRunner().invoke(app, ['score', 'a.csv', 'a.csv']).exit_code == 0",
    ],
    ids=["package", "names", "help", "diarize --help", "app --help", "score"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text("name,start,end,label,duration\na,0,1,sad,2\n")
    command = [sys.executable, "-c", code + LOADED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
