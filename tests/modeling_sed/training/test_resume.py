"""A run that was killed goes on as if it had not been: the same batches, dropout, schedule and best epoch."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from accelerate import Accelerator
from safetensors.torch import load_file

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.checkpoints import Checkpoints, Progress
from tests.conftest import SMALL_FEATURE_ENCODERS
from tests.modeling_sed.training.conftest import TINY_ENCODER, command, encoder_file, environment, train
from tests.modeling_sed.training.test_train_sed import assert_same_weights

# everything that is random: dropout, SpecAugment, augmentation, order
RANDOM = (
    "--mask-time-prob",
    0.2,
    "--augment-speed",
    0.1,
    "--augment-gain",
    6,
    "--augment-conditions",
    0.5,
    "--augment-non-speech",
    0.5,
    "--balance",
)
OPTIONS = (
    "--num-train-epochs",
    2,
    "--per-device-train-batch-size",
    1,
    "--encoder-learning-rate",
    1e-3,
    "--per-device-eval-batch-size",
    1,
    "--average-weights",
    0.9,
)
SCHEDULE = ("--lr-scheduler-type", "cosine", "--warmup-steps", 3)


def kill_after(step: int, output_dir: Path, process: subprocess.Popen, worker: bool) -> None:
    """Kills a run, or one of its two workers, once it has written the checkpoint of a step in the second epoch."""
    checkpoints = output_dir / "checkpoints"
    while not (checkpoints / f"step_{step:08d}_0001").is_dir():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    victim = psutil.Process(process.pid)
    if worker:
        victim = max(victim.children(), key=lambda child: child.pid)
    victim.kill()
    assert process.wait(timeout=120) != 0
    newest = max(path.name for path in checkpoints.glob("step_*"))
    assert newest >= f"step_{step:08d}_0001" and newest.endswith("_0001")  # in the middle of the second epoch


def start(*options: object, processes: int = 1) -> subprocess.Popen:
    # stderr goes to a pipe that is large enough for what a run of these says
    return subprocess.Popen(
        command(*options, processes=processes),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def results(folder: Path) -> dict:
    """What came of a run; where it was written does not count."""
    found = json.loads((folder / "results.json").read_text())
    for name in ("output_dir", "resume", "checkpoint_minutes", "save_total_limit"):
        del found["options"][name]
    return found


@pytest.mark.parametrize("family", ["wavlm", *SMALL_FEATURE_ENCODERS])
def test_a_killed_run_ends_with_the_same_weights(odd_data: Path, family: str, tmp_path: Path):
    encoder = encoder_file(tmp_path, SMALL_FEATURE_ENCODERS.get(family, TINY_ENCODER))
    common = ("--dataset", odd_data, "--encoder", encoder, *OPTIONS, *RANDOM, *SCHEDULE)
    whole = train(*common, "--output-dir", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    broken = (*common, "--output-dir", tmp_path / "broken", "--checkpoint-minutes", 0)
    kill_after(14, tmp_path / "broken", start(*broken), worker=False)
    done = train(*broken, "--resume")
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch 1, step 1" in done.stdout
    assert results(tmp_path / "broken") == results(tmp_path / "whole")
    for name, tensor in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert load_file(tmp_path / "broken" / "model.safetensors")[name].equal(tensor), name
    final = [sorted((tmp_path / name / "checkpoints").iterdir())[-1] for name in ("whole", "broken")]
    for name, tensor in load_file(final[0] / "model.safetensors").items():  # of the last epoch, not of the best
        assert load_file(final[1] / "model.safetensors")[name].equal(tensor), name


def test_two_processes_go_on_after_one_was_killed(odd_data: Path, encoder: Path, tmp_path: Path):
    common = ("--dataset", odd_data, "--encoder", encoder, *OPTIONS, "--gradient-accumulation-steps", 2)
    broken = (*common, "--output-dir", tmp_path / "broken", "--checkpoint-minutes", 0)
    kill_after(4, tmp_path / "broken", start(*broken, processes=2), worker=True)
    done = train(*broken, "--resume", processes=2)
    assert done.returncode == 0, done.stderr
    larger = (*common[:-1], 1, "--per-device-train-batch-size", 4, "--output-dir", tmp_path / "one")
    one = train(*larger)
    assert one.returncode == 0, one.stderr
    assert results(tmp_path / "broken")["num_processes"] == 2
    assert [item["step"] for item in results(tmp_path / "broken")["history"]] == [3, 6]
    assert_same_weights(tmp_path / "one", tmp_path / "broken", atol=2e-5, rtol=1e-4)
    other = train(*broken, "--resume")
    assert other.returncode == 1 and "another value of num_processes (2, now 1)" in other.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_is_complete_or_not_there(tmp_path: Path, options: TrainingOptions, monkeypatch):
    accelerator, progress = Accelerator(cpu=True), Progress()
    accelerator.register_for_checkpointing(progress)
    checkpoints = Checkpoints(accelerator, options, progress)
    assert not checkpoints.begin()
    for progress.step in range(1, 5):
        checkpoints.save()
    assert names(checkpoints.folder) == ["step_00000003_0000", "step_00000004_0000"]

    def die(folder: str) -> None:
        save(folder)
        raise KeyboardInterrupt

    save, progress.step = accelerator.save_state, 5
    monkeypatch.setattr(accelerator, "save_state", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save()
    with pytest.raises(ValueError, match="holds checkpoints of an earlier run"):
        checkpoints.begin()
    options.resume = True
    assert checkpoints.begin() and progress.step == 4
    monkeypatch.undo()
    progress.step = 5
    checkpoints.save()
    assert names(checkpoints.folder) == ["step_00000004_0000", "step_00000005_0000"]
    options.head_learning_rate = 1.0
    with pytest.raises(ValueError, match=r"head_learning_rate \(0.0001, now 1.0\)"):
        checkpoints.begin()
    options.resume, options.overwrite = False, True
    assert not checkpoints.begin() and not checkpoints.folder.exists()
