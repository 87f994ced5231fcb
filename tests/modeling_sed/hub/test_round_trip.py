"""What is pushed comes back: on a machine with empty caches and without this package, through the Hub's protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import load_from_disk
from transformers import pipeline

import modeling_sed
from modeling_sed.checkpoints.speechbrain import ENCODER_FILES
from modeling_sed.checkpoints.speechbrain_files import FILES
from modeling_sed.dataset_scripts.build import build
from tests.conftest import SMALL_FEATURE_ENCODERS, save_model, small_model
from tests.dataset_scripts.conftest import ravdess  # noqa: F401 - a fixture of these tests, too
from tests.local_hub import LocalHub
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import FOLDER, waveform

WITHOUT_THIS_PACKAGE = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", str(finder))]
sys.path = [folder for folder in sys.path if folder]
try:
    import modeling_sed
except ImportError:
    pass
else:
    sys.exit("this package is here")
"""

LOAD_MODEL = """
import json
from transformers import AutoFeatureExtractor, AutoModelForAudioFrameClassification, pipeline
name, recording, commit = sys.argv[1:]
model = AutoModelForAudioFrameClassification.from_pretrained(name, trust_remote_code=True, revision=commit)
assert AutoFeatureExtractor.from_pretrained(name).sampling_rate == model.config.sampling_rate
assert type(model).accelerate_encoder is None
scores = pipeline("speech-emotion-diarization", model=name, trust_remote_code=True)(recording, return_scores=True)
print(json.dumps(scores["posteriors"].tolist()))
"""

LOAD_LOCAL = """
import json
from transformers import pipeline
print(json.dumps(pipeline("speech-emotion-diarization", model=sys.argv[1], trust_remote_code=True)(sys.argv[2])))
"""

LOAD_DATASET = """
import json
from datasets import load_dataset
rows = {name: split.to_list() for name, split in load_dataset(sys.argv[1]).items()}
print(json.dumps({name: [row | {"audio": len(row["audio"]["bytes"])} for row in rows[name]] for name in rows}))
"""


