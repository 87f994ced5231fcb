"""A folder in which many files are broken: a reason for each, a result for each of the others, also after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.broken_recordings import encoded, in_container, write_broken

GOOD = {
    "a.wav": encoded("WAV"),
    "b.flac": encoded("FLAC"),
    "c.ogg": encoded("OGG"),
    "d.mp3": encoded("MP3"),
    "e.m4a": in_container("mp4", "aac"),
    "f.webm": in_container("webm", "libopus"),
}


def test_the_others_go_on_and_a_killed_run_goes_on(model_folder: Path, tmp_path: Path):
    calls, output = tmp_path / "calls", tmp_path / "out"
    calls.mkdir()
    broken = write_broken(calls)
    for name, content in GOOD.items():
        (calls / name).write_bytes(content)
    command = [*(sys.executable, "-m", "modeling_sed", "diarize", "--model", model_folder), calls, "--output", output]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (output / "a.json").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    first = (output / "a.json").stat().st_mtime_ns

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for path in broken:
        assert sum(f"{path.name}" in line for line in errors) == 1, (path, done.stderr)
    assert len(errors) == len(broken) and done.stdout == f"{len(GOOD)} recordings in {output}\n"
    assert {path.stem for path in output.glob("[!.]*")} == {Path(name).stem for name in GOOD}
    assert (output / "a.json").stat().st_mtime_ns == first
