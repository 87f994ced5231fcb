"""YAML of strangers is plain data: small, without aliases, and refused with file and line otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed.checkpoints.speechbrain import load_speechbrain
from modeling_sed.checkpoints.yaml_files import read_yaml
from modeling_sed.frames_sed import InputError
from modeling_sed.training.command_line import parse_options
from modeling_sed.training.data import _rendered_stream
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import FOLDER as SPEECHBRAIN

REQUIRED = ["--dataset", "data", "--encoder", "encoder", "--output-dir", "run"]
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n"
    for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, r"cannot be read as YAML: the alias \*a; write out what it stands for .*line 2"),
        (MERGES, r"the alias \*a"),
        ("seed: &x [*x]", r"the alias \*x"),
        ("[" * 5_000, "is nested too deeply"),
        ("seed: 1\nseed: 2", "'seed' comes twice"),
        ("{[a]: b}", "cannot be read as YAML"),
        ("seed: 2026-99-99", "cannot be read as YAML"),
        ("seed: " + "9" * 5_000, "cannot be read as YAML"),
        ("seed: !!python/object/apply:os.system [touch ran]", "could not determine a constructor"),
        ("1: 2", "must hold values by name"),
        ("- seed", "must hold values by name"),
        ("\xff\xfe", "must hold values by name"),
        ("#" * 2_000_000, "has more than 1000000 bytes"),
    ],
    ids=range(13),
)
def test_what_is_not_plain_is_refused_by_all_who_read_yaml(tmp_path: Path, content: str, message: str):
    path = tmp_path / "options.yaml"
    path.write_text(content)
    for read in (read_yaml, _rendered_stream, lambda path: parse_options([*REQUIRED, "--config", str(path)])):
        with pytest.raises(InputError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value) and len(str(caught.value)) < 1_000
    for file in (SPEECHBRAIN / "wavlm").iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "hyperparams.yaml").write_text(content)
    if "python/object" not in content:  # kept as data there, as all tags are
        with pytest.raises(InputError, match="" if "alias" in message else message) as caught:
            load_speechbrain(tmp_path, SPEECHBRAIN / "wavlm" / "encoder")
        assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("place", ["wav2vec2_hub", "avg_pool", "window_length"])
def test_aliases_in_settings_of_a_training_are_never_written_out(tmp_path: Path, place: str):
    for file in (SPEECHBRAIN / "wavlm").iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = yaml.safe_load(re.sub(r"!\S+", "", (tmp_path / "hyperparams.yaml").read_text()))
    settings = {name: settings.get(name) for name in ("wav2vec2", "wav2vec2_hub") if name != place}
    (tmp_path / "hyperparams.yaml").write_text(f"{BOMB}{yaml.safe_dump(settings)}{place}: {{pool_type: *k}}\n")
    with pytest.raises(InputError, match=r"hyperparams\.yaml: .*(?:pool_type \[|window_length is|a hub id)") as caught:
        load_speechbrain(tmp_path)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed: [1, 2]", "seed must be one value; got \\[1, 2\\]"),
        ("seed: {a: 1}", "seed must be one value"),
        ("labels: {neutral: 1}", "labels must be values"),
        ("labels: [neutral, [sad]]", "labels must be values"),
        ("output_dir: --overwrite", "output_dir must be one value; got '--overwrite'"),
        ("encoder_learning_rate: .nan", "--encoder-learning-rate must lie between 0 and inf; got nan"),
        ("max_grad_norm: -1", "--max-grad-norm must lie between 0 and inf; got -1"),
    ],
)
def test_training_options_are_checked_by_type(tmp_path: Path, content: str, message: str):
    (tmp_path / "options.yaml").write_text(content)
    with pytest.raises(InputError, match=message):
        parse_options([*REQUIRED, "--config", str(tmp_path / "options.yaml")])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(max_size=60) | st.text("&*!<:-[]{}?|>#%@'\" \nax1.", max_size=60) | st.binary(max_size=30))
def test_any_text_is_values_or_an_error(tmp_path: Path, content: str | bytes):
    path = tmp_path / "options.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(read_yaml(path), dict)
    except InputError as error:
        assert str(path) in str(error)
