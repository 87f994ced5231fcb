"""Transcripts, and the emotion of each of their sentences and words.

A transcript is what WhisperX, openai-whisper and faster-whisper make of a recording: a mapping with the list
``"segments"``, or that list alone. Here its segments are called sentences, since segments are those of emotions. Other
fields than those that are named here may be anything, and stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ..annotations.prevailing_labels import prevailing_labels
from ..annotations.values import check_times, number, shown
from ..frames_sed import InputError, Segment
from .speaker_turns import Turn, checked_turns


class Word(TypedDict, total=False):
    """A word. What an aligner could not find, as WhisperX numerals, has no ``start`` and ``end`` (seconds)."""

    word: str
    start: float | None
    end: float | None
    speaker: str | None
    emotion: str
    emotion_score: float


class _Spoken(TypedDict):
    start: float
    end: float
    text: str


class Sentence(_Spoken, total=False):
    """What is said between ``start`` and ``end`` (seconds), with its words where they are known."""

    words: list[Word] | None
    speaker: str | None
    emotion: str
    emotion_score: float


Transcript = dict[str, Any] | list[Sentence]


def sentences_of(transcript: Transcript) -> list[Sentence]:
    """The sentences, in the transcript's order."""
    return transcript if isinstance(transcript, list) else transcript["segments"]


def with_emotions(transcript: Transcript, segments: Sequence[Segment], turns: Sequence[Turn] = ()) -> Transcript:
    """Names the emotion of each sentence and each word, and who speaks where only the turns say that.

    The emotion of an interval is the label that prevails there (`prevailing_labels`), ``"emotion_score"`` its
    confidence: the mean, over the interval, of the score of its segments. So it agrees with the timeline, whatever
    decoder has made it. The model hears the recording as a whole: where two people speak at once, both get the same.

    Args:
        transcript: as `read_transcript` reads it, or as WhisperX returns it.
        segments: that tile the recording, as the pipeline returns them.
        turns: of speakers, in any order. If no sentence and no word has a speaker, each gets the one whose turns cover
            most of it; of equals, the one who speaks first in the recording.

    Returns:
        The same transcript, with ``"emotion"`` and ``"emotion_score"`` in each sentence and word, and perhaps
        ``"speaker"``. What lies outside of the recording has no emotion, what no turn covers no speaker.

    Raises:
        InputError: for something else than a transcript, naming the sentence and the word, or a turn that ends before
            it starts.
    """
    check_transcript(transcript, "The transcript")
    sentences = sentences_of(transcript)
    intervals = [times for sentence in sentences for times in _intervals(sentence)]
    emotions = prevailing_labels(segments, intervals)
    speaking: list[Segment] = [
        {"start": turn["start"], "end": turn["end"], "label": turn["speaker"]} for turn in checked_turns(turns)
    ]
    speakers = prevailing_labels([] if _names_speakers(sentences) else speaking, intervals)
    found = map(_fields, emotions, speakers)
    told = [_with_fields(sentence, found) for sentence in sentences]
    return told if isinstance(transcript, list) else {**transcript, "segments": told}


def _intervals(sentence: Sentence) -> Iterator[tuple[float, float]]:
    """The times of a sentence, then those of its words."""
    yield sentence["start"], sentence["end"]
    yield from word_intervals(sentence)


def word_intervals(sentence: Sentence) -> list[tuple[float, float]]:
    """Start and end of each word in seconds.

    A start that is missing is the last time that a word before it has, an end the first time that a word after it has;
    where there is none, those of the sentence. So words without times share the interval between their neighbours. If
    those overlap, it is the time of the overlap.
    """
    words = sentence.get("words") or []
    starts = _filled([(word.get("start"), word.get("end")) for word in words], sentence["start"])
    ends = _filled([(word.get("end"), word.get("start")) for word in reversed(words)], sentence["end"])
    return [(min(times), max(times)) for times in zip(starts, reversed(ends), strict=True)]


def _filled(times: Sequence[tuple[float | None, float | None]], last: float) -> list[float]:
    """The first of each pair, or where it is missing the last time before it, of either kind."""
    filled = []
    for near, far in times:
        filled.append(last if near is None else near)
        last = next((time for time in (far, near) if time is not None), last)
    return filled


def _names_speakers(sentences: Sequence[Sentence]) -> bool:
    return any(
        item.get("speaker") is not None for sentence in sentences for item in (sentence, *(sentence.get("words") or []))
    )


def _with_fields(sentence: Sentence, found: Iterator[dict[str, Any]]) -> Any:
    """The sentence and its words with the fields that are found for them, one after the other."""
    told: dict[str, Any] = {**_without_emotion(sentence), **next(found)}
    if sentence.get("words"):
        told["words"] = [{**_without_emotion(word), **next(found)} for word in sentence["words"] or []]
    return told


def _without_emotion(item: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was found before, perhaps in another timeline."""
    return {key: value for key, value in item.items() if key not in ("emotion", "emotion_score")}


def _fields(emotion: tuple[str, float] | None, speaker: tuple[str, float] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {} if speaker is None else {"speaker": speaker[0]}
    return fields if emotion is None else {**fields, "emotion": emotion[0], "emotion_score": emotion[1]}


def check_transcript(content: Any, where: str) -> None:
    """Lets transcripts pass.

    Args:
        content: of a file, or what another library has returned.
        where: it is from, for messages.

    Raises:
        InputError: for anything else, naming the segment and the word.
    """
    sentences = content.get("segments") if isinstance(content, dict) else content
    if not isinstance(sentences, list):
        raise InputError(f"{where} is no transcript: it needs a list of segments; got {shown(content)}.")
    for index, sentence in enumerate(sentences, start=1):
        _check_sentence(sentence, f"{where}, segment {index}")


def _check_sentence(sentence: Any, where: str) -> None:
    if not isinstance(sentence, dict) or not {"start", "end", "text"} <= sentence.keys():
        raise InputError(f"{where}: a segment of a transcript has start, end and text; got {shown(sentence)}.")
    if not isinstance(sentence["text"], str):
        raise InputError(f"{where}: the text must be text; got {shown(sentence['text'])}.")
    start, end = (number(sentence[key], key, where) for key in ("start", "end"))
    check_times(start, end, "the segment", where)
    _check_speaker(sentence, where)
    words = sentence.get("words")
    if not isinstance(words, list | None):
        raise InputError(f"{where}: words are a list; got {shown(words)}.")
    for index, word in enumerate(words or [], start=1):
        _check_word(word, f"{where}, word {index}")


def _check_word(word: Any, where: str) -> None:
    if not isinstance(word, dict):
        raise InputError(
            f"{where}: a word is a mapping with word, start and end; got {shown(word)}. What faster-whisper returns "
            "becomes one by dataclasses.asdict(segment), in old versions by word._asdict()."
        )
    known = [number(word[key], key, where) for key in ("start", "end") if word.get(key) is not None]
    if known:
        check_times(known[0], known[-1], "the word", where)
    _check_speaker(word, where)


def _check_speaker(item: Mapping[str, Any], where: str) -> None:
    if not isinstance(item.get("speaker"), str | None):
        raise InputError(f"{where}: the speaker must be a name; got {shown(item['speaker'])}.")
