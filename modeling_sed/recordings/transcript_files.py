"""Transcripts in files: the JSON of WhisperX, openai-whisper and faster-whisper, SRT and WebVTT.

In subtitles, the text of a sentence may begin with who speaks and what was found before, as we write it:
``[speaker]: (emotion score) text``, in WebVTT ``<v speaker>(emotion score) text``. Words have no place in them.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..annotations.json_files import parse_json
from ..annotations.subtitle_cues import Cue, escaped, srt_cues, vtt_cues, write_srt_cues, write_vtt_cues
from ..annotations.subtitle_files import TAG, VOICE
from ..annotations.text_files import Target, opened, read_text
from ..frames_sed import InputError, MissingFileError
from .transcripts import Sentence, Transcript, check_transcript, sentences_of

DEEPEST = 100  # levels of JSON: more than any tool writes, and less than what Python's own writer refuses
BRACKETED = re.compile(r"\[([^\]\n]+)\]:\s*")  # as WhisperX has it
NAMED = re.compile(r"([^\W\d][\w .'’-]{0,40})(?::\s+|：\s*)")
EMOTION = re.compile(r"\(([^()\n]+) ([01]\.\d\d)\)\s*", re.ASCII)


def read_transcript(path: str | Path) -> Transcript:
    """Reads a transcript; what form it has says the suffix: ``.json``, ``.vtt`` or ``.srt``.

    JSON stays as it is, all of its fields too. Of subtitles, each cue is a sentence, and in WebVTT each voice in it.
    The speaker of a cue is its voice, ``[NAME]:`` at the beginning of its text, or ``NAME:`` there, if it is in capital
    letters or all cues of the file begin with one, as Zoom's do.

    Raises:
        InputError: if there is no such file, or it is something else, naming the line, or the segment and the word.
    """
    return _format_of(Path(path)).read(Path(path))


def write_transcript(transcript: Transcript, path: str | Path) -> None:
    """Writes a transcript in the form that the suffix says: ``.json``, ``.vtt`` or ``.srt``.

    Raises:
        InputError: if the suffix is another one, or the file cannot be written.
    """
    _format_of(Path(path)).write(transcript, Path(path))


def transcript_path(path: Path, recording: str) -> Path:
    """The file with the transcript of a recording.

    Args:
        path: of that file, or of a folder with those of many recordings, which have their names, with or without
            their suffix. Of several, JSON comes first, then WebVTT: WhisperX writes all of them side by side.
        recording: its name; its folder does not matter.

    Raises:
        InputError: if there is none in the folder.
    """
    if not path.is_dir():
        return path
    name = PurePosixPath(recording.replace("\\", "/"))
    candidates = [path / f"{stem}{suffix}" for stem in (name.name, name.stem) for suffix in FORMATS]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise MissingFileError(f"{path} has no transcript of {recording}: {name.stem}.json, .vtt or .srt.")
    return found


def _read_json(path: Path) -> Transcript:
    content = parse_json(read_text(path), str(path))
    if _is_deeper(content, DEEPEST):
        raise InputError(f"{path} is nested too deeply for a transcript.")
    check_transcript(content, str(path))
    return content


def _is_deeper(content: Any, levels: int) -> bool:
    if not isinstance(content, dict | list):
        return False
    items = content.values() if isinstance(content, dict) else content
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def write_json(transcript: Transcript, target: Target) -> None:
    """Writes the transcript with all fields that it has, NaN in fields that we do not know included.

    Raises:
        InputError: if the file cannot be written.
    """
    with opened(target) as file:
        print(json.dumps(transcript, indent=2), file=file)


def _read_srt(path: Path) -> Transcript:
    return {"segments": _with_names([_sentence(cue, cue.text) for cue in srt_cues(path)])}


def _read_vtt(path: Path) -> Transcript:
    return {"segments": _with_names([sentence for cue in vtt_cues(path) for sentence in _voices(cue)])}


def _voices(cue: Cue) -> Iterable[Sentence]:
    """A sentence for each voice of a cue, and for what is before the first."""
    before, *voices = VOICE.split(cue.text)
    if _plain(before) or not voices:
        yield _sentence(cue, _plain(before))
    for speaker, text in zip(voices[::2], voices[1::2], strict=True):
        yield {**_sentence(cue, _plain(text)), "speaker": _plain(speaker)}


def _plain(text: str) -> str:
    """Text without tags, and what stands for other characters replaced by them."""
    return html.unescape(TAG.sub("", text)).strip()


def _sentence(cue: Cue, text: str) -> Sentence:
    return {"start": cue.start, "end": cue.end, "text": text}


def _with_names(sentences: list[Sentence]) -> list[Sentence]:
    """Speaker, emotion and its score taken from the beginning of the text."""
    names = [NAMED.match(sentence["text"]) for sentence in sentences if sentence["text"]]
    return [_with_name(sentence, all(names)) for sentence in sentences]


def _with_name(sentence: Sentence, all_have_names: bool) -> Sentence:
    found, text = sentence.copy(), sentence["text"]
    name = NAMED.match(text)
    if name is not None and not (all_have_names or name[1].isupper()):
        name = None
    if "speaker" not in sentence and (name := BRACKETED.match(text) or name) is not None:
        found["speaker"], text = name[1].strip(), text[name.end() :]
    if (emotion := EMOTION.match(text)) is not None:
        found["emotion"], found["emotion_score"], text = emotion[1], float(emotion[2]), text[emotion.end() :]
    return {**found, "text": text}


def write_srt(transcript: Transcript, target: Target) -> None:
    """Writes a subtitle for each sentence: ``[speaker]: (emotion score) text``; words have no place in it.

    Raises:
        InputError: if the file cannot be written.
    """
    with opened(target) as file:
        write_srt_cues(_cues(transcript, "[{}]: ", str), file)


def write_vtt(transcript: Transcript, target: Target) -> None:
    """The same as `write_srt` in WebVTT, whose voices are the speakers: ``<v speaker>(emotion score) text``.

    Raises:
        InputError: if the file cannot be written.
    """
    with opened(target) as file:
        write_vtt_cues(_cues(transcript, "<v {}>", escaped), file)


def _cues(transcript: Transcript, voice: str, escape: Callable[[str], str]) -> list[tuple[float, float, str]]:
    """Start, end and text of each sentence; ``voice`` is how a speaker is named before it."""
    cues = []
    for sentence in sentences_of(transcript):
        speaker = sentence.get("speaker")
        before = voice.format(escape(_line(speaker))) if speaker else ""
        cues.append((sentence["start"], sentence["end"], before + escape(_text(sentence))))
    return cues


def _text(sentence: Sentence) -> str:
    """Emotion and text, without blank lines, which would end the subtitle."""
    lines = (line.strip() for line in re.split(r"[\r\n]+", _encodable(sentence["text"])))
    text = "\n".join(line for line in lines if line)
    if sentence.get("emotion_score") is None:
        return text
    return f"({_line(sentence['emotion'])} {sentence['emotion_score']:.2f}) {text}".strip()


def _line(text: str) -> str:
    return " ".join(_encodable(text).split())


def _encodable(text: str) -> str:
    """Without halves of characters, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


class _Format(NamedTuple):
    read: Callable[[Path], Transcript]
    write: Callable[[Transcript, Target], None]


FORMATS = {  # by suffix; in a folder, the first comes first: only JSON has words, only WebVTT tells voices from text
    ".json": _Format(_read_json, write_json),
    ".vtt": _Format(_read_vtt, write_vtt),
    ".srt": _Format(_read_srt, write_srt),
}


def _format_of(path: Path) -> _Format:
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: transcripts are files that end in {', '.join(FORMATS)}.")
    return kind
