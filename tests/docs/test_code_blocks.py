"""README and docs: Python runs; commands run where their files can be made here, and are understood elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from typer.main import get_command
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from modeling_sed.dataset_scripts.command_line import _parser
from modeling_sed.training.command_line import parse_options
from tests.conftest import REPOSITORY, small_model
from tests.modeling_sed.training.conftest import data  # noqa: F401 - a fixture of these tests, too

PAGES = [
    "README.md",
    "docs/recordings.md",
    "docs/live.md",
    "docs/training.md",
    "docs/scoring.md",
    "docs/metrics.md",
    "docs/recipe.md",
    "docs/scale.md",
    "docs/gallery/README.md",
]
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}(_DIR)?\b")  # RUN, OUT, NAMESPACE …: what only the reader has
ZED = {"call": {"wav": "datafolder/call.wav", "duration": 1.0, "emotion": [{"emo": "sad", "start": 0.0, "end": 0.5}]}}


def blocks(page: str, language: str) -> list[str]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return [code for its, code in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if its == language]


def commands(page: str) -> Iterator[list[str]]:
    for block in blocks(page, ""):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r"(emotion-diarization|accelerate launch|python train_sed.py) ", line):
                yield shlex.split(line, comments=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the pages name."""
    monkeypatch.chdir(tmp_path)
    for name in ("metrics", "configs"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    noise = 0.01 * np.random.default_rng(0).standard_normal(16_000)
    Path("calls").mkdir()
    for path in ("call.wav", "interview.mp3", "calls/one.mp3", "calls/two.wav"):
        soundfile.write(path, noise, 16_000)
    Path("interview.mp4").write_bytes(Path("interview.mp3").read_bytes())
    Path("calls.txt").write_text("call.wav\ninterview.mp3\n", encoding="utf-8")
    Path("call.rttm").write_text("SPEAKER call 1 0.0 1.0 <NA> <NA> anna <NA> <NA>\n", encoding="utf-8")
    Path("call.json").write_text('[{"start": 0.0, "end": 1.0, "text": "Hello."}]', encoding="utf-8")
    Path("ZED.json").write_text(json.dumps(ZED), encoding="utf-8")
    for name in ("predictions", "baseline"):
        Path(f"{name}.json").write_text('{"call": [{"start": 0.0, "end": 1.0, "label": "sad"}]}', encoding="utf-8")
    return tmp_path


@pytest.fixture
def training_folder(folder: Path, data: Path) -> Path:  # noqa: F811
    """The same, with a dataset and an encoder under the names that the page of training has for them."""
    (folder / "OUT").symlink_to(data)
    model = small_model()
    model.encoder.save_pretrained(folder / "ENCODER")
    model.config.encoder_family.new_feature_extractor(model.config.encoder_config).save_pretrained(folder / "ENCODER")
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_runs(page: str, training_folder: Path):
    names: dict = {}
    for code in blocks(page, "python"):
        exec(code, names)  # one after the other, as a reader would


def test_the_notebook_runs(folder: Path, capsys: pytest.CaptureFixture):
    notebook = json.loads((REPOSITORY / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
    names: dict = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert "<div" in names["timeline"]._repr_html_() and "EDER" in capsys.readouterr().out


@pytest.mark.parametrize("page", [*PAGES, "docs/page.md"])  # whose Python needs a server: tests/modeling_sed/page
def test_commands_are_understood(page: str):
    for words in commands(page):
        if words[0] == "emotion-diarization":
            understand(words[1:])
        elif "train_sed.py" in words:
            understand(["train", *words[words.index("train_sed.py") + 1 :]])
        else:  # accelerate launch … -m modeling_sed diarize …
            understand(words[words.index("modeling_sed") + 1 :])


def understand(words: list[str]) -> None:
    if words[0] == "train":
        paths = [str(REPOSITORY / word) if word.startswith("configs/") else word for word in words[1:]]
        given = {"--dataset", "--encoder", "--output-dir"} - set(paths)
        parse_options([*paths, *(word for name in given for word in (name, "X"))])
    elif words[0] == "build":
        _parser("build").parse_args(words[1:])
    else:
        command = get_command(app)
        context = click.Context(command)
        while isinstance(command, click.Group):
            _, command, words = command.resolve_command(context, words)
        command.make_context("command", words)


@pytest.mark.parametrize("page", ["README.md", "docs/recordings.md", "docs/scoring.md"])
def test_commands_run(page: str, folder: Path):
    ready = [
        words
        for words in commands(page)
        if words[1] in ("diarize", "score", "compare")
        and not any(PLACEHOLDER.fullmatch(word) or word.startswith("grids") for word in words)
    ]
    assert ready
    for words in ready:
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, (words, done.output)
