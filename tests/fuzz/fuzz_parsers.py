"""Everything that is parsed: annotations, transcripts, tables of corpora, YAML options, and the files of models."""

from __future__ import annotations

import contextlib
import io
import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile
import torch

from modeling_sed.annotations.annotation import Annotation
from modeling_sed.annotations.files import BY_SUFFIX, FORMATS, read_annotations, read_durations
from modeling_sed.checkpoints import speechbrain
from modeling_sed.checkpoints.opening import open_model
from modeling_sed.checkpoints.yaml_files import read_yaml
from modeling_sed.dataset_scripts.builder import SEDBuilderConfig
from modeling_sed.dataset_scripts.corpora import read_corpus
from modeling_sed.dataset_scripts.corpora.zed import read_zed
from modeling_sed.dataset_scripts.errors import InputError as BuilderError
from modeling_sed.frames_sed import InputError
from modeling_sed.recordings.transcript_files import FORMATS as TRANSCRIPTS
from modeling_sed.recordings.transcript_files import read_transcript
from modeling_sed.training.command_line import parse_options
from tests.conftest import REPOSITORY, save_model, small_model
from tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints import FOLDER as SPEECHBRAIN

SEGMENTS = [
    {"start": 0.0, "end": 1.5, "label": "happy", "score": 0.75, "speaker": "anna"},
    {"start": 2.25, "end": 4.0, "label": "sad"},
]
OF_MODELS = ("config.json", "preprocessor_config.json", "model.safetensors")
ZED = {"a_1": {"wav": "datafolder/a.wav", "duration": 1.0, "emotion": [{"emo": "sad", "start": 0.25, "end": 0.5}]}}
TURN = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
WAVS = Path("Session1") / "sentences" / "wav" / "Ses01F_impro01"
EVALUATION = Path("Session1") / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"


def targets() -> dict[str, Callable[[bytes], None]]:
    return {
        **{f"annotation{suffix}": partial(annotation, suffix) for suffix in BY_SUFFIX},
        **{f"durations{suffix}": partial(durations, suffix) for suffix in (".csv", ".uem")},
        **{f"transcript{suffix}": partial(transcript, suffix) for suffix in TRANSCRIPTS},
        "corpus-table": table,
        "corpus-iemocap": iemocap,
        "corpus-zed-json": partial(zed, "ZED.json"),
        "corpus-zed-zip": partial(zed, "ZED.zip"),
        "options-train": options_of_training,
        "options-build": options_of_builder,
        **{f"model-{name}": partial(model, name) for name in OF_MODELS},
        "speechbrain-hyperparams.yaml": partial(of_speechbrain, "hyperparams.yaml", speechbrain._read_settings),
        "speechbrain-label_encoder.txt": partial(of_speechbrain, "label_encoder.txt", speechbrain._read_labels),
        "speechbrain-model.ckpt": partial(of_speechbrain, "model.ckpt", speechbrain._load_tensors),
    }


def seeds() -> dict[str, list[bytes]]:
    written = {suffix: [_written(kind)] for kind in FORMATS for suffix in FORMATS[kind].suffixes}
    written[".json"] += [json.dumps(content).encode() for content in _foreign_json()]
    written[".rttm"].append(
        b";; a comment\nSPKR-INFO call 1 <NA> <NA> <NA> unknown anna <NA> <NA>\n" + written[".rttm"][0]
    )
    written[".txt"].append(b"0.0\t1.0\ta\n\\\t100.0\t200.0\n")
    written[".textgrid"].append(b'"ooTextFile" "TextGrid" 0 4 <exists> 1 "IntervalTier" "emotion" 0 4 1 0 4 "sad" ! x')
    sentences = {
        "segments": [{"start": 0.0, "end": 1.0, "text": "Hm.", "words": [{"word": "Hm.", "start": 0.1, "end": 0.9}]}]
    }
    table = 'file_name;speaker;label;transcription\na.wav;anna;sad;"well; ""hm"""\n'
    return {
        **{f"annotation{suffix}": contents for suffix, contents in written.items()},
        "durations.csv": [b"name,duration\ncall,4.5\n", b"duration\tname\n4\tcall\n"],
        "durations.uem": [b"call 1 0 4.5\n"],
        "transcript.json": [json.dumps(sentences).encode(), b'[{"start": 0, "end": 1, "text": "Hm."}]'],
        "transcript.srt": [b"1\n00:00:00,000 --> 00:00:01,000\n[anna]: (sad 0.75) Hm.\n", *written[".srt"]],
        "transcript.vtt": [b"WEBVTT\n\nNOTE x\n\n00:00.000 --> 00:01.000 line:0\n<v anna>(sad 0.75) <b>Hm</b> &amp;\n"],
        "corpus-table": [table.encode(), table.encode("utf-16"), b'file_name,speaker,label\na.wav,anna,"s\na\nd"\n'],
        "corpus-iemocap": [b"% [START - END] TURN EMOTION\n\n" + TURN.encode() + b"C-E2:\tNeutral;\t()\n"],
        "corpus-zed-json": [json.dumps(ZED).encode()],
        "corpus-zed-zip": [_zip(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)],
        "options-train": [path.read_bytes() for path in (REPOSITORY / "configs").glob("[hilw]*.yaml")],
        "options-build": [b"config_name: simulated\ncorpora: {ravdess: x}\nevents: 2\nnoise_ratio: [5, 20]\nseed: 1\n"],
        **{f"model-{name}": [(_model_folder() / name).read_bytes()] for name in OF_MODELS},
        **{
            f"speechbrain-{name}": [(SPEECHBRAIN / "wavlm" / name).read_bytes()]
            for name in ("hyperparams.yaml", "label_encoder.txt", "model.ckpt")
        },
    }


