"""Readers of corpora: miniatures in the exact official layouts, with the traps that the real ones have."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from modeling_sed.dataset_scripts.build import build
from modeling_sed.dataset_scripts.corpora import READERS, read_corpus
from modeling_sed.dataset_scripts.corpora.recording import EMOTIONS, Recording
from modeling_sed.dataset_scripts.errors import InputError
from modeling_sed.dataset_scripts.sources import find_sources
from tests.conftest import REAL_DATA
from tests.dataset_scripts.conftest import voice, write_table_corpus

# name of the reader -> files, each with the speaker and the emotion that it has; None: not a recording of the corpus
LAYOUTS = {
    "ravdess": {
        "Actor_01/03-01-01-01-01-01-01.wav": ("01", "neutral"),
        "Actor_01/03-01-02-01-01-01-01.wav": ("01", "calm"),
        "Actor_24/03-01-05-02-02-02-24.WAV": ("24", "angry"),
        "Actor_01/03-02-03-01-01-01-01.wav": None,  # a song
        "Actor_02/03-01-03-01-01-01-01.wav": None,  # in another actor's folder
        "Actor_01/._03-01-03-01-01-01-01.wav": None,  # what macOS leaves in archives
    },
    "emovdb": {
        "bea_Amused/amused_1-28_0001.wav": ("bea", "happy"),
        "jenie_Neutral/neutral_1-28_0002.wav": ("jenie", "neutral"),
        "sam_Angry/anger_1-28_0003.wav": ("sam", "angry"),
        "josh_Sleepy/sleepiness_29-56_0030.wav": ("josh", "sleepy"),
        "bea_Amused/readme_1-28_0001.wav": None,
    },
    "esd": {
        "0011/Angry/0011_000351.wav": ("0011", "angry"),
        "0012/Happy/train/0012_000750.wav": ("0012", "happy"),  # the old release
        "0012/Sad/evaluation/0012_001051.wav": ("0012", "sad"),
        "0020/Surprise/test/0020_001421.wav": ("0020", "surprised"),
        "0001/Angry/0001_000351.wav": None,  # a Mandarin speaker
        "0011/Angry/0012_000351.wav": None,  # another speaker's file
    },
    "jl_corpus": {
        "JL(wav+txt)/female1_angry_10a_1.wav": ("female1", "angry"),
        "JL(wav+txt)/male2_excited_4b_2.wav": ("male2", "happy"),
        "JL(wav+txt)/male1_neutral_1a_1.wav": ("male1", "neutral"),
        "JL(wav+txt)/male1_pensive_1a_1.wav": None,
    },
    "crema_d": {
        "AudioWAV/1001_DFA_ANG_XX.wav": ("1001", "angry"),
        "AudioWAV/1091_IEO_HAP_LO.wav": ("1091", "happy"),
        "AudioWAV/1076_MTI_NEU_X.wav": ("1076", "neutral"),
    },
    "tess": {
        "OAF_angry/OAF_back_angry.wav": ("oa", "angry"),
        "YAF_pleasant_surprised/YAF_back_ps.wav": ("ya", "surprised"),
        "OAF_neutral/OA_bite_neutral.wav": ("oa", "neutral"),  # the one file that is named otherwise
    },
    "emodb": {
        "wav/03a01Wa.wav": ("03", "angry"),
        "wav/16b10Td.wav": ("16", "sad"),
        "wav/08a02Na.wav": ("08", "neutral"),
        "wav/08a02La.wav": ("08", "bored"),
    },
    "nemo": {
        "samples/EB0_anger_1.wav": ("eb0", "angry"),
        "samples/WR0_happiness_64.ogg": ("wr0", "happy"),
        "samples/MZ0_neutral_90.wav": ("mz0", "neutral"),
    },
    "emotion_tts_ko": {
        "plain-to-emotional/ema/wav/ema00001.wav": ("ema", "neutral"),
        "plain-to-emotional/ema/wav/ema00100.wav": ("ema", "neutral"),
        "plain-to-emotional/ema/wav/ema00101.wav": ("ema", "happy"),
        "plain-to-emotional/ema/wav/ema00200.wav": ("ema", "happy"),
        "emotional-to-emotional/nea/wav/nea00300.wav": ("nea", "angry"),
        "emotional-to-emotional/nea/wav/nea00301.wav": ("nea", "sad"),
        "emotional-to-emotional/nea/wav/nea00400.wav": ("nea", "sad"),
        "emotional-to-emotional/nea/wav/nea00401.wav": None,
    },
}


def lay_out(folder: Path, files: dict) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"audio")  # readers look at names only
    return folder


def found(recordings: list[Recording], folder: Path) -> dict[str, tuple[str, str]]:
    return {r.path.relative_to(folder).as_posix(): (r.speaker, r.label) for r in recordings}


@pytest.mark.parametrize("name", LAYOUTS)
# emotions, speakers and blanks in the folders above must not matter
@pytest.mark.parametrize("above", ["corpus", "happyfeet/sad 1001_DFA_ANG_XX/Müller's"])
def test_label_and_speaker_come_from_the_own_name_and_folder(tmp_path: Path, name: str, above: str):
    folder = lay_out(tmp_path / above, LAYOUTS[name])
    corpus = read_corpus(name, folder)
    assert found(corpus.recordings, folder) == {file: meaning for file, meaning in LAYOUTS[name].items() if meaning}
    assert {recording.corpus for recording in corpus.recordings} == {name}
    others = [file for file, meaning in LAYOUTS[name].items() if not meaning and "/._" not in file]
    assert corpus.skipped.total() == len(others)


@pytest.mark.parametrize("name", [*LAYOUTS, "iemocap"])
def test_another_folder_is_refused(tmp_path: Path, name: str):
    lay_out(tmp_path, {"music/song.wav": None})
    with pytest.raises(InputError, match=r"is not (the corpus|IEMOCAP)"):
        read_corpus(name, tmp_path)


def test_every_reader_is_tested():
    assert set(READERS) == {*LAYOUTS, "iemocap"}


EVALUATION = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
C-F1:\tNeutral; Anger;\t(curious)
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M000\texc\t[3.5000, 2.5000, 2.5000]
C-E2:\tHappiness; Excited;\t()

[14.8872 - 18.0175]\tSes01F_impro01_M001\txxx\t[2.5000, 2.5000, 2.5000]
C-E2:\tAnger; Frustration;\t()

[19.2900 - 20.7875]\tSes01F_impro01_F002\tang\t[2.5000, 2.5000, 2.5000]
"""


