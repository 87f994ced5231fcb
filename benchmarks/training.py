"""Training beside the authors' recipe: the same encoder, utterances and precision, one after the other.

    python -m benchmarks.training RECIPE_DIR PEER_PYTHON [base large]

RECIPE_DIR is recipes/ZaionEmotionDataset/emotion_diarization of SpeechBrain's repository; PEER_PYTHON is a Python that
has speechbrain==1.1.0 with its requirements, and transformers. Weights are random and utterances noise: what is
measured depends on neither. Every system trains on every utterance once, in batches of 8 (ours with
--max-batch-seconds: of as much audio); the first step is not timed. Peak memory is that of the whole process.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
import transformers

UTTERANCES, SHORTEST, LONGEST = 25, 2.0, 8.0  # seconds; lengths are uniform
BATCH = 8
SIZES = {
    "base": {},
    "large": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "conv_bias": True,
    },
}

PEER = """
import json, resource, sys, time
import torch
from hyperpyyaml import load_hyperpyyaml
recipe, work = sys.argv[1:]
sys.path.insert(0, recipe)
import train
settings = {"wav2vec2_hub": f"{work}/encoder", "output_folder": f"{work}/peer", "batch_size": 8, "skip_prep": True,
            "encoder_dim": json.load(open(f"{work}/encoder/config.json"))["hidden_size"]}
settings |= {f"{name}_folder": work for name in ("zed", "emovdb", "esd", "iemocap", "jlcorpus", "ravdess")}
settings |= {f"{split}_annotation": f"{work}/annotation.json" for split in ("train", "valid", "test")}
with open(f"{recipe}/hparams/train.yaml") as file:
    hparams = load_hyperpyyaml(file, settings)
import os; os.makedirs(hparams["save_folder"], exist_ok=True)
datasets, encoder = train.dataio_prep(hparams)
hparams["wav2vec2"].model.feature_extractor._freeze_parameters()
brain = train.EmoDiaBrain(modules=hparams["modules"], opt_class=hparams["opt_class"], hparams=hparams,
                          run_opts={"device": "cpu"})
brain.on_fit_start()
brain.modules.train()
options = hparams["dataloader_options"] | {"dataloader_num_workers": 0}
loader = train.sb.dataio.dataloader.make_dataloader(datasets["train"], **options)
seconds = steps = 0
for number, batch in enumerate(loader):
    if number == 1:
        start = time.perf_counter()
    brain.fit_batch(batch)
    if number:
        seconds += float((batch.sig.lengths * batch.sig.data.shape[1]).sum()) / 16000
        steps += 1
elapsed = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"seconds": seconds, "elapsed": elapsed, "steps": steps, "peak": peak}))
"""

OURS = """
import json, resource, sys, time
from accelerate import Accelerator
from datasets import load_from_disk
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.data import train_loader
from modeling_sed.training.model_setup import build_model
from train_sed import start, train_one_step
work, changes = sys.argv[1], json.loads(sys.argv[2])
options = TrainingOptions(dataset=f"{work}/dataset", encoder=f"{work}/encoder", output_dir=f"{work}/ours", **changes)
accelerator = Accelerator(cpu=True)
model, feature_extractor = build_model(options)
rows = load_from_disk(options.dataset)
run = start(accelerator, model, rows, options)
run.model.train()
collator = SEDDataCollator(feature_extractor, model.config)
seconds = steps = 0
for number, batch in enumerate(train_loader(rows, collator, options, accelerator, 0)):
    if number == 1:
        begin = time.perf_counter()
    train_one_step(run, [batch], options)
    if number:
        seconds += batch["attention_mask"].sum().item() / 16000
        steps += 1
elapsed = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"seconds": seconds, "elapsed": elapsed, "steps": steps, "peak": peak}))
"""


def write_material(work: Path, size: str) -> None:
    """An encoder with random weights, and utterances as both systems read them."""
    from datasets import Dataset

    torch.manual_seed(0)
    config = transformers.WavLMConfig(layerdrop=0.0, apply_spec_augment=False, **SIZES[size])
    transformers.WavLMModel(config).save_pretrained(work / "encoder")
    do_normalize = size == "large"
    transformers.Wav2Vec2FeatureExtractor(
        do_normalize=do_normalize, return_attention_mask=do_normalize
    ).save_pretrained(work / "encoder")
    generator, noise = random.Random(0), np.random.default_rng(0)
    rows, annotation = [], {}
    for number in range(UTTERANCES):
        duration = round(generator.uniform(SHORTEST, LONGEST), 2)
        path = work / f"{number}.wav"
        soundfile.write(path, 0.1 * noise.standard_normal(round(16_000 * duration)), 16_000)
        segments = [{"start": 0.0, "end": duration / 2, "label": "happy"}]
        audio = {"path": None, "bytes": path.read_bytes()}
        rows.append({"name": str(number), "audio": audio, "duration": duration, "segments": segments})
        frames = (round(16_000 * duration) - 400) // 320 + 1
        labels = ["n", "h", "s", "a"][: 4 if number == 0 else 2]
        annotation[str(number)] = {
            "wav": str(path),
            "duration": duration,
            "frame_label": [labels[frame % len(labels)] for frame in range(frames)],
        }
    (work / "annotation.json").write_text(json.dumps(annotation))
    Dataset.from_list(rows).save_to_disk(work / "dataset")


def measure(command: list[str]) -> dict[str, float] | None:
    """What a run prints last; None if it runs out of memory."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == -9:
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(recipe: str, peer_python: str, *sizes: str) -> None:
    """Prints a row for each system and size."""
    print(f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}")
    print(
        f"{os.cpu_count()} cores, {platform.machine()}; fp32; {UTTERANCES} utterances of {SHORTEST:g} to {LONGEST:g} s"
    )
    print(f"{'encoder':<9}{'system':<34}{'steps':>6}{'audio s/s':>11}{'ratio':>8}{'peak GiB':>10}{'share':>8}")
    budget = BATCH * (SHORTEST + LONGEST) / 2
    systems = {
        "authors' recipe": [peer_python, "-c", PEER, recipe],
        "ours, batches of 8": {"per_device_train_batch_size": BATCH},
        "ours, --max-batch-seconds": {"max_batch_seconds": budget},
        "  and --gradient-checkpointing": {"max_batch_seconds": budget, "gradient_checkpointing": True},
    }
    for size in sizes or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_material(Path(folder), size)
            first = None
            for name, system in systems.items():
                peer = isinstance(system, list)
                command = [*system, folder] if peer else [sys.executable, "-c", OURS, folder, json.dumps(system)]
                found = measure(command)
                if found is None:
                    print(f"{size:<9}{name:<34}  out of memory")
                    continue
                speed = found["seconds"] / found["elapsed"]
                first = first or (speed, found["peak"])
                print(
                    f"{size:<9}{name:<34}{found['steps']:>6.0f}{speed:>11.2f}{speed / first[0]:>8.2f}"
                    f"{found['peak']:>10.2f}{found['peak'] / first[1]:>8.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
