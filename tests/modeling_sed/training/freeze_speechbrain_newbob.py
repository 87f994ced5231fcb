"""Writes speechbrain_newbob.json: what SpeechBrain's NewBobScheduler decides on 60 random runs of validation metrics.

pip install speechbrain==1.1.0
python -m tests.modeling_sed.training.freeze_speechbrain_newbob
"""

from __future__ import annotations

import importlib.metadata
import json
import random
from pathlib import Path

FROZEN = Path(__file__).with_name("speechbrain_newbob.json")
RUNS, EPOCHS = 60, 15
FACTORS = {"encoder": (1e-5, 0.9), "head": (1e-4, 0.8)}  # initial rate and factor of the authors' recipe


def random_metrics(number: int) -> list[float]:
    """A learning curve with steps around the threshold, rises, and zeros; the same for the same number, everywhere."""
    generator = random.Random(number)
    metrics = [generator.uniform(0.2, 1.0)]
    while len(metrics) < EPOCHS:
        step = generator.choice([0.0, 0.0024, 0.0026, -0.05, 0.05, 0.3, generator.uniform(-0.1, 0.1), 1.0])
        metrics.append(max(0.0, metrics[-1] * (1 - step)) if metrics[-1] else generator.choice([0.0, 0.5]))
    return metrics


def main() -> None:
    """Computes and writes."""
    from speechbrain.nnet.schedulers import NewBobScheduler

    rates = []
    for number in range(RUNS):
        schedulers = [NewBobScheduler(rate, factor, improvement_threshold=0.0025) for rate, factor in FACTORS.values()]
        rates.append([[scheduler(metric)[1] for scheduler in schedulers] for metric in random_metrics(number)])
    content = {"speechbrain": importlib.metadata.version("speechbrain"), "rates": rates}
    FROZEN.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
