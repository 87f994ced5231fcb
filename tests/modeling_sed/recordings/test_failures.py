"""One recording fails, in whatever way; the others go on."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from datasets import Audio, Dataset, DatasetDict
from transformers import Wav2Vec2FeatureExtractor, pipeline

import modeling_sed
from modeling_sed import InputError, SEDConfig
from modeling_sed.annotations.dataset_rows import row_audio
from modeling_sed.front_end.signals import FrontEnd, Signal
from modeling_sed.recordings.diarization import diarize_recordings
from modeling_sed.recordings.sources import Recordings
from modeling_sed.training.collation import SEDDataCollator
from modeling_sed.training.data import audio_folders
from tests.broken_recordings import encoded, noise

WAVE = noise(1.0)[:, 0]


class Exhausted(io.RawIOBase):
    """A file that is larger than the memory."""

    name = "large.wav"

    def read(self, size: int = -1) -> bytes:
        raise MemoryError


class Broken:
    """Something that fails in a way that nobody has thought of."""

    def get_all_samples(self) -> None:
        raise ZeroDivisionError("of a library")


def failing_front_end(signal: Signal) -> list[Signal]:
    if signal.waveform[0] == 0:
        raise RuntimeError("two lines\nof a library")
    return [signal]


def test_whatever_is_raised_is_a_sentence(model_folder: Path):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    good = diarize(WAVE)
    first, second, third, fourth = diarize([Exhausted(), WAVE, Broken(), WAVE], return_exceptions=True)
    assert str(first) == "large.wav: there is not enough memory; a shorter window needs less."
    assert str(third) == "audio: cannot be diarized (ZeroDivisionError: of a library)."
    assert second == fourth == good
    with pytest.raises(ZeroDivisionError):  # for those who ask for one
        diarize(Broken())


def test_a_front_end_that_fails(model_folder: Path):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    recordings = Recordings(["a", "b", "c"], [WAVE, 0 * WAVE, WAVE].__getitem__)
    errors: list[InputError] = []
    found = diarize_recordings(diarize, recordings, range(3), errors.append, front_end=FrontEnd([failing_front_end]))
    assert [position for position, _ in found] == [0, 2]
    assert [str(error) for error in errors] == ["audio: cannot be diarized (RuntimeError: two lines of a library)."]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
@pytest.mark.parametrize("suffix", ["json", "csv", "eaf", "folder"])
def test_the_others_go_on_and_so_does_the_next_run(suffix: str, model_folder: Path, tmp_path: Path):
    """Names that are not Unicode, addresses with spaces, pipes, and a wav file of one byte of sound."""
    for kind in ("wav", "flac", "ogg"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9." + kind.encode())).write_bytes(encoded(kind.upper()))
    (tmp_path / "concat:caf|good.flac").write_bytes(encoded("FLAC"))
    (tmp_path / "odd.wav").write_bytes(encoded("WAV", samples=noise(1 / 16_000))[:-1])
    os.mkfifo(tmp_path / "pipe.wav")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/a b.wav"
    good = [b"caf\xe9.wav", b"caf\xe9.flac", b"caf\xe9.ogg", b"concat:caf|good.flac"]
    bad = [address.encode(), b"/dev/zero", b"pipe.wav", b"odd.wav", b"/dev", b"missing\xff.wav"]
    lines = [line for pair in zip(bad, good, strict=False) for line in pair] + bad[len(good) :]
    (tmp_path / "list.txt").write_bytes(b"\n".join(lines))
    output = "out" if suffix == "folder" else f"out.{suffix}"
    command = [sys.executable, "-m", "modeling_sed", "diarize", "--model", model_folder, "--list", "list.txt"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    more = {"cwd": tmp_path, "env": environment, "capture_output": True, "check": False}
    written = ["--output", output]
    if suffix == "eaf":  # holds one recording
        (tmp_path / "list.txt").write_bytes(b"caf\xe9.wav")
        bad = []
    for _ in range(2 if suffix == "folder" else 1):
        done = subprocess.run([*command, *written], **more)
        errors = done.stderr.decode(errors="replace").count("error: ")
        assert errors == len(bad) and b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
        assert done.returncode == (1 if bad else 0)
    if suffix == "json":
        results = json.loads((tmp_path / output).read_text())
        assert [os.fsencode(result["name"]) for result in results] == good
    printed = subprocess.run(command, **more)
    assert b"Traceback" not in printed.stderr and printed.returncode == (1 if bad else 0)


def test_rows_do_not_decide_what_is_fetched(tmp_path: Path, model_folder: Path):
    """Neither addresses nor files elsewhere; the bytes of a row are heard, whatever name is beside them."""
    soundfile.write(tmp_path / "private.wav", WAVE, 16_000)
    folder = tmp_path / "data"
    held = {"path": "http://127.0.0.1:9/a.wav", "bytes": encoded("WAV")}
    paths = ["http://127.0.0.1:9/a.wav", str(tmp_path / "private.wav"), "../private.wav", "link.wav", "inside.wav"]
    audio = [held, *({"path": path, "bytes": None} for path in paths)]
    segments = [[{"start": 0.0, "end": 1.0, "label": "neutral"}]] * len(audio)
    features = {"name": [str(n) for n in range(len(audio))], "audio": audio, "segments": segments}
    DatasetDict({"test": Dataset.from_dict(features)}).save_to_disk(folder)
    (folder / "inside.wav").write_bytes(encoded("WAV"))
    (folder / "link.wav").symlink_to(tmp_path / "private.wav")
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder), device="cpu")
    recordings = Recordings.of_dataset(folder, "test")
    errors: list[InputError] = []
    found = dict(diarize_recordings(diarize, recordings, range(len(audio)), errors.append))
    assert list(found) == [0, 5]
    reasons = ["may not name addresses", *["may not name files outside of it"] * 3]
    for error, path, reason in zip(errors, paths, reasons, strict=False):
        assert path.rpartition("/")[2] in str(error) and reason in str(error)

    collator = SEDDataCollator(Wav2Vec2FeatureExtractor(), SEDConfig(), folders=audio_folders(str(folder)))
    for number, heard in enumerate(audio):
        row = {"name": str(number), "audio": heard, "segments": segments[0]}
        if number in found:
            assert collator([row])["input_values"].shape == (1, 16_000)
        else:
            with pytest.raises(InputError, match=f"Utterance '{number}': .* rows of a dataset may not name"):
                collator([row])
    rows = Dataset.from_dict({"audio": [str(tmp_path / "private.wav")]}).cast_column("audio", Audio(decode=False))
    assert row_audio(rows[0]["audio"])["path"] == str(tmp_path / "private.wav")  # one's own, in memory
