"""`python -m tests.fuzz --seconds 3600`: fuzzes all targets, each for its share of the time. Linux only.

With atheris (`pip install atheris`) inputs are led by the lines of Python that they reach; without, they are changed at
random, as mutations.py does. Each target runs in processes of its own, since an input may end one. The exit code is 1
if anything was found.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import FINDINGS, FOLDER, all_targets
from .worker import keep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together")
    parser.add_argument("--target", action="append", help="only targets whose name begins so; repeatable")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--engine", choices=("atheris", "random"), help="default: atheris, where it is installed")
    given = parser.parse_args()
    engine = given.engine or ("atheris" if importlib.util.find_spec("atheris") else "random")
    names = [name for name in all_targets() if not given.target or name.startswith(tuple(given.target))]
    print(f"{len(names)} targets, seed {given.seed}, engine {engine}", flush=True)
    before = set(FINDINGS.rglob("*"))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, name in enumerate(names):
            _fuzz(name, given.seconds / len(names), given.seed + 1_000 * number, engine, Path(folder) / "current")
    found = {path for path in FINDINGS.rglob("*") if path.is_file()} - before
    print(f"{len(found)} new findings in {FINDINGS.relative_to(FOLDER.parents[1])}")
    return 1 if found else 0


def _fuzz(name: str, seconds: float, seed: int, engine: str, current: Path) -> None:
    """Runs a target until its time is over, in a new process after each that an input has ended."""
    deadline, inputs = time.monotonic() + seconds, 0
    begin = "import runpy; runpy.run_module('tests.fuzz.worker', run_name='__main__', alter_sys=True)"
    while (left := deadline - time.monotonic()) >= 1:
        code = f"import atheris; {begin}" if engine == "atheris" else begin
        command = [sys.executable, "-c", code, name, str(left), str(seed), str(current)]
        done = subprocess.run(command, stdout=None, stderr=subprocess.PIPE, text=True, check=False)
        inputs += sum(map(int, re.findall(r"Done (\d+) runs", done.stderr)))
        if done.returncode:
            how = f"exit code {done.returncode}: {done.stderr.strip()[-500:]}"
            kept = keep(name, current.read_bytes()).relative_to(FOLDER) if current.exists() else "no input"
            print(f"{name}: {kept}: ended the process ({how})", flush=True)
            current.unlink(missing_ok=True)
        seed += 1
    print(f"{name}: {inputs} inputs", flush=True)


if __name__ == "__main__":
    sys.exit(main())
