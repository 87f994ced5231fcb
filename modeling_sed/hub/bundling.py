"""Takes a trained model into the package.

    python -m modeling_sed.hub.bundling RUN

RUN is what train_sed.py left. The weights are kept in half precision and computed with in single precision. The model's
card is written by hand, and stays.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .bundled_model import BUNDLED_MODEL

CODE = ("auto_map", "custom_pipelines")  # entries for machines without this package


def bundle(run: Path) -> None:
    """Takes a trained model into the package.

    Args:
        run: folder of a model.

    Raises:
        ValueError: if a weight is too large for half precision.
    """
    weights = {name: tensor.to(torch.float16) for name, tensor in load_file(run / "model.safetensors").items()}
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise ValueError(f"{run}: a weight is too large for half precision.")
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    for entry in CODE:
        config.pop(entry, None)
    config["encoder_config"].pop("_name_or_path", None)  # where the encoder lay on the machine that trained it
    BUNDLED_MODEL.mkdir(exist_ok=True)
    save_file(weights, BUNDLED_MODEL / "model.safetensors", metadata={"format": "pt"})
    (BUNDLED_MODEL / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    extractor = (run / "preprocessor_config.json").read_text(encoding="utf-8")
    (BUNDLED_MODEL / "preprocessor_config.json").write_text(extractor, encoding="utf-8")


if __name__ == "__main__":
    bundle(Path(sys.argv[1]))