def annotation(suffix: str, content: bytes) -> None:
    """Segments that every writer takes, or a refusal that names the file."""
    with _file(f"call{suffix}", content) as path:
        try:
            found = read_annotations(path)
        except InputError as error:
            assert str(path) in str(error)
            return
        for one in found.values():
            assert one.duration is None or 0 < one.duration < math.inf
            for segment in (*one.segments, *(one.reference or ())):
                assert 0 <= segment["start"] <= segment["end"] < math.inf and segment["label"].strip()
        FORMATS["json"].write(found.values(), io.StringIO())


def durations(suffix: str, content: bytes) -> None:
    with _file(f"durations{suffix}", content) as path, contextlib.suppress(InputError):
        assert all(0 < seconds < math.inf for seconds in read_durations(path).values())


def transcript(suffix: str, content: bytes) -> None:
    """A transcript that every writer takes, or a refusal."""
    with _file(f"call{suffix}", content) as path, contextlib.suppress(InputError):
        found = read_transcript(path)
        for kind in TRANSCRIPTS.values():
            kind.write(found, io.StringIO())


def table(content: bytes) -> None:
    """Recordings inside the folder, or a refusal."""
    with _file("corpus/metadata.csv", content) as path, contextlib.suppress(BuilderError):
        _write_wav(path.parent / "a.wav")
        _write_wav(path.parent.parent / "secret.wav")
        for recording in read_corpus("any", path.parent).recordings:
            assert recording.path.resolve().is_relative_to(path.parent.resolve()) and recording.path.is_file()
            assert recording.speaker and recording.label


def iemocap(content: bytes) -> None:
    with _file(f"corpus/{EVALUATION}", content) as path, contextlib.suppress(BuilderError):
        folder = path.parents[3]
        (folder / WAVS).mkdir(parents=True)
        _write_wav(folder / WAVS / "Ses01F_impro01_F000.wav")
        _write_wav(folder.parent / "secret.wav")
        for recording in read_corpus("iemocap", folder).recordings:
            assert recording.path.resolve().is_relative_to((folder / WAVS.parent).resolve())


def zed(name: str, content: bytes) -> None:
    with _file(f"zed/{name}", content) as path, contextlib.suppress(BuilderError):
        _write_wav(path.parent / "a.wav")
        for utterance in read_zed(path if path.suffix == ".zip" else path.parent):
            assert all(0 <= one["start"] < one["end"] < math.inf for one in utterance.segments)


def options_of_training(content: bytes) -> None:
    """Options, a refusal, or (argparse) the usage and the exit code 2."""
    arguments = ["--dataset", "data", "--encoder", "encoder", "--output-dir", "run", "--config"]
    with _file("options.yaml", content) as path, contextlib.redirect_stderr(io.StringIO()):
        try:
            parse_options([*arguments, str(path)])
        except InputError:
            pass
        except SystemExit as stopped:
            assert stopped.code == 2


def options_of_builder(content: bytes) -> None:
    with _file("options.yaml", content) as path, contextlib.suppress(InputError, BuilderError):
        config = read_yaml(path)
        SEDBuilderConfig.checked(config.pop("config_name", "benchmark"), config)


def model(name: str, content: bytes) -> None:
    """A model, or a refusal in one line."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(shutil.copytree(_model_folder(), Path(work) / "model"))
        (folder / name).write_bytes(content)
        try:
            open_model(folder)
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 2_000


def of_speechbrain(name: str, read: Callable[[Path], object], content: bytes) -> None:
    with _file(name, content) as path, contextlib.suppress(InputError):
        read(path)


@contextlib.contextmanager
def _file(name: str, content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield path


def _written(kind: str) -> bytes:
    buffer = io.StringIO()
    FORMATS[kind].write([Annotation("call", SEGMENTS, 4.5)], buffer)
    return buffer.getvalue().encode()


def _foreign_json() -> list[object]:
    region = {"value": {"start": 0.5, "end": 1.0, "labels": ["sad"]}, "original_length": 4.5}
    return [
        ZED,
        {"call.wav": [{"start": 0.0, "end": 1.0, "emotion": "h"}]},
        SEGMENTS,
        [{"id": 1, "data": {"audio": "/data/upload/1/0123abcd-call.wav"}, "annotations": [{"result": [region]}]}],
        {"uri": "call", "content": [{"segment": {"start": 0.0, "end": 1.0}, "track": "_", "label": "sad"}]},
    ]


def _zip(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("ZED/ZED.json", json.dumps(ZED))
        archive.writestr("ZED/a.wav", b"RIFF" + bytes(40))
    return buffer.getvalue()


def _write_wav(path: Path) -> None:
    soundfile.write(path, np.zeros(160), 16_000)


@cache
def _model_folder() -> Path:
    torch.set_num_threads(1)
    return save_model(small_model(), Path(tempfile.mkdtemp(prefix="fuzz-model-")))
