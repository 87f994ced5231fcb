"""Work folders: what is in one that is not marked stays, one process holds it, a dead one does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modeling_sed.disk.replacing import replacing
from modeling_sed.disk.work_folder import FIRST_LINE, LOCK, MARKER, OWNER, SIGNATURE, beside, held, within
from modeling_sed.frames_sed import InputError

HOLD = """
import os, sys
from pathlib import Path
from modeling_sed.disk.work_folder import beside, held
output = Path(sys.argv[1])
with held(beside(output), output, ValueError, wait=len(sys.argv) > 2):
    (beside(output) / "half").write_text("done")
    if os.fork() == 0:  # as a pool of processes has them, which outlive one that is killed
        input()
    print("holds", flush=True)
    input()
    (beside(output) / "half").unlink()
"""


def start(output: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(output), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_work_folder_is_there_while_it_is_needed(tmp_path: Path):
    output = tmp_path / "out.json"
    with held(beside(output), output, InputError):
        assert {path.name for path in beside(output).iterdir()} == {MARKER, LOCK, OWNER}
        assert [path.name for path in tmp_path.iterdir()] == [".out.json.emotion-diarization"]
        (beside(output) / "half").write_text("done")
    assert (beside(output) / "half").read_text() == "done"
    with held(beside(output), output, InputError):
        (beside(output) / "half").unlink()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_second_process_is_refused_until_the_first_has_died(tmp_path: Path):
    output = tmp_path / "out.json"
    first = start(output)
    assert first.stdout.readline() == "holds\n"
    named = rf"out\.json is being written by another process \(process {first.pid} on .*, since 2.*\); wait for it"
    with pytest.raises(InputError, match=named), held(beside(output), output, InputError):
        pass
    assert (beside(output) / "half").read_text() == "done"
    second = start(output, "wait")
    first.kill()  # its own child process lives
    first.wait()
    assert second.stdout.readline() == "holds\n"
    second.communicate("\n", timeout=60)
    assert second.returncode == 0 and list(tmp_path.iterdir()) == []
    first.stdin.close()


@pytest.mark.parametrize(
    "files", [{"thesis.txt": "all"}, {MARKER: "mine", "thesis.txt": "all"}, {MARKER: SIGNATURE[:9], "thesis.txt": ""}]
)
def test_a_folder_without_a_marker_is_left_alone(tmp_path: Path, files: dict[str, str]):
    output = tmp_path / "out"
    beside(output).mkdir()
    for name, text in files.items():
        (beside(output) / name).write_text(text)
    with (
        pytest.raises(InputError, match=r"is needed as a work folder, but holds other files \(.*thesis\.txt\); move"),
        held(beside(output), output, InputError),
    ):
        pass
    assert {path.name: path.read_text() for path in beside(output).iterdir()} == files


@pytest.mark.parametrize(
    "files", [{}, {MARKER: ""}, {MARKER: SIGNATURE[:9]}, {LOCK: ""}, {MARKER: f"{FIRST_LINE}In 2020", OWNER: "{"}]
)
def test_what_a_process_leaves_that_is_killed_at_the_beginning_or_the_end_is_ours(
    tmp_path: Path, files: dict[str, str]
):
    output = tmp_path / "out"
    beside(output).mkdir()
    for name, text in files.items():
        (beside(output) / name).write_text(text)
    with held(beside(output), output, InputError):
        assert (beside(output) / MARKER).read_text().startswith(FIRST_LINE)
    assert list(tmp_path.iterdir()) == []


def test_litter_of_a_killed_process_is_removed(tmp_path: Path):
    with held(within(tmp_path), tmp_path, InputError):
        (within(tmp_path) / ".0123456789abcdef.unfinished").write_text("ha")
        (within(tmp_path) / "whole").write_text("whole")
    with held(within(tmp_path), tmp_path, InputError):
        assert {path.name for path in within(tmp_path).iterdir()} == {MARKER, LOCK, OWNER, "whole"}


def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "out"
    with (
        pytest.raises(InputError, match=r"out cannot be written .*; choose another output, or run"),
        held(beside(output), output, InputError),
    ):
        pass
    if os.geteuid() == 0:
        pytest.skip("the superuser can write into read-only folders")
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="Permission denied"), held(beside(tmp_path / "o"), tmp_path / "o", InputError):
        pass
    tmp_path.chmod(0o755)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "config.json"
    path.write_text("old")
    (tmp_path / "config.unfinished").write_text("of the user")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write_text("ha")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    with replacing(path) as file:
        file.write_text("new")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "config.json": "new",
        "config.unfinished": "of the user",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path):
    code = """
import resource, signal, sys
from pathlib import Path
from modeling_sed.disk.replacing import replacing
from modeling_sed.disk.work_folder import writing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with writing(sys.argv[1], ValueError), replacing(Path(sys.argv[1])) as file:
    file.write_bytes(bytes(2000))
"""
    path = tmp_path / "out"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "ValueError: " in done.stderr and "out cannot be written (File too large" in done.stderr
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out", "old")]


def test_a_work_folder_lies_beside_the_output_whatever_that_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert beside(Path("out/")) == Path(".out.emotion-diarization")
    assert beside(Path()) == tmp_path.resolve() / "a" / ".b.emotion-diarization"
    assert beside(Path("..")) == tmp_path.resolve() / ".a.emotion-diarization"
