"""What the page keeps of a recording."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from transformers import pipeline

import modeling_sed
from modeling_sed.frames_sed import InputError, InputWarning
from modeling_sed.page.results import COLUMNS, about_file, diarize_file


def test_posteriors_are_thinned_out_and_segments_are_the_pipelines(model_folder: Path, tmp_path: Path):
    diarize = pipeline(modeling_sed.TASK, model=str(model_folder))
    noise = np.random.default_rng(0)
    for name, seconds in (("short.wav", 0.5), ("long.wav", 12)):
        path = tmp_path / name
        soundfile.write(path, 0.1 * noise.standard_normal(int(16_000 * seconds)), 16_000)
        found, scores = diarize_file(diarize, path), diarize(str(path), return_scores=True)
        assert found.segments == scores["segments"] and (found.name, found.duration) == (name, seconds)
        assert len(found.posteriors) == min(len(scores["posteriors"]), COLUMNS)
        np.testing.assert_allclose(found.posteriors.sum(axis=1), 1, atol=1e-5)


def test_no_message_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "a" / "call.wav", Path("a") / "call.wav"):
        with pytest.raises(InputError, match=r"^call.wav: not audio \('call.wav'\)$"), about_file(path):
            raise InputError(f"{path}: not audio ('{path.resolve()}')")
        with about_file(path) as notes:
            warnings.warn(f"{path} is shorter than it says.", InputWarning, stacklevel=1)
            warnings.warn("of a library", DeprecationWarning, stacklevel=1)
        assert notes == ["call.wav is shorter than it says."]
