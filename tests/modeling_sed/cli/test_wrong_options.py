"""Values that cannot be meant are refused when they are parsed: a sentence, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from modeling_sed.cli.app import app
from tests.broken_recordings import encoded


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--window", value) for value in ("inf", "nan", "-inf", "-1", "0.01", "2", "1e400", "x")),
        *(("--max-duration", value) for value in ("nan", "-1", "x")),
        *(("--batch-size", value) for value in ("0", "-1", "1.5", "1e9", "many", "")),
        *(("--device", value) for value in ("foo", "cuda:77", "cuda:-1", "meta", "-1")),
        *(("--dtype", value) for value in ("foo", "int8", "bool", "complex64", "float8_e4m3fn", "nn")),
    ],
)
def test_wrong_values(option: str, value: str, model_folder: Path, tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(encoded("WAV"))
    arguments = ["diarize", str(tmp_path / "a.wav"), "--model", str(model_folder), f"{option}={value}"]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 2 and isinstance(found.exception, SystemExit), found.output
    assert option in found.output and "Traceback" not in found.output


def test_enormous_batches_wait_for_no_more_than_there_is(model_folder: Path, tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(encoded("WAV"))
    arguments = ["diarize", str(tmp_path / "a.wav"), "--model", str(model_folder), "--batch-size", "9" * 12]
    assert CliRunner().invoke(app, arguments).exit_code == 0
