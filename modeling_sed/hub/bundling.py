"""Takes a trained model into the package.

    python -m modeling_sed.hub.bundling RUN

RUN is what train_sed.py left. The weights are kept in half precision, those of the feed-forward layers, most of all, as
8 bit floats (E4M3); all are computed with in single precision. The model's card is written by hand, and stays.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .bundled_model import BUNDLED_MODEL

# people want no segments that are shorter than a second, and on validation this is as good as what training found
DECODER = {"name": "semi_markov", "transition_cost": 20.0, "minimum_duration": 1.0}
FEED_FORWARD = (".fc1.weight", ".fc2.weight")
CODE = ("auto_map", "custom_pipelines")  # entries for machines without this package


def bundle(run: Path) -> None:
    """Takes a trained model into the package.

    Args:
        run: folder of a model.

    Raises:
        ValueError: if a weight is too large for its precision.
    """
    weights = {name: _packed(name, tensor) for name, tensor in load_file(run / "model.safetensors").items()}
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    for entry in CODE:
        config.pop(entry, None)
    config["decoder"] = DECODER
    config["encoder_config"].pop("_name_or_path", None)  # where the encoder lay on the machine that trained it
    BUNDLED_MODEL.mkdir(exist_ok=True)
    save_file(weights, BUNDLED_MODEL / "model.safetensors", metadata={"format": "pt"})
    (BUNDLED_MODEL / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    extractor = (run / "preprocessor_config.json").read_text(encoding="utf-8")
    (BUNDLED_MODEL / "preprocessor_config.json").write_text(extractor, encoding="utf-8")


def _packed(name: str, weight: torch.Tensor) -> torch.Tensor:
    precision = torch.float8_e4m3fn if name.endswith(FEED_FORWARD) else torch.float16
    if weight.abs().max() > torch.finfo(precision).max:
        raise ValueError(f"{name}: a weight is too large for {precision}.")
    return weight.to(precision)


if __name__ == "__main__":
    bundle(Path(sys.argv[1]))
