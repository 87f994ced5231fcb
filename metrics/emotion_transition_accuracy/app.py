"""The Space of this module: the arguments of `compute` in, as JSON; the scores out."""

import json
from pathlib import Path

import evaluate
import gradio

MODULE = "emotion_transition_accuracy"
EXAMPLE = {
    "predictions": [[{"start": 0.7, "end": 1.5, "label": "happy"}]],
    "references": [[{"start": 0.5, "end": 2.0, "label": "happy"}]],
    "durations": [4.0],
}


def compute(arguments: str) -> dict:
    """What the module computes from arguments written as JSON."""
    try:
        return evaluate.load(str(Path(__file__).with_name(f"{MODULE}.py"))).compute(**json.loads(arguments))
    except (TypeError, ValueError) as error:
        raise gradio.Error(str(error)) from error


app = gradio.Interface(
    compute,
    gradio.Code(json.dumps(EXAMPLE, indent=2), language="json", label="Arguments"),
    gradio.JSON(label="Scores"),
    title=MODULE.replace("_", " "),
    article=Path(__file__).with_name("README.md").read_text(encoding="utf-8").split("---", 2)[-1],
)

if __name__ == "__main__":
    app.launch()