class Machine:
    """Somebody's computer: caches of its own, a token, and a Hub."""

    def __init__(self, home: Path, hub: LocalHub | None, token: str = "hf_test"):
        home.mkdir(parents=True)
        self.home = home
        self.environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": token}
        self.environment |= {
            "HF_ENDPOINT": hub.url if hub else "http://127.0.0.1:9",
            "HF_MODULES_CACHE": str(home / "m"),
            "HF_HUB_ETAG_TIMEOUT": "120",  # seconds: the machine of the tests may be busy
            "HF_HUB_DOWNLOAD_TIMEOUT": "120",
        }
        if not token:
            del self.environment["HF_TOKEN"]

    def run(self, *command: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *map(str, command)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            env=self.environment,
            timeout=300,
        )

    def push(self, *arguments: object) -> subprocess.CompletedProcess:
        return self.run("-m", "modeling_sed", "push", *arguments)

    def load(self, code: str, *arguments: object) -> object:
        done = self.run("-c", WITHOUT_THIS_PACKAGE + code, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.mark.parametrize("family", ["wavlm", *SMALL_FEATURE_ENCODERS])
def test_a_model_comes_back(family: str, tmp_path: Path):
    model_folder = save_model(small_model(family), tmp_path / "model")
    recording = tmp_path / "speech.wav"
    soundfile.write(recording, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    with LocalHub() as hub:
        here, there = Machine(tmp_path / "here", hub), Machine(tmp_path / "there", hub)
        listed = here.push("model", model_folder, "someone/round-trip", "--dry-run")
        assert {"config.json", "model.safetensors", "pipeline_sed.py"} <= set(listed.stdout.split())
        assert not hub.repositories
        hub.server.commits_to_fail = 1
        broken = here.push("model", model_folder, "someone/round-trip")
        assert broken.returncode == 1 and "error: someone/round-trip: " in broken.stderr
        assert "Traceback" not in broken.stderr
        again = here.push("model", model_folder, "someone/round-trip")
        assert again.returncode == 0 and again.stdout.strip() == f"{hub.url}/someone/round-trip"
        posteriors = there.load(LOAD_MODEL, "someone/round-trip", recording, "0" * 40)
    # there, the encoder computes as transformers does; here, faster
    local = pipeline(modeling_sed.TASK, model=str(model_folder))(recording, return_scores=True)
    np.testing.assert_allclose(posteriors, local["posteriors"], atol=1e-5)


def test_a_checkpoint_of_speechbrain_is_converted_from_the_hub(tmp_path: Path):
    checkpoint, encoder = {}, {}
    for path in (FOLDER / "wavlm").iterdir():
        if path.is_file():
            checkpoint[path.name] = path.read_bytes().replace(b"wav2vec2_hub: encoder", b"wav2vec2_hub: someone/wavlm")
    for path in (FOLDER / "wavlm" / "encoder").iterdir():
        encoder[path.name] = path.read_bytes()
    with LocalHub() as hub:
        hub.repositories |= {"models/someone/speechbrain-sed": checkpoint, "models/someone/wavlm": encoder}
        done = Machine(tmp_path / "here", hub).run("-m", "modeling_sed", "convert", "someone/speechbrain-sed", "model")
        assert done.returncode == 0, done.stderr
        asked_for = {"speechbrain-sed/" + name for name in FILES} | {"wavlm/" + name for name in ENCODER_FILES}
        assert hub.server.asked_for == {"models/someone/" + name for name in asked_for}
    offline = Machine(tmp_path / "there", None)
    recording = tmp_path / "speech.wav"
    soundfile.write(recording, waveform(), 16_000)
    segments = offline.load(LOAD_LOCAL, tmp_path / "here" / "model", recording)
    decided = np.load(FOLDER / "wavlm" / "expected.npz")["log_posteriors"].argmax(axis=1)
    labels = np.array(["neutral", "angry", "happy", "sad"])[decided]
    assert [segment["label"] for segment in segments] == [label for label, _ in groupby(labels)]


def test_a_dataset_comes_back(ravdess: Path, tmp_path: Path):  # noqa: F811
    built = tmp_path / "built"
    build(built, "benchmark", corpora={"ravdess": str(ravdess)}, split_by="speaker", seed=1)
    with LocalHub() as hub:
        here, there = Machine(tmp_path / "here", hub), Machine(tmp_path / "there", hub)
        listed = here.push("dataset", built, "someone/round-trip-data", "--dry-run").stdout.splitlines()
        assert listed[:3] == [
            "dataset someone/round-trip-data",
            "  new       README.md",
            "  new       data/test-*.parquet (9 rows)",
        ]
        done = here.push("dataset", built, "someone/round-trip-data")
        assert done.returncode == 0, done.stderr
        rows = there.load(LOAD_DATASET, "someone/round-trip-data")
    expected = {
        name: [row | {"audio": len(row["audio"]["bytes"])} for row in split.to_list()]
        for name, split in load_from_disk(str(built)).items()
    }
    assert rows == json.loads(json.dumps(expected))


@pytest.mark.parametrize(
    ("arguments", "token", "reachable", "message"),
    [
        (("someone/name",), "", True, "the token is missing or not valid: `hf auth login`, or set HF_TOKEN"),
        (("somebody-else/name",), "hf_test", True, "the name belongs to somebody else, or the token is read-only"),
        (("someone/name",), "hf_test", False, "the Hub cannot be reached"),
        (("no/such/name",), "hf_test", True, "'no/such/name' is not of the form NAMESPACE/NAME"),
    ],
    ids=["no token", "not ours", "no network", "no name"],
)
def test_what_cannot_be_pushed_is_said_in_a_sentence(
    model_folder: Path, tmp_path: Path, arguments: tuple, token: str, reachable: bool, message: str
):
    with LocalHub() as hub:
        done = Machine(tmp_path / "here", hub if reachable else None, token).push("model", model_folder, *arguments)
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    done = Machine(tmp_path / "here", None).push("model", tmp_path, "someone/name")
    assert done.returncode == 1 and "is not a saved model: it has no config.json" in done.stderr