def iemocap(folder: Path) -> Path:
    for session, dialog in ((1, "Ses01F_impro01"), (5, "Ses05M_script01_1b")):
        evaluation = folder / f"Session{session}" / "dialog" / "EmoEvaluation"
        (evaluation / "Categorical").mkdir(parents=True)
        (evaluation / "Categorical" / f"{dialog}_e1_cat.txt").write_text("one annotator's own\n")
        text = EVALUATION.replace("Ses01F_impro01", dialog)
        (evaluation / f"{dialog}.txt").write_text(text)
        (evaluation / f"._{dialog}.txt").write_bytes(b"\x00\x05\x16\x07")
        turns = {
            f"Session{session}/sentences/wav/{dialog}/{dialog}_{turn}.wav": None for turn in ("F000", "M000", "F002")
        }
        lay_out(folder, turns)
        transcriptions = folder / f"Session{session}" / "dialog" / "transcriptions"
        transcriptions.mkdir()
        (transcriptions / f"{dialog}.txt").write_text(f"{dialog}_F000 [006.2901-008.2357]: Excuse me.\n")
    return folder


def test_iemocap(tmp_path: Path):
    folder = iemocap(tmp_path / "IEMOCAP full release")
    corpus = read_corpus("iemocap", folder)
    dialogs = (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01",
        "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b",
    )
    expected = {}
    for dialog, session in zip(dialogs, ("Ses01", "Ses05"), strict=True):
        turns = {"F000": ("F", "neutral"), "M000": ("M", "happy"), "F002": ("F", "angry")}
        expected |= {f"{dialog}_{turn}.wav": (session + letter, emotion) for turn, (letter, emotion) in turns.items()}
    assert found(corpus.recordings, folder) == expected
    assert corpus.skipped == {"without an emotion that the annotators agree on": 2}
    assert corpus.recordings[0].transcription == "Excuse me."
    next(folder.rglob("*_M000.wav")).unlink()
    with pytest.raises(InputError, match=r"M000\.wav is missing, though IEMOCAP's annotation names it"):
        read_corpus("iemocap", folder)


