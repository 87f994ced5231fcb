"""What the commands that run a model have in common: its number format, and how fast it is there."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch
import typer

from modeling_sed.cli.model_loading import computes_in_bfloat16, load_pipeline


def flags_of_processor() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        pytest.skip("no /proc/cpuinfo to compare with")
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def test_the_processor_is_asked_for_bfloat16() -> None:
    if not hasattr(torch.cpu, "get_capabilities"):
        pytest.skip("this torch does not tell")
    assert computes_in_bfloat16("cpu") == bool({"amx_bf16", "avx512_bf16"} & flags_of_processor())


def test_auto_takes_bfloat16_where_it_is_fast(model_folder: Path) -> None:
    expected = torch.bfloat16 if computes_in_bfloat16("cpu") else torch.float32
    assert load_pipeline(str(model_folder), "cpu", "auto").model.dtype == expected
    assert load_pipeline(str(model_folder), "cpu").model.dtype == torch.float32


def test_no_such_number_format() -> None:
    with pytest.raises(typer.BadParameter, match="--dtype float12: must be auto, or one of torch's"):
        load_pipeline(None, "cpu", "float12")


def test_garbage_is_collected_again_after_loading(model_folder: Path) -> None:
    load_pipeline(str(model_folder), "cpu")
    assert gc.isenabled()
