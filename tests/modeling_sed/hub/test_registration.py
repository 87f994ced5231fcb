"""`import modeling_sed` is enough for transformers to know the model, whatever is imported then, in whatever order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

USE = """
import sys
import modeling_sed
import transformers
from transformers import AutoConfig, AutoModelForAudioFrameClassification, pipeline
assert type(AutoConfig.from_pretrained(sys.argv[1])) is modeling_sed.SEDConfig
model = AutoModelForAudioFrameClassification.from_pretrained(sys.argv[1])
assert type(model) is modeling_sed.SEDForAudioFrameClassification and model.accelerate_encoder is not None
diarize = pipeline("speech-emotion-diarization", model=sys.argv[1])
assert type(diarize) is modeling_sed.SpeechEmotionDiarizationPipeline
"""


@pytest.mark.parametrize(
    "first",
    [
        "import modeling_sed; from transformers import pipeline",
        "from transformers import pipeline; import modeling_sed",
        "import modeling_sed; from transformers import WavLMModel",  # imports the registries halfway through its own
        "import modeling_sed; from transformers import Trainer",
        "from modeling_sed.modeling_sed import SEDForAudioFrameClassification",
        "from modeling_sed import SpeechEmotionDiarizationPipeline, load_speechbrain",
    ],
)
def test_transformers_knows_the_model(first: str, model_folder: Path):
    command = [sys.executable, "-c", first + USE, str(model_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_public_names_are_there():
    import modeling_sed

    assert set(modeling_sed.__all__) <= set(dir(modeling_sed))
    assert all(getattr(modeling_sed, name) is not None for name in modeling_sed.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = modeling_sed.nonsense