def test_table(table_corpus: Path, tmp_path: Path):
    for path in (table_corpus, table_corpus / "metadata.csv"):
        corpus = read_corpus("calls", path)
        assert Counter(r.label for r in corpus.recordings) == {"neutral": 4, "happy": 2, "sad": 2}
        assert {(r.corpus, r.speaker, r.transcription) for r in corpus.recordings} == {
            ("calls", "anna", "hello"),
            ("calls", "Jörg", "hello"),
        }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file_name,speaker\na.wav,anna\n", r"lacks the column\(s\) label"),
        ("file_name,speaker,emotion\na.wav,anna,sad\n", "lacks .* label; it has file_name, speaker, emotion"),
        ("file_name,speaker,label\na.wav,,sad\n", "metadata.csv, line 2: the row lacks speaker: a.wav, , sad"),
        ("file_name,speaker,label\n../secret.wav,anna,sad\n", r"line 2: \.\./secret\.wav leads out of"),
        ("file_name,speaker,label\nmissing.wav,anna,sad\n", r"missing\.wav is no file"),
        ("file_name,speaker,label\n", "names no recordings"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, table: str, message: str):
    lay_out(tmp_path, {"secret.wav": None, "corpus/a.wav": None})
    (tmp_path / "corpus" / "metadata.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        read_corpus("calls", tmp_path / "corpus")


def test_equal_names_in_two_corpora_do_not_collide(ravdess: Path, table_corpus: Path, tmp_path: Path):
    (tmp_path / "more").mkdir()
    more = write_table_corpus(tmp_path / "more", pitch=200)
    corpora = {"ravdess": str(ravdess), "calls": str(table_corpus), "more calls": str(more)}
    splits = build(tmp_path / "out", "simulated", corpora=corpora)
    names = [name for rows in splits.values() for name in rows["name"]]
    assert len(names) == len(set(names)) == 54 + 4 + 4


def test_the_same_audio_in_two_corpora_is_used_once(table_corpus: Path, ravdess: Path, tmp_path: Path, capsys):
    corpora = {"ravdess": str(ravdess), "calls": str(table_corpus), "copies": str(table_corpus)}
    splits = build(tmp_path / "out", "simulated", corpora=corpora | {"copies": str(table_corpus / "metadata.csv")})
    assert sum(map(len, splits.values())) == 54 + 4
    assert "copies: 0 recordings; left out: 8 same audio as another recording" in capsys.readouterr().err


def test_emovdb_is_64_bit_floats(tmp_path: Path):
    folder = tmp_path / "EmoV-DB"
    for emotion, name in (("Neutral", "neutral"), ("Amused", "amused")):
        (folder / f"bea_{emotion}").mkdir(parents=True)
        for number in range(1, 5):
            wave = voice(1.0, 150 + 10 * number + len(emotion), number)
            path = folder / f"bea_{emotion}" / f"{name}_1-28_000{number}.wav"
            soundfile.write(path, wave, 44_100, subtype="DOUBLE")
    splits = build(tmp_path / "out", "simulated", corpora={"emovdb": str(folder)})
    assert {s["label"] for rows in splits.values() for segments in rows["segments"] for s in segments} == {"happy"}


@pytest.mark.parametrize(
    ("name", "folder", "counts", "transcribed"),
    [
        ("ravdess", "RAVDESS", {"neutral": 96, "happy": 192, "sad": 192, "angry": 192}, "Kids are talking by the door"),
        ("nemo", "nEMO", {"neutral": 809, "happy": 749, "sad": 769, "angry": 749}, ""),
        ("emotion_tts_ko", "EmotionTTS-KO", {"neutral": 75, "happy": 75, "sad": 75, "angry": 75}, "하"),
    ],
)
def test_real_corpora(name: str, folder: str, counts: dict[str, int], transcribed: str):
    if not (REAL_DATA / folder).is_dir():
        pytest.skip(f"the corpus {name} is not at {REAL_DATA / folder}")
    corpus = read_corpus(name, REAL_DATA / folder)
    assert {e: n for e, n in Counter(r.label for r in corpus.recordings).items() if e in EMOTIONS} == counts
    assert any(transcribed in recording.transcription for recording in corpus.recordings)


def test_transcriptions_lie_beside_the_recordings_of_jl_corpus(tmp_path: Path):
    folder = lay_out(tmp_path, LAYOUTS["jl_corpus"])
    (folder / "JL(wav+txt)" / "male1_neutral_1a_1.txt").write_text("Tom beats that farmer\n")
    found = {r.path.stem: r.transcription for r in read_corpus("jl_corpus", folder).recordings}
    assert found == {"male1_neutral_1a_1": "Tom beats that farmer", "female1_angry_10a_1": "", "male2_excited_4b_2": ""}


def test_stereo_files_of_ravdess(ravdess: Path, tmp_path: Path):
    folder = tmp_path / "stereo"
    shutil.copytree(ravdess, folder)
    path = folder / "Actor_02" / "03-01-03-01-01-01-02.wav"
    mono, rate = soundfile.read(path)
    soundfile.write(path, np.stack([mono, mono], axis=1), rate)
    expected = {source.recording.path.name: source.speech for source in find_sources("ravdess", ravdess)}
    assert {source.recording.path.name: source.speech for source in find_sources("ravdess", folder)} == expected
