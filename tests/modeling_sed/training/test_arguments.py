"""Options from a file and from the command line, which wins."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from transformers import TrainingArguments

from modeling_sed.training.arguments import TrainingOptions, flag
from modeling_sed.training.command_line import parse_options
from modeling_sed.training.recipes import RECIPES
from tests.conftest import REPOSITORY

REQUIRED = ["--dataset", "data", "--encoder", "encoder", "--output-dir", "run"]


def test_the_command_line_wins(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(
        "encoder: microsoft/wavlm-base\nlabels: [neutral, happy]\nweight_decay: 1e-2\nclassifier_bias: true\n"
        "max_steps: 7\nnormalize_encoder_output: false\nreport_to:\n"
    )
    options = parse_options([*REQUIRED, f"--config={tmp_path / 'config.yaml'}", "--max-steps", "9"])
    assert options.encoder == "encoder" and options.max_steps == 9
    assert options.labels == ["neutral", "happy"] and options.weight_decay == 0.01
    assert options.classifier_bias is True and options.normalize_encoder_output is False
    assert options.report_to == []
    assert options.per_device_train_batch_size == 2  # the default


def test_the_defaults_are_the_papers():
    options = parse_options(REQUIRED)
    assert (options.encoder_learning_rate, options.head_learning_rate) == (1e-5, 1e-4)
    assert (options.encoder_annealing_factor, options.head_annealing_factor) == (0.9, 0.8)
    assert (options.num_train_epochs, options.per_device_train_batch_size, options.lr_scheduler_type) == (
        15,
        2,
        "newbob",
    )
    assert options.labels == ["neutral", "happy", "sad", "angry"] and options.seeds is None


@pytest.mark.parametrize("path", sorted((REPOSITORY / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_committed_configurations_are_good(path: Path):
    if path.stem.startswith("accelerate"):
        pytest.skip("a configuration of Accelerate, not of training")
    options = parse_options(["--config", str(path), "--dataset", "data_{seed}", "--output-dir", "run"])
    if path.stem.endswith("large") and "improved" not in path.stem:  # the paper's rows say the defaults once more
        named = {"dataset": "data_{seed}", "encoder": options.encoder, "output_dir": "run", "seeds": [1, 2, 3, 4, 5]}
        assert options == TrainingOptions(**named)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "cannot be read as YAML"),
        ("- seed", "must hold values by name"),
        ("speed: 1", r"unknown option\(s\) speed"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: str, message: str):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        parse_options([*REQUIRED, "--config", str(path)])
    with pytest.raises(OSError, match="missing"):
        parse_options([*REQUIRED, "--config", str(tmp_path / "missing.yaml")])


@pytest.mark.parametrize("arguments", [["--per-device-train-batch-size", "two"], ["--train-batch", "2"], ["--seed"]])
def test_bad_usage_exits_with_2(arguments: list[str], capsys):
    with pytest.raises(SystemExit) as stopped:
        parse_options([*REQUIRED, *arguments])
    assert stopped.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_a_recipe_is_below_the_file_and_the_command_line(tmp_path: Path):
    improved = RECIPES["improved"]
    named = {"dataset": "data", "encoder": "encoder", "output_dir": "run"}
    assert parse_options([*REQUIRED, "--recipe", "improved"]) == TrainingOptions(**named, **improved)
    assert parse_options([*REQUIRED, "--recipe=paper"]) == parse_options(REQUIRED) == TrainingOptions(**named)
    (tmp_path / "config.yaml").write_text("recipe: improved\nweight_decay: 0.5\nwarmup_steps: 7\n")
    from_file = parse_options([*REQUIRED, "--warmup-steps", "9", "--config", str(tmp_path / "config.yaml")])
    assert from_file == TrainingOptions(**named, **improved | {"weight_decay": 0.5, "warmup_steps": 9})
    arguments = ["--recipe", "paper", "--warmup-steps", "0", "--config", str(tmp_path / "config.yaml")]
    paper = parse_options([*REQUIRED, *arguments])
    assert paper.average_weights is None  # the command line names another recipe than the file


@pytest.mark.parametrize("value", [["papers"], []], ids=["unknown", "none"])
def test_an_unknown_recipe_is_refused(value: list[str], capsys):
    with pytest.raises(SystemExit) as stopped:
        parse_options([*REQUIRED, "--recipe", *value])
    assert stopped.value.code == 2 and "--recipe" in capsys.readouterr().err


def test_help_shows_the_defaults_of_the_recipe(capsys):
    shown = {}
    for recipe in RECIPES:
        with pytest.raises(SystemExit) as stopped:
            parse_options(["--recipe", recipe, "--help"])
        assert stopped.value.code == 0
        shown[recipe] = " ".join(capsys.readouterr().out.split())
    assert "(default: newbob)" in shown["paper"] and "(default: cosine)" in shown["improved"]


@pytest.mark.parametrize("name", ["wavlm-large", "wavlm_large", "wavlm_large.yaml"])
def test_a_configuration_of_the_package_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = REPOSITORY / "configs" / "wavlm_large.yaml"
    given = ["--dataset", "data", "--output-dir", "run", "--config"]
    assert parse_options([*given, name]) == parse_options([*given, str(path)])
    (tmp_path / name).write_text("encoder: here\n")  # a path comes first
    assert parse_options([*given, name]).encoder == "here"


@pytest.mark.parametrize("name", ["wavlm-larger", "accelerate-fsdp", "configs/wavlm_large.yaml", "wavlm_tiny.json"])
def test_an_unknown_name_lists_the_known_ones(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=rf"no file {name}; by name there are .*laptop, .*wavlm-large\."):
        parse_options([*REQUIRED, "--config", name])


def test_help_has_groups_with_every_option_and_what_it_takes(capsys):
    with pytest.raises(SystemExit):
        parse_options(["--help"])
    shown = capsys.readouterr().out
    titles = re.findall(r"^(\w+):", shown, re.M)
    assert titles == ["usage", "options", "data", "model", "optimisation", "augmentation", "run"]
    for option in fields(TrainingOptions):
        line = re.search(rf"^  {flag(option.name)} (.*)", shown, re.M)
        assert line and not re.search(r"[A-Z]_[A-Z]", line[1]), option.name  # N, DIR …, not NUM_TRAIN_EPOCHS


def test_options_are_named_as_those_of_transformers_or_are_ours():
    theirs = {option.name for option in fields(TrainingArguments)}
    same = {option.name for option in fields(TrainingOptions)} & theirs
    assert {"label_smoothing_factor", "warmup_steps", "per_device_train_batch_size", "report_to", "push_to_hub"} <= same
