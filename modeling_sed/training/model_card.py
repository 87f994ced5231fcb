"""The card of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ..dataset_scripts.corpora.about import corpora_table, languages_of

CARD = """---
{{ card_data }}
---

# {{ name }}

Speech Emotion Diarization: *which emotion appears when?* ([arXiv 2306.12991](https://arxiv.org/abs/2306.12991)). The
encoder `{{ encoder }}` with one linear layer per frame, trained on `{{ dataset }}` to tell {{ labels }} apart every
20 ms.

```python
from transformers import pipeline

diarize = pipeline("speech-emotion-diarization", model="{{ name }}", trust_remote_code=True)
diarize("call.wav")
# [{'start': 0.0, 'end': 2.34, 'label': 'neutral', 'score': 0.91}, ...]
```

`trust_remote_code=True` runs the code that lies beside the weights, which is that of speech-emotion-diarization
{{ version }}. Read it, and pin the commit that you have read: with `revision="COMMIT"`, in `pipeline` or
`from_pretrained`, weights and code are those of that commit. (`code_revision="COMMIT"` is for weights whose code lies
in another repository.) Where the package speech-emotion-diarization is installed, `import modeling_sed` and leave
`trust_remote_code` out.

Emotion Diarization Error Rate on the test split of `{{ dataset }}` ({{ utterances }} utterances): **{{ eder }} %**
(95 % interval {{ interval }}). Calling everything neutral would give {{ neutral }} %.
`results.json` and `report.md` hold all scores, the learning curve and the versions of the libraries.

## What it has learnt from

{{ data }}

The licences of the recordings may restrict what may be done with the model.

## How it was trained

{{ recipe }}

## Limits

It tells emotions as the actors and annotators of its training data understood them, in their languages, and was
evaluated on the test split named above only. Other languages, voices, rooms and ways of being emotional were not
measured; people who are really angry often sound less so than actors. What people feel cannot be read off their voices
with certainty: do not decide about people by it.
"""
NOT_TOLD = (
    "output_dir",
    "push_to_hub",
    "hub_model_id",
    "hub_private_repo",
    "resume",
    "report_to",
    "run_name",
    "project",
    "license",
    "seeds",
)


def write_model_card(folder: Path, results: Mapping[str, Any]) -> None:
    """Writes the card (README.md) of the model in ``folder``.

    Args:
        folder: of the model.
        results: what train_sed.py writes to results.json.
    """
    options, origin = results["options"], results["data"]
    encoder, name = options["encoder"], options["hub_model_id"] or folder.resolve().name
    low, high = results["confidence_interval"]["eder"]
    card = ModelCard.from_template(
        _metadata(name, results),
        template_str=CARD,
        name=name,
        encoder=encoder.removesuffix(".json"),
        dataset=origin["name"],
        labels=", ".join(options["labels"]),
        version=results["versions"]["speech-emotion-diarization"],
        utterances=results["utterances"],
        eder=f"{100 * results['eder']:.2f}",
        interval=f"{100 * low:.2f} to {100 * high:.2f}",
        neutral=f"{100 * results['eder_all_neutral']:.2f}",
        data=_data(results),
        recipe=_recipe(results),
    )
    card.save(folder / "README.md")


def _metadata(name: str, results: Mapping[str, Any]) -> ModelCardData:
    options, origin = results["options"], results["data"]
    return ModelCardData(
        model_name=name,
        language=languages_of(_corpora(results)) or None,
        license=options["license"],
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-diarization"],
        base_model=results["encoder_hub_id"],
        datasets=[origin["hub_id"]] if origin["hub_id"] else None,
        metrics=["eder"],
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                task_name="Speech Emotion Diarization",
                dataset_type=origin["name"],
                dataset_name=origin["name"].rpartition("/")[2],
                dataset_split="test",
                dataset_revision=origin["revision"],
                metric_type="eder",
                metric_name="Emotion Diarization Error Rate",
                metric_value=round(results["eder"], 6),
            )
        ],
    )


def _corpora(results: Mapping[str, Any]) -> list[str]:
    """Of the training and validation splits."""
    found = results["data"]["corpora"]
    return sorted({name for split in ("train", "validation") for name in found.get(split, ())})


def _data(results: Mapping[str, Any]) -> str:
    learnt, tested = _corpora(results), results["data"]["corpora"].get("test", [])
    if not learnt:
        return f"`{results['data']['name']}` does not say which corpora its recordings are from."
    text = corpora_table(learnt)
    new = [name for name in tested if name not in learnt]
    return f"{text}\n\nIt was tested on:\n\n{corpora_table(tested)}" if new else text


def _recipe(results: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {value} |" for name, value in results["options"].items() if name not in NOT_TOLD]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join(
        ["| option | |", "| --- | --- |", *rows, "", f"{results['num_processes']} process(es); {versions}."]
    )
