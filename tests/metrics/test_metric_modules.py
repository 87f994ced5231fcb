"""The metrics by name: offline after one command, from the Hub after another, and each folder a complete Space."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import evaluate
import pytest
import yaml

import modeling_sed
from modeling_sed.hub.metric_modules import MODULES, install_module, metric_path, write_space
from tests.conftest import REPOSITORY
from tests.local_hub import LocalHub

USE = """
import sys, evaluate
namespace = sys.argv[1]
happy, late = ({"start": start, "end": 2.0, "label": "happy"} for start in (0.5, 1.0))
both = {"predictions": [[late]], "references": [[happy]], "durations": [4.0]}
print(evaluate.load(namespace + "eder").compute(**both)["missed_emotion"])
print(evaluate.load(namespace + "emotion_transition_accuracy").compute(**both)["accuracy"])
print(evaluate.load(namespace + "boundary_quality").compute(**both)["onset"]["median"])
agreement = evaluate.load(namespace + "annotator_agreement")
print(agreement.compute(annotations=[[[happy], [happy]]], durations=[4.0])["fleiss_kappa"])
"""


def run(command: list[str], cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **environment}, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bare_names_work_offline_after_installing(tmp_path: Path):
    home = {"HF_HOME": str(tmp_path / "home"), "HF_EVALUATE_OFFLINE": "1"}
    listed = run([sys.executable, "-m", "modeling_sed", "metrics", "install"], tmp_path, **home)
    assert [line.partition(":")[0] for line in listed.splitlines()] == list(MODULES)
    assert run([sys.executable, "-c", USE, ""], tmp_path, **home).split() == ["0.125", "1.0", "0.5", "1.0"]


def test_spaces_are_pushed_by_one_command_and_load_by_namespace(tmp_path: Path):
    with LocalHub() as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_test"}
        for _ in range(2):  # again: the Spaces are there already
            run([sys.executable, "-m", "modeling_sed", "push", "metric", "someone"], tmp_path, **environment)
        assert set(hub.repositories) == {f"spaces/someone/{name}" for name in MODULES}
        for name in MODULES:
            pushed = set(hub.repositories[f"spaces/someone/{name}"])
            assert {"README.md", "app.py", "example.json", "requirements.txt", f"{name}.py"} <= pushed
            assert not any("__pycache__" in file for file in pushed)
        used = run([sys.executable, "-c", USE, "someone/"], tmp_path, **environment)
        assert used.split() == ["0.125", "1.0", "0.5", "1.0"]


@pytest.mark.parametrize("name", MODULES)
def test_every_space_is_complete(name: str, tmp_path: Path):
    write_space(name, tmp_path)
    _, front_matter, text = (tmp_path / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(front_matter)
    assert card["sdk"] == "gradio" and (tmp_path / card["app_file"]).is_file()
    assert {"evaluate", MODULES[name]} <= set(card["tags"])
    assert all(f"\n## {title}\n" in text for title in ("Use", "Definition", "Limits", "Citation"))
    assert "worked example" in text
    # what it imports is what it requires, itself, or comes with Python
    required = {line.split(">=")[0] for line in (tmp_path / "requirements.txt").read_text().split()}
    for path in tmp_path.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module if node.level == 0 else ""]
            else:
                continue
            for module in filter(None, (module.split(".")[0] for module in imported)):
                assert module in required | {"gradio"} | sys.stdlib_module_names, f"{path.name} imports {module}"


@pytest.mark.parametrize("name", MODULES)
def test_the_example_is_of_the_folder_that_it_lies_in(name: str):
    folder = REPOSITORY / "metrics" / name
    example = json.loads((folder / "example.json").read_text(encoding="utf-8"))
    assert example["module"] == name
    assert evaluate.load(str(folder)).compute(**example["arguments"])


def test_scores_need_nothing_of_evaluate_and_the_model():
    code = """
import sys
import annotator_agreement.fleiss_kappa, boundary_quality.borders
import eder.scoring, eder.frame_labels, emotion_transition_accuracy.transitions
print(sorted({"datasets", "evaluate", "modeling_sed", "torch", "transformers"} & set(sys.modules)))
"""
    assert run([sys.executable, "-c", code], REPOSITORY / "metrics") == "[]\n"


@pytest.mark.parametrize("name", MODULES)
def test_the_app_computes_its_example(name: str, tmp_path: Path):
    pytest.importorskip("gradio", reason="only the Spaces need gradio")
    write_space(name, tmp_path)
    code = "import json, app; print(sorted(app.compute(json.dumps(app.EXAMPLE['arguments']))))"
    listed = run([sys.executable, "-c", code], tmp_path)
    result = {"eder": "eder", "annotator_agreement": "fleiss_kappa", "boundary_quality": "f1"}.get(name, "accuracy")
    assert repr(result) in listed


def test_documentation_examples_give_what_they_say():
    code = """
import doctest, evaluate
for name in ("eder", "emotion_transition_accuracy", "boundary_quality", "annotator_agreement"):
    module = evaluate.load("metrics/" + name)
    examples = module.inputs_description.partition("Examples:")[2]
    test = doctest.DocTestParser().get_doctest(examples, {"evaluate": evaluate}, name, None, 0)
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0
"""
    run([sys.executable, "-c", code], REPOSITORY)


@pytest.mark.parametrize("function", [install_module, metric_path])
def test_unknown_metric(function: Callable):
    with pytest.raises(ValueError, match="no metric 'wer'; the metrics are eder"):
        function("wer")


def test_one_utterance_that_is_not_in_a_list_is_named():
    happy = {"start": 0.0, "end": 1.0, "label": "happy"}
    eder = evaluate.load(modeling_sed.metric_path("eder"))
    with pytest.raises(ValueError, match=r"durations must be a list with one entry for each utterance; got 4\.0\."):
        eder.add_batch(predictions=[happy], references=[happy], durations=4.0)
    with pytest.raises(ValueError, match="utterance 0: its predictions must be a list of segments; got"):
        eder.add_batch(predictions=[happy], references=[happy], durations=[4.0])
    eder.add(prediction=[happy], reference=[happy], duration=4.0)
    assert eder.compute()["eder"] == 0
