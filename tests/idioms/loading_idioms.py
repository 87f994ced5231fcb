"""Idioms of loading, saving and pushing, tried in a process of its own: with this package, and where it is missing.

    python loading_idioms.py with MODEL SOUND FOLDER
    python loading_idioms.py without MODEL SOUND FOLDER

writes FOLDER/outcomes.json: for each, the representation of its value, or of what it raised. This file imports nothing
of the project, since that is missing in the second case. HF_ENDPOINT has the models of the first call in the second.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import NamedTuple

TASK = "speech-emotion-diarization"
SEGMENTS = r"^\[\{'start': 0\.0, 'end': .*'label': '\w+', 'score': "
MODEL_CLASS, CONFIG_CLASS = "^'SEDForAudioFrameClassification'$", "^'SEDConfig'$"
PIPELINE_CLASS = "^'SpeechEmotionDiarizationPipeline'$"
PUSHED = "someone/"


class Idiom(NamedTuple):
    """A line of code, what its value or its exception must match, and where this package is missing, if it differs.

    In it, ``trust`` is empty where the package is, and ``{"trust_remote_code": True}`` where it is missing; ``here`` is
    a new name in ``FOLDER``; ``repo`` is a hub id of this process, ``others`` are those of both.
    """

    name: str
    code: str
    expected: str
    without: str | None = None


IDIOMS = [
    # opening
    Idiom("AutoConfig", "kind(AutoConfig.from_pretrained(MODEL, **trust))", CONFIG_CLASS),
    Idiom("AutoModelForAudioFrameClassification", "kind(Frames.from_pretrained(MODEL, **trust))", MODEL_CLASS),
    Idiom("AutoModel", "kind(AutoModel.from_pretrained(MODEL, **trust))", MODEL_CLASS),
    Idiom(
        "AutoModelForAudioClassification",
        "AutoModelForAudioClassification.from_pretrained(MODEL, **trust)",
        "InputError: This model says which emotion appears when.*Use pipeline",
        "ValueError: Unrecognized configuration class .*SEDConfig",
    ),
    Idiom("from_config", "kind(Frames.from_config(AutoConfig.from_pretrained(MODEL, **trust), **trust))", MODEL_CLASS),
    Idiom("AutoFeatureExtractor", "AutoFeatureExtractor.from_pretrained(MODEL).sampling_rate", "^16000$"),
    Idiom("AutoProcessor", "AutoProcessor.from_pretrained(MODEL).sampling_rate", "^16000$"),
    Idiom("labels", "model().config.id2label[0], model().config.label2id['angry']", r"\('neutral', 3\)"),
    Idiom("dtype", "model(dtype=torch.bfloat16).dtype", "torch.bfloat16"),
    Idiom("a copy", "kind(copy.deepcopy(model()))", MODEL_CLASS),
    Idiom(
        "a new classifier", "model(**TWO_LABELS, ignore_mismatched_sizes=True).config.labels", r"\['neutral', 'sad'\]"
    ),
    Idiom(
        "num_labels",
        "model(num_labels=2)",
        "InputError: Labels must .* contain the neutral label|ignore_mismatched_sizes",
    ),
    Idiom("no such model", "Frames.from_pretrained(FOLDER + '/nothing')", "OSError"),
    # pipelines
    Idiom("task and model", "pipeline(TASK, model=MODEL, **trust)(SOUND)", SEGMENTS),
    Idiom("a Path", "kind(pipeline(TASK, model=Path(MODEL), **trust))", PIPELINE_CLASS),
    Idiom("a model alone", "pipeline(model=MODEL, **trust)(SOUND)", SEGMENTS),
    Idiom("code is trusted", "pipeline(model=MODEL, trust_remote_code=True)(SOUND)", SEGMENTS),
    Idiom("code is not trusted", "pipeline(TASK, model=MODEL)(SOUND)", SEGMENTS, "ValueError.*trust_remote_code=True"),
    Idiom(
        "a task alone",
        "kind(pipeline(TASK))",
        PIPELINE_CLASS,  # the model of the package
        "KeyError: .*Unknown task speech-emotion-diarization",
    ),
    Idiom(
        "a model and its extractor",
        "pipeline(TASK, model=model(), feature_extractor=extractor())(SOUND)",
        SEGMENTS,
        "KeyError: .*Unknown task speech-emotion-diarization",
    ),
    Idiom("a device", "pipeline(TASK, model=MODEL, device='cpu', **trust).device", "device.*cpu"),
    Idiom("a pipeline's dtype", "pipeline(TASK, model=MODEL, dtype=torch.bfloat16, **trust)(SOUND)", SEGMENTS),
    Idiom(
        "audio-classification",
        "pipeline('audio-classification', model=MODEL, **trust)",
        "ValueError: .*This model says which emotion appears when",
        "ValueError: .*Unrecognized configuration class",
    ),
    # attention
    Idiom("eager", "model(attn_implementation='eager').config._attn_implementation", "eager"),
    Idiom(
        "sdpa",  # of WavLM; the other families have it in transformers: tests/idioms/test_attention.py
        "model(attn_implementation='sdpa').config._attn_implementation",
        "sdpa",
        "ValueError: .*does not support.*attn_implementation=.?.eager",
    ),
    Idiom("eager pipeline", "pipeline(TASK, model=MODEL, model_kwargs=EAGER, **trust)(SOUND)", SEGMENTS),
    # saving and opening again
    Idiom("save a model", "saved(model(), extractor()) and pipeline(TASK, model=here, **trust)(SOUND)", SEGMENTS),
    Idiom(
        "save a pipeline",
        "saved(pipeline(TASK, model=MODEL, **trust)) and pipeline(model=here, **trust)(SOUND)",
        SEGMENTS,
    ),
    Idiom(
        "save in bfloat16", "saved(model(dtype=torch.bfloat16)) and Frames.from_pretrained(here, **trust).dtype", "bfl"
    ),
    Idiom("no extractor", "saved(model()) and pipeline(TASK, model=here, **trust)", "preprocessor_config.json"),
    Idiom(
        "save twice",
        "saved(saved(model())) and 'pipeline_sed.py' in [path.name for path in Path(here).iterdir()]",
        "True",
    ),
    Idiom(
        "save a configuration",
        "saved(AutoConfig.from_pretrained(MODEL, **trust)) and kind(AutoConfig.from_pretrained(here, **trust))",
        CONFIG_CLASS,
    ),
    # the Hub
    Idiom("push a model", "[part.push_to_hub(repo('model')) for part in (model(), extractor())]", PUSHED),
    Idiom("push while saving", "saved(model(), extractor(), push_to_hub=True, repo_id=repo('saved'))", PUSHED),
    Idiom("push a pipeline", "pipeline(TASK, model=MODEL, **trust).push_to_hub(repo('pipeline'))", PUSHED),
    Idiom("push by a Trainer", "pushed_by_trainer(repo('trainer'))", PUSHED),
    *(
        Idiom(
            f"open what was pushed: {what}",
            f"[pipeline(model=repo, **trust)(SOUND)[0] for repo in repos('{what}')]",
            SEGMENTS,
        )
        for what in ("model", "saved", "pipeline", "trainer")
    ),
    Idiom("a revision", "kind(Frames.from_pretrained(repo('model'), revision='0' * 40, **trust))", MODEL_CLASS),
    Idiom(
        "what is in the cache",
        "kind(Frames.from_pretrained(repo('model'), local_files_only=True, **trust))",
        MODEL_CLASS,
    ),
    Idiom("hf://", "pipeline(model=MODEL, **trust)('hf://datasets/someone/sounds/call.wav')", SEGMENTS),
    Idiom(
        "hf:// of nothing",
        "pipeline(model=MODEL, **trust)('hf://datasets/someone/sounds/nothing.wav')",
        "MissingFileError: hf://datasets/someone/sounds/nothing.wav: there is no such file",
    ),
    Idiom("no such repository", "Frames.from_pretrained('someone/nothing', **trust)", "OSError: .*someone/nothing"),
]


class Absent:
    """Finds no package of this name."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "modeling_sed":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def namespace(case: str, model_folder: str, sound: str, folder: str) -> dict:
    """The names that the idioms use."""
    import torch
    import transformers

    trust = {"trust_remote_code": True} if case == "without" else {}
    frames = transformers.AutoModelForAudioFrameClassification
    names = {name: getattr(transformers, name) for name in dir(transformers) if name.startswith("Auto")}

    def model(**options: object) -> object:
        return frames.from_pretrained(model_folder, **trust, **options)

    def extractor() -> object:
        return transformers.AutoFeatureExtractor.from_pretrained(model_folder)

    def saved(*parts: object, **options: object) -> object:
        for part in parts:
            part.save_pretrained(names["here"], **options)
        return f"{options.get('repo_id')}" if options else parts[0]

    def repo(what: str) -> str:
        return f"someone/{case}-{what}"

    def pushed_by_trainer(name: str) -> object:
        options = {"push_to_hub": True, "hub_model_id": name, "report_to": [], "use_cpu": True}
        arguments = transformers.TrainingArguments(names["here"], **options)
        return transformers.Trainer(model(), arguments, processing_class=extractor()).push_to_hub()

    names |= {
        "Frames": frames,
        "pipeline": transformers.pipeline,
        "torch": torch,
        "copy": copy,
        "Path": Path,
        "TASK": TASK,
        "MODEL": model_folder,
        "SOUND": sound,
        "FOLDER": folder,
        "EAGER": {"attn_implementation": "eager"},
        "TWO_LABELS": {"id2label": {0: "neutral", 1: "sad"}, "label2id": {"neutral": 0, "sad": 1}},
        "trust": trust,
        "kind": lambda value: type(value).__name__,
        "model": model,
        "extractor": extractor,
        "saved": saved,
        "repo": repo,
        "repos": lambda what: [f"someone/{one}-{what}" for one in ("with", "without")[: 1 + (case == "without")]],
        "pushed_by_trainer": pushed_by_trainer,
    }
    return names


def main(case: str, model_folder: str, sound: str, folder: str) -> None:
    """Writes what comes of each idiom."""
    if case == "without":
        sys.meta_path.insert(0, Absent())
    else:
        import modeling_sed  # noqa: F401 - which is all that it takes
    names, outcomes = namespace(case, model_folder, sound, folder), {}
    for number, idiom in enumerate(IDIOMS):
        names["here"] = f"{folder}/{number}"
        try:
            outcomes[idiom.name] = repr(eval(idiom.code, names))
        except Exception as error:
            outcomes[idiom.name] = f"{type(error).__name__}: {error}"
    Path(folder, "outcomes.json").write_text(json.dumps(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
