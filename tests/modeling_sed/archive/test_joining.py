"""Joining the results of shards: nothing is lost, nothing changes, whatever the order of the parts."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.csv_files import read_csv
from modeling_sed.annotations.json_files import write_json, write_jsonl
from modeling_sed.archive.joining import find_results, in_order, read_result
from modeling_sed.archive.shards import shard_of
from modeling_sed.cli.app import app
from modeling_sed.recordings.results_folder import file_names

NAMES = [f"calls/{folder}/{number}.wav" for folder in "ab" for number in range(5)]


def result(name: str, label: str = "sad") -> dict:
    return {"name": name, "duration": 2.0, "segments": [{"start": 0.0, "end": 2.0, "label": label, "score": 1 / 3}]}


def join(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["join", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Three shards of JSON lines."""
    paths = [tmp_path / f"part {index}.jsonl" for index in (1, 2, 3)]
    for index, path in enumerate(paths, start=1):
        write_jsonl([Annotation(**result(name)) for name in NAMES if shard_of(name, 3) == index], path)
    return paths


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """The same in folders."""
    for name, stem in zip(NAMES, file_names(NAMES), strict=True):
        path = tmp_path / f"folder {shard_of(name, 3)}" / f"{stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json([Annotation(**result(name))], path)
    found = sorted(tmp_path.glob("folder *"))
    for folder in found:  # as an unfinished run has them
        (folder / ".emotion-diarization.json").write_text("{}")
        (folder / ".hidden").mkdir()
        (folder / ".hidden" / "x.json").write_text("text")
    return found


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(reversed(NAMES)))
    return path


def test_the_order_of_the_parts_does_not_matter(parts: list[Path], folders: list[Path], listed: Path, tmp_path: Path):
    """What one run over all recordings writes, byte by byte, in the list's order or that of the names."""
    for name, arguments, order in (("in order", ["--list", listed], NAMES[::-1]), ("by name", [], sorted(NAMES))):
        write_jsonl([Annotation(**result(name)) for name in order], tmp_path / "one run.jsonl")
        for number, given_parts in enumerate((parts, parts[::-1], folders, [folders[0], *parts[1:], folders[2]])):
            output = tmp_path / f"{name} {number}.jsonl"
            assert join(*given_parts, *arguments, "--output", output) == (0, f"10 recordings in {output}")
            assert output.read_bytes() == (tmp_path / "one run.jsonl").read_bytes()


def test_any_format_that_holds_many(parts: list[Path], tmp_path: Path):
    for suffix in ("json", "csv"):
        code, text = join(*parts, "--output", tmp_path / "new" / f"all.{suffix}")
        assert code == 0, text
    assert json.loads((tmp_path / "new" / "all.json").read_text()) == [result(name) for name in sorted(NAMES)]
    assert [annotation.segments for annotation in read_csv(tmp_path / "new" / "all.csv")] == [
        result("")["segments"] for _ in NAMES
    ]
    code, text = join(*parts, "--output", tmp_path / "new" / "all.srt")
    assert code == 1 and "hold one recording; got 10" in text
    code, text = join(*parts, "--output", tmp_path / "new" / "all.rttm")  # which has no folders
    assert code == 1 and "calls/b/0.wav: a recording 0 comes before" in text
    code, text = join(*parts, "--output", tmp_path / "all.xyz")
    assert code == 2 and ".jsonl" in text
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"all.json", "all.csv"}


def test_folders_become_a_folder(folders: list[Path], listed: Path, tmp_path: Path):
    assert join(*folders, "--list", listed, "--output", tmp_path / "all")[0] == 0
    found = {str(path.relative_to(tmp_path / "all")): path for path in (tmp_path / "all").rglob("*") if path.is_file()}
    assert found.keys() == {f"{stem}.json" for stem in file_names(NAMES)}
    assert json.loads(found["b/3.json"].read_text()) == [result("calls/b/3.wav")]


def test_what_is_missing_is_named_and_the_rest_is_written(parts: list[Path], folders: list[Path], listed: Path):
    listed.write_text("\n".join([*NAMES, "calls/a/x.wav", "calls/y.wav"]))
    for given_parts, output in ((parts, listed.with_name("all.jsonl")), (folders, listed.with_name("all"))):
        code, text = join(*given_parts, "--list", listed, "--output", output)
        assert code == 1 and f"10 recordings in {output}" in text
        assert "error: calls/a/x.wav has no result in these parts. error: calls/y.wav has no result" in text


