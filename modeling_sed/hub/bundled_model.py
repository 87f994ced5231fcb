"""The model that comes with the package, which is used where no other is named; bundling.py takes it there."""

from __future__ import annotations

from pathlib import Path

BUNDLED_MODEL = Path(__file__).parents[1] / "bundled_model"
DESCRIPTION = (
    "the model that comes with the package; trained on acted speech; licence CC BY-NC-SA 4.0: not for commercial use"
)
ABOUT = f"{DESCRIPTION}; --model names another"
