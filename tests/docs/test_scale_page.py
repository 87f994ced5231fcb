"""docs/scale.md: its Slurm script and its join, run for real, without Slurm; its table, printed anew."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import archive_simulation
from tests.conftest import REPOSITORY
from tests.docs.test_code_blocks import blocks, commands

SHARDS = 2


@pytest.fixture
def environment(model_folder: Path, tmp_path: Path) -> dict[str, str]:
    """The command of this Python on the path, with a small model."""
    command = tmp_path / "bin" / "emotion-diarization"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\n[ "$1" = diarize ] && set -- "$@" --model {shlex.quote(str(model_folder))}\n'
        f'exec {shlex.quote(sys.executable)} -m modeling_sed "$@"\n'
    )
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}


def run(command: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_array_and_its_join(environment: dict[str, str], tmp_path: Path):
    """Its parts are those of one run over the list, byte for byte; a broken recording is named, and costs no other."""
    generator = np.random.default_rng(0)
    names = [f"calls/{number}.wav" for number in range(6)]
    (tmp_path / "calls").mkdir()
    for name in names:
        soundfile.write(tmp_path / name, 0.1 * generator.standard_normal(8_000), 16_000)
    (tmp_path / "calls" / "broken.wav").write_text("text")
    (tmp_path / "recordings.txt").write_text("\n".join([*names[:3], "calls/broken.wav", *names[3:], ""]))
    (script,) = blocks("docs/scale.md", "bash")
    assert script.count("1024") == 2
    (tmp_path / "array.sh").write_text(script.replace("1024", str(SHARDS)))
    codes = []
    for task in (1, 2, 1):  # the first is queued again when it is done
        done = run(["bash", "array.sh"], {**environment, "SLURM_ARRAY_TASK_ID": str(task)}, tmp_path)
        codes.append(done.returncode)
        assert done.returncode == ("broken.wav" in done.stderr), done.stderr
    assert sorted(codes[:2]) == [0, 1] and codes[2] == 0
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["1.jsonl", "2.jsonl"]
    ((_, *join),) = (words for words in commands("docs/scale.md") if words[1] == "join")
    parts = [f"parts/{shard}.jsonl" for shard in (2, 1)]  # which a shell would make of parts/*.jsonl
    arguments = [word for given in join for word in (parts if "*" in given else [given])]
    joined = run(["emotion-diarization", *arguments], environment, tmp_path)
    assert joined.returncode == 1 and "error: calls/broken.wav has no result" in joined.stderr
    whole = ["emotion-diarization", "diarize", "--list", "recordings.txt", "--output", "whole.jsonl"]
    assert run(whole, environment, tmp_path).returncode == 1
    assert (tmp_path / "timelines.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()

    begun = ["emotion-diarization", "diarize", "calls", "--output", "folder", "--shard"]
    assert run([*begun, "1/2"], environment, tmp_path).stderr.count("error") <= 1
    other = run([*begun, "2/2"], environment, tmp_path)
    assert other.returncode == 1 and "other options" in other.stderr
    assert "a shard is I/N" in run([*begun, "3/2"], environment, tmp_path).stderr


def test_the_simulation_is_the_one_that_is_printed(capsys: pytest.CaptureFixture):
    archive_simulation.main()
    printed = capsys.readouterr().out
    assert f"```text\n{printed}```" in (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    assert {line.split()[-2:] == ["0", "0"] for line in printed.splitlines()[2:]} == {True}  # nothing lost or twice


def test_what_the_page_computes():
    """Hours of H100: operations of the large encoder over the data sheet's."""
    from transformers import WavLMConfig

    from benchmarks.roofline import encoder_work

    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
    an_hour = encoder_work(WavLMConfig(**large), 32 * 16_000).operations / 32 * 3600
    page = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    assert f"H100: {an_hour / 1e12:.0f} · 10¹² operations an hour" in page
    roofline = an_hour / 989e12
    assert re.search(rf"data sheet\) \| {roofline:.2f} s \| {roofline * 100_000 / 3600:.1f} GPU-hours", page)
    assert (
        f"| the same, if it reaches 40 % | {roofline / 0.4:.2f} s | {roofline / 0.4 * 100_000 / 3600:.0f} GPU" in page
    )