def test_a_recording_twice(parts: list[Path], folders: list[Path], tmp_path: Path):
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(parts[0].read_bytes())
    assert join(copy, *parts, folders[0], "--output", tmp_path / "all.jsonl")[0] == 0
    other = tmp_path / "other.jsonl"
    write_jsonl([Annotation(**result(NAMES[3], "happy"))], other)
    code, text = join(*parts, other, "--output", tmp_path / "again.jsonl")
    assert code == 1 and f"{NAMES[3]} has different results in" in text and str(other) in text
    assert not (tmp_path / "again.jsonl").exists()
    file = next(path for path in folders[0].rglob("*.json") if path.name[0] != ".")
    changed = tmp_path / "changed" / file.relative_to(folders[0])
    changed.parent.mkdir(parents=True)
    changed.write_text("other")
    code, text = join(*folders, tmp_path / "changed", "--output", tmp_path / "all")
    assert code == 1 and "differs from that of another part" in text and not (tmp_path / "all").exists()


def test_a_result_that_the_list_lacks_is_not_thrown_away(parts: list[Path], listed: Path, tmp_path: Path):
    listed.write_text("\n".join(NAMES[2:]))
    code, text = join(*parts, "--list", listed, "--output", tmp_path / "all.jsonl")
    assert code == 1 and "is missing in the list of recordings, and so are 1 more" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"name": "a"}\n', "line 1: it needs name, duration and segments"),
        ('{"name": "a", "segments": []}\n{"name": "b", "seg', "line 2 is not JSON"),
        ("[1, 2]\n", "line 1: it needs"),
        ("\n", "line 1 is not JSON"),
    ],
)
def test_what_are_no_results(tmp_path: Path, content: str, message: str):
    (tmp_path / "part.jsonl").write_text(content)
    code, text = join(tmp_path / "part.jsonl", "--output", tmp_path / "all.jsonl")
    assert code == 1 and message in text and not (tmp_path / "all.jsonl").exists()


def test_parts_and_outputs_that_cannot_be_used(parts: list[Path], tmp_path: Path):
    for arguments, message in (
        ([tmp_path / "part 4.jsonl", "--output", tmp_path / "all.jsonl"], "has its shard been finished?"),
        ([parts[0], "--output", parts[1]], "exists already"),
        ([parts[0], "--output", tmp_path / "all"], "into a folder, folders are joined"),
        ([__file__, "--output", tmp_path / "all.jsonl"], "written into folders, or files that end in .jsonl"),
        ([parts[0], "--output", parts[1] / "all.jsonl"], "cannot be written"),
    ):
        code, text = join(*arguments)
        assert code == 1 and message in text, text
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\n")
    assert "is not text in UTF-8" in join(binary, "--output", tmp_path / "all.jsonl")[1]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(), unique=True), st.data())
def test_names_stay_as_they_are(tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject):
    folder = tmp_path_factory.mktemp("parts")
    paths = [folder / f"{number}.jsonl" for number in range(3)]
    owners = [data.draw(st.integers(0, 2)) for _ in names]
    for number, path in enumerate(paths):
        lines = [json.dumps(result(name)) for name, owner in zip(names, owners, strict=True) if owner == number]
        path.write_text("".join(f"{line}\n" for line in lines))
    places = find_results(data.draw(st.permutations(paths)))
    found, missing = in_order(places, names)
    assert [read_result(places[name]) for name in found] == [result(name) for name in names] and missing == []


def test_results_are_not_held_in_memory(tmp_path: Path):
    """10,000 results of 1,000 bytes are found in less memory than a quarter of them."""
    long = result("", "x" * 1_000)
    with (tmp_path / "part.jsonl").open("w") as file:
        file.writelines(json.dumps({**long, "name": f"{number}.wav"}) + "\n" for number in range(10_000))
    tracemalloc.start()
    places = find_results([tmp_path / "part.jsonl"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(places) == 10_000 and peak < (tmp_path / "part.jsonl").stat().st_size / 4
