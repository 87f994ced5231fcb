"""The committed configuration of Accelerate for FSDP, in two real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import REPOSITORY
from tests.modeling_sed.training.conftest import environment, train_here
from tests.modeling_sed.training.test_train_sed import assert_same_weights


def test_sharded_training_learns_the_same(odd_data: Path, encoder: Path, tmp_path: Path):
    config = yaml.safe_load((REPOSITORY / "configs" / "accelerate_fsdp.yaml").read_text())
    config["mixed_precision"] = "no"
    config["fsdp_config"]["fsdp_transformer_layer_cls_to_wrap"] = "WavLMEncoderLayer"  # of the small encoder
    (tmp_path / "fsdp.yaml").write_text(yaml.safe_dump(config))
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--config-file", str(tmp_path / "fsdp.yaml")]
    script = ["--main-process-port", "0", "-m", "tests.modeling_sed.training.sharded_on_cpu"]
    common = {"dataset": odd_data, "encoder": encoder, "num_train_epochs": 2, "encoder_learning_rate": 1e-3}
    options = [part for name, value in common.items() for part in (f"--{name}", str(value))]
    for more in (["--num-train-epochs", "1"], ["--num-train-epochs", "2", "--resume"]):
        done = subprocess.run(
            [
                *launcher,
                *script,
                *options,
                "--per-device-train-batch-size",
                "1",
                *more,
                "--output-dir",
                str(tmp_path / "sharded"),
            ],
            capture_output=True,
            text=True,
            env=environment(),
            cwd=REPOSITORY,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "sharded" / "results.json").read_text())
    assert results["num_processes"] == 2
    whole = train_here(**common, per_device_train_batch_size=2, output_dir=tmp_path / "whole")
    assert [item["step"] for item in results["history"]] == [item["step"] for item in whole["history"]] == [6, 12]
    assert_same_weights(tmp_path / "whole", tmp_path / "sharded", atol=2e-5, rtol=1e-4)
