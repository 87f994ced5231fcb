"""Tables of recordings to tables of segments: the pipeline's, whatever the batch; what fails is a row."""

from __future__ import annotations

import sys
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch
from fsspec.implementations.memory import MemoryFileSystem
from transformers import pipeline

import modeling_sed
from modeling_sed.archive.table_diarizer import SEGMENTS, TableDiarizer
from modeling_sed.checkpoints.opening import digest_of_model


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five recordings of which the second is no audio and the fourth is missing."""
    folder, generator = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    for number in (0, 2, 4):
        soundfile.write(folder / f"{number}.wav", 0.1 * generator.standard_normal(8_000 + 3_000 * number), 16_000)
    (folder / "1.wav").write_text("text")
    return [str(folder / f"{number}.wav") for number in range(5)]


@pytest.fixture(scope="module")
def diarizer(model_folder: Path) -> TableDiarizer:
    return TableDiarizer(str(model_folder), device="cpu")


def table(names: list[str | None], **columns: list) -> pa.Table:
    return pa.table({"recording": pa.array(names, pa.string()), **columns})


def test_rows_are_those_of_the_pipeline(names: list[str], diarizer: TableDiarizer, model_folder: Path):
    found = diarizer(table(names))
    assert found.schema == SEGMENTS
    rows = found.to_pylist()
    for name in (names[0], names[2], names[4]):
        timeline = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")(name)
        ours = [row for row in rows if row["recording"] == name]
        assert [{key: row[key] for key in ("start", "end", "label", "score")} for row in ours] == timeline
        assert {(row["speaker"], row["error"]) for row in ours} == {(None, None)}
    assert {(row["model"], row["revision"]) for row in rows} == {(str(model_folder), digest_of_model(model_folder))}
    failed = {row["recording"]: row for row in rows if row["error"] is not None}
    assert list(failed) == [names[1], names[3]]
    assert "not audio that can be" in failed[names[1]]["error"]
    assert failed[names[3]]["error"] == f"{names[3]}: there is no such file." and failed[names[3]]["start"] is None


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_rows_do_not_depend_on_the_batch(names: list[str], diarizer: TableDiarizer, size: int):
    given = table(names)
    parts = [diarizer(given.slice(first, size)) for first in range(0, len(names), size)]
    assert pa.concat_tables(parts) == diarizer(given)  # even where all of a part fail


def test_segments_of_speakers(names: list[str], diarizer: TableDiarizer):
    whole = diarizer(table(names[:1])).to_pylist()
    turns = [
        [{"start": 0.1, "end": 0.3, "speaker": "anna"}, {"start": 0.2, "end": 9.0, "speaker": "ben"}],
        [{"start": 0.1, "end": 0.3, "speaker": "anna"}],
        [],
        None,
    ]
    found = diarizer(table([names[0], names[1], names[0], names[0]], turns=turns)).to_pylist()
    spoken = [row for row in found if row["speaker"] is not None]
    assert {
        speaker: round(sum(row["end"] - row["start"] for row in spoken if row["speaker"] == speaker), 6)
        for speaker in ("anna", "ben")
    } == {"anna": 0.2, "ben": 0.3}  # of 0.5 s
    assert sum("nobody speaks" in (row["error"] or "") for row in found) == 1
    assert found[-len(whole) :] == whole
    (row,) = diarizer(table(names[:1], turns=[[{"start": 2.0, "end": 1.0, "speaker": "anna"}]])).to_pylist()
    assert "ends too early" in row["error"]


def test_a_bug_costs_no_other_recording(names: list[str], diarizer: TableDiarizer, monkeypatch: pytest.MonkeyPatch):
    """The third recording makes the model divide by zero, as some file among millions may."""
    forward = diarizer._pipeline.model.forward

    def divide(input_values: torch.Tensor, **arguments: torch.Tensor) -> object:
        assert input_values.shape[1] != 14_000, 1 // 0
        return forward(input_values=input_values, **arguments)

    expected = diarizer(table(names)).to_pylist()
    monkeypatch.setattr(diarizer._pipeline.model, "forward", divide)
    found = diarizer(table(names)).to_pylist()
    assert [row for row in found if row["recording"] == names[2]] == [
        {**dict.fromkeys(SEGMENTS.names), "recording": names[2], **diarizer._source}
        | {"error": "ZeroDivisionError: integer division or modulo by zero"}
    ]
    others = [row for row in found if row["recording"] != names[2]]
    assert others == [row for row in expected if row["recording"] != names[2]]


def test_only_a_gpu_that_fails_is_no_row(names: list[str], diarizer: TableDiarizer, monkeypatch: pytest.MonkeyPatch):
    """It fails for all that come; memory may suffice for other recordings."""
    for error in (MemoryError, torch.OutOfMemoryError, torch.AcceleratorError):

        def fail(*arguments: object, error: type[Exception] = error, **options: object) -> object:
            raise error("no more")

        monkeypatch.setattr(diarizer._pipeline.model, "forward", fail)
        if error is torch.AcceleratorError:
            with pytest.raises(error):
                diarizer(table(names))
        else:
            rows = diarizer(table(names)).to_pylist()
            assert [row["recording"] for row in rows if row["error"]] == names


def test_a_missing_name_is_a_row(diarizer: TableDiarizer):
    (row,) = diarizer(table([None])).to_pylist()
    assert row["recording"] is None and row["error"]


def test_the_model_that_comes_with_the_package(names: list[str]):
    rows = TableDiarizer(decoder="argmax")(table(names[:1])).to_pylist()
    assert {row["model"] for row in rows} == {"bundled_model"} and rows[-1]["end"] == 0.5
    with pytest.raises(ValueError, match="Cannot load the model"):
        TableDiarizer("/nowhere")


def test_models_of_the_hub_are_known_by_their_commit(model_folder: Path, tmp_path: Path):
    commit = tmp_path / "snapshots" / ("c0ffee" * 6)
    commit.parent.mkdir()
    commit.symlink_to(model_folder)
    assert TableDiarizer(str(commit), device="cpu")._source["revision"] == "c0ffee" * 6


def test_addresses_of_storages(names: list[str], diarizer: TableDiarizer, monkeypatch: pytest.MonkeyPatch):
    """As s3:// of a cloud, by fsspec: here a storage in memory has that name."""
    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, "s3", MemoryFileSystem)
    address = "s3://bucket/calls/0.wav"
    with fsspec.open(address, "wb") as file:
        file.write(Path(names[0]).read_bytes())
    found, failed = (diarizer(table([name])).to_pylist() for name in (address, "s3://bucket/missing.wav"))
    assert found == [{**row, "recording": address} for row in diarizer(table(names[:1])).to_pylist()]
    assert [row["error"] for row in failed] == ["s3://bucket/missing.wav: there is no such file."]
