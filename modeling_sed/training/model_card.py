"""The card of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .data import dataset_name

CARD = """---
{metadata}
---

# {name}

Speech Emotion Diarization: *which emotion appears when?* ([arXiv 2306.12991](https://arxiv.org/abs/2306.12991)). The
encoder `{encoder}` with one linear layer per frame, trained on `{dataset}` to tell {labels} apart every 20 ms.

```python
from transformers import pipeline

diarize = pipeline("speech-emotion-diarization", model="{name}", trust_remote_code=True)
diarize("call.wav")
# [{{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 0.91}}, ...]
```

Emotion Diarization Error Rate on the test split of `{dataset}` ({utterances} utterances): **{eder:.2f} %**
(95 % interval {low:.2f} to {high:.2f}). Calling everything neutral would give {neutral:.2f} %.
`results.json` and `report.md` hold all scores, the learning curve and the versions of the libraries.

## How it was trained

{recipe}

## Limits

It tells emotions as the actors and annotators of its training data understood them, in their languages, and was
evaluated on the test split named above only. What people feel cannot be read off their voices with certainty: do not
decide about people by it.
"""


def write_model_card(folder: Path, results: Mapping[str, Any]) -> None:
    """Writes the card (README.md) of the model in ``folder``.

    Args:
        folder: of the model.
        results: what train_sed.py writes to results.json.
    """
    options = results["options"]
    name = options["hub_model_id"] or folder.name
    source, encoder = dataset_name(options), options["encoder"]
    dataset = Path(source).name
    from_scratch = encoder.endswith(".json")
    data = ModelCardData(
        model_name=name,
        license=options["license"],
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-diarization"],
        base_model=None if from_scratch or Path(encoder).is_dir() else encoder,
        metrics=["eder"],
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                task_name="Speech Emotion Diarization",
                dataset_type=dataset if Path(source).exists() else source,
                dataset_name=dataset,
                dataset_split="test",
                metric_type="eder",
                metric_name="Emotion Diarization Error Rate",
                metric_value=round(results["eder"], 6),
            )
        ],
    )
    low, high = results["confidence_interval"]["eder"]
    text = CARD.format(
        metadata=data.to_yaml(),
        name=name,
        encoder=Path(encoder).stem if from_scratch else encoder,
        dataset=dataset,
        labels=", ".join(options["labels"]),
        utterances=results["utterances"],
        eder=100 * results["eder"],
        low=100 * low,
        high=100 * high,
        neutral=100 * results["eder_all_neutral"],
        recipe=_recipe(results),
    )
    ModelCard(text).save(folder / "README.md")


def _recipe(results: Mapping[str, Any]) -> str:
    left_out = {
        "output_dir",
        "push_to_hub",
        "hub_model_id",
        "hub_private_repo",
        "resume",
        "report_to",
        "license",
        "seeds",
    }
    rows = [f"| {name} | {value} |" for name, value in results["options"].items() if name not in left_out]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join(
        ["| option | |", "| --- | --- |", *rows, "", f"{results['num_processes']} process(es); {versions}."]
    )
