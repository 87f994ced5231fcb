"""Corpora whose files' names tell speaker and emotion: one pattern and one map of labels each.

The pattern is matched against the end of a file's path, without its suffix, from a folder or file name on; it names the
groups ``speaker`` and ``emotion``. So the label comes from the file's own name, or from its own folder where the layout
says so, never from anything else in the path. Letter case is ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import read_text
from .recording import Corpus, Recording, audio_files


def _no_transcription(path: Path, match: re.Match) -> str:
    return ""


@dataclass(frozen=True)
class Layout:
    """How a corpus names its files.

    Attributes:
        name: of the corpus.
        pattern: regular expression over the last parts of the path.
        example: a path that it matches, for messages.
        labels: label by the (lower-case) text of the group ``emotion``.
        complete: number of recordings of the paper's four emotions in the official release, if it is known.
        transcribe: what is said in a file, from its path and match.
    """

    name: str
    pattern: str
    example: str
    labels: Mapping[str, str]
    complete: int | None = None
    transcribe: Callable[[Path, re.Match], str] = _no_transcription

    def read(self, folder: str | Path) -> Corpus:
        """Reads the corpus, whatever its audio files' format.

        Raises:
            InputError: if the folder holds no recording of it.
        """
        folder = Path(folder)
        pattern = re.compile(rf"(?:.*/)?{self.pattern}", re.IGNORECASE)
        recordings, skipped = [], Counter()
        for path in audio_files(folder):
            match = pattern.fullmatch("/" + path.relative_to(folder.parent).with_suffix("").as_posix())
            if match is None:
                skipped[f"name is not that of a recording of {self.name}"] += 1
            elif match["emotion"].lower() not in self.labels:
                skipped[f"unknown emotion {match['emotion']}"] += 1
            else:
                label, speaker = self.labels[match["emotion"].lower()], match["speaker"].lower()
                recordings.append(Recording(path, self.name, speaker, label, self.transcribe(path, match)))
        if not recordings:
            raise InputError(f"{folder} is not the corpus {self.name}: no file is named like {self.example}.")
        return Corpus(recordings, skipped, self.complete)


_RAVDESS_STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}


def _transcribe_jl_corpus(path: Path, match: re.Match) -> str:
    return _text_of(path.with_suffix(".txt"))


def _transcribe_emotion_tts_ko(path: Path, match: re.Match) -> str:
    return _text_of(path.parent.parent / "transcript" / f"{path.stem}.txt")


def _text_of(path: Path) -> str:
    return read_text(path).strip() if path.is_file() else ""


LAYOUTS = (
    Layout(  # Livingstone & Russo 2018, doi:10.1371/journal.pone.0196391; vocal channel 01 is speech, 02 song
        name="ravdess",
        pattern=r"Actor_(?P<speaker>\d\d)/\d\d-01-(?P<emotion>\d\d)-\d\d-(?P<statement>\d\d)-\d\d-(?P=speaker)",
        example="Actor_01/03-01-05-01-02-01-01.wav",
        labels={
            "01": "neutral",
            "02": "calm",
            "03": "happy",
            "04": "sad",
            "05": "angry",
            "06": "fearful",
            "07": "disgusted",
            "08": "surprised",
        },
        complete=672,
        transcribe=lambda path, match: _RAVDESS_STATEMENTS.get(match["statement"], ""),
    ),
    Layout(  # Adigwe et al. 2018, arXiv 1806.09514; amusement stands for happiness, as in the paper
        name="emovdb",
        pattern=r"(?P<speaker>bea|jenie|josh|sam)_\w+/(?P<emotion>[a-z]+)_[^/]*",
        example="bea_Amused/amused_1-28_0001.wav",
        labels={
            "neutral": "neutral",
            "amused": "happy",
            "anger": "angry",
            "angry": "angry",
            "disgust": "disgusted",
            "disgusted": "disgusted",
            "sleepiness": "sleepy",
            "sleepy": "sleepy",
        },
        complete=4_223,  # of the README of github.com/numediart/EmoV-DB; josh is not angry
    ),
    Layout(  # Zhou et al. 2022, arXiv 2105.14762; the English speakers; the old release divides emotions into three
        name="esd",
        pattern=r"(?P<speaker>001[1-9]|0020)/(?P<emotion>[a-z]+)/(?:(?:train|evaluation|test)/)?(?P=speaker)_\d{6}",
        example="0011/Angry/0011_000351.wav",
        labels={"neutral": "neutral", "happy": "happy", "sad": "sad", "angry": "angry", "surprise": "surprised"},
        complete=14_000,
    ),
    Layout(  # James, Tian & Watson 2018, doi:10.21437/Interspeech.2018-1349; excitement counts as happiness
        name="jl_corpus",
        pattern=r"(?P<speaker>(?:fe)?male[12])_(?P<emotion>[a-z]+)_[^/]*",
        example="female1_angry_10a_1.wav",
        labels={
            "neutral": "neutral",
            "happy": "happy",
            "excited": "happy",
            "sad": "sad",
            "angry": "angry",
            "anxious": "anxious",
            "apologetic": "apologetic",
            "assertive": "assertive",
            "concerned": "concerned",
            "encouraging": "encouraging",
        },
        transcribe=_transcribe_jl_corpus,
    ),
    Layout(  # Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244
        name="crema_d",
        pattern=r"(?P<speaker>1\d{3})_[a-z]{3}_(?P<emotion>[a-z]{3})_[a-z]{1,2}",
        example="AudioWAV/1001_DFA_ANG_XX.wav",
        labels={
            "neu": "neutral",
            "hap": "happy",
            "sad": "sad",
            "ang": "angry",
            "dis": "disgusted",
            "fea": "fearful",
        },
        complete=4_900,
    ),
    Layout(  # Pichora-Fuller & Dupuis 2020, doi:10.5683/SP2/E8H2MF
        name="tess",
        pattern=r"(?P<speaker>OA|YA)F?_\w+_(?P<emotion>[a-z]+)",  # one file lacks the F
        example="OAF_angry/OAF_back_angry.wav",
        labels={
            "neutral": "neutral",
            "happy": "happy",
            "sad": "sad",
            "angry": "angry",
            "disgust": "disgusted",
            "fear": "fearful",
            "ps": "surprised",
        },
        complete=1_600,
    ),
    Layout(  # Burkhardt et al. 2005, doi:10.21437/Interspeech.2005-446; German
        name="emodb",
        pattern=r"(?P<speaker>\d\d)[ab]\d\d(?P<emotion>[a-z])[a-z]",
        example="wav/03a01Wa.wav",
        labels={
            "n": "neutral",
            "f": "happy",
            "t": "sad",
            "w": "angry",
            "l": "bored",
            "e": "disgusted",
            "a": "fearful",
        },
        complete=339,
    ),
    Layout(  # Christop 2024, arXiv 2404.06292; Polish
        name="nemo",
        pattern=r"(?P<speaker>[a-z]{2}\d)_(?P<emotion>[a-z]+)_\d+",
        example="samples/EB0_anger_1.wav",
        labels={
            "neutral": "neutral",
            "happiness": "happy",
            "sadness": "sad",
            "anger": "angry",
            "fear": "fearful",
            "surprised": "surprised",
        },
        complete=3_076,
    ),
    Layout(  # KAIST & Selvas AI 2018; Korean; the first of four hundreds is neutral, the others happy, angry, sad
        name="emotion_tts_ko",
        pattern=r"(?P<speaker>em[a-z]|ne[a-z])/wav/(?P=speaker)00(?P<emotion>\d{3})",
        example="plain-to-emotional/ema/wav/ema00001.wav",
        labels={f"{n:03d}": ("neutral", "happy", "angry", "sad")[(n - 1) // 100] for n in range(1, 401)},
        complete=6_000,
        transcribe=_transcribe_emotion_tts_ko,
    ),
)
