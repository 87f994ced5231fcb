"""Files, folders, patterns, addresses and standard input on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modeling_sed.cli.recording_paths import expanded


def test_what_arguments_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("calls/b.MP3", "calls/a.wav", "calls/deep/c.mp4", "calls/notes.txt", "calls/._a.wav", "x[1].wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert expanded(["calls"]) == ["calls/a.wav", "calls/b.MP3", "calls/deep/c.mp4"]
    assert expanded(["calls/deep", "calls"]) == ["calls/deep/c.mp4", "calls/a.wav", "calls/b.MP3"]
    assert expanded(["calls/*.wav", "calls/a.wav", "calls/**/*.mp4"]) == ["calls/a.wav", "calls/deep/c.mp4"]
    assert expanded(["x[1].wav"]) == ["x[1].wav"]  # a file of this name, not a pattern
    assert expanded(["missing.wav", "-", "https://host/[1]*.wav"]) == ["missing.wav", "-", "https://host/[1]*.wav"]
    assert expanded(["calls/notes.txt"]) == ["calls/notes.txt"]  # the user names it; reading it will tell
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: there are no recordings in this folder"):
        expanded(["empty"])
    with pytest.raises(ValueError, match=r"\*\.ogg: no file matches"):
        expanded(["*.ogg"])
