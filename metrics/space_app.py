"""The Gradio Space of any metric: the arguments of `compute` in, as JSON; the scores out.

`emotion-diarization push metric` puts it as `app.py` beside the files of a metric. Of these, it reads the card and
`example.json`: the module's name, and arguments to begin with.
"""

import json
from pathlib import Path

import evaluate
import gradio

FOLDER = Path(__file__).parent
EXAMPLE = json.loads((FOLDER / "example.json").read_text(encoding="utf-8"))


def compute(arguments: str) -> dict:
    """What the module computes from arguments written as JSON."""
    try:
        return evaluate.load(str(FOLDER / f"{EXAMPLE['module']}.py")).compute(**json.loads(arguments))
    except (TypeError, ValueError) as error:
        raise gradio.Error(str(error)) from error


app = gradio.Interface(
    compute,
    gradio.Code(json.dumps(EXAMPLE["arguments"], indent=2), language="json", label="Arguments"),
    gradio.JSON(label="Scores"),
    title=EXAMPLE["module"].replace("_", " "),
    article=(FOLDER / "README.md").read_text(encoding="utf-8").split("---", 2)[-1],
)

if __name__ == "__main__":
    app.launch()
