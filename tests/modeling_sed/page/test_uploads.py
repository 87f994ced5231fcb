"""The folder of what visitors upload."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modeling_sed.page.uploads import uploads_folder


def test_nothing_is_left_and_everything_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for setting in (None, "somewhere"):
        monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
        if setting is not None:
            monkeypatch.setenv("GRADIO_TEMP_DIR", setting)
        with pytest.raises(KeyboardInterrupt), uploads_folder():
            folder = Path.cwd()
            upload = Path(os.environ["GRADIO_TEMP_DIR"]) / "call.wav"
            assert not upload.is_absolute() and folder != tmp_path
            upload.parent.mkdir()
            upload.touch()
            raise KeyboardInterrupt
        assert not folder.exists() and Path.cwd() == tmp_path
        assert os.environ.get("GRADIO_TEMP_DIR") == setting
