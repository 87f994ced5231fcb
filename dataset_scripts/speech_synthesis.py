"""Writes the `synthetic` corpus: emotional speech by a real speech synthesiser, without any download.

    python dataset_scripts/speech_synthesis.py DIR --speakers 24 --utterances 8 --seed 0

eSpeak NG, the synthesiser inside Praat (PyPI: praat-parselmouth, GPL-3.0, the extra `synthesis`), reads
neutral sentences; Praat's PSOLA and a few filters give them a voice and an emotion. Every speaker says the
same sentences in every emotion, so that words tell nothing. Emotions differ in what the literature found:

- Murray & Arnott 1993, Toward the simulation of emotion in synthetic speech.
- Banse & Scherer 1996, Acoustic profiles in vocal emotion expression.
- Burkhardt & Sendlmeier 2000, Verification of acoustical correlates of emotional speech.
- Schröder 2001, Emotional speech synthesis: a review.
- Juslin & Laukka 2003, Communication of emotions in vocal expression and music performance.

eSpeak NG carries state from one sentence to the next, so the same seed gives the same bytes only from a
fresh process: each speaker gets one. It runs this file as a script, so nothing of the project is imported.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

SAMPLING_RATE = 16_000  # Hz
SETTINGS_FILE = "synthetic_corpus.json"  # written first: what the folder will hold
METADATA_FILE = "metadata.csv"  # written last: the corpus is complete
METADATA_COLUMNS = ("file_name", "speaker", "label", "sex", "transcription")

SENTENCES = (
    "The delivery will arrive on Monday.",
    "The keys are lying on the table.",
    "They moved the meeting to the afternoon.",
    "My sister is coming home from work.",
    "The bag is standing under the window.",
    "We are going to the market in the morning.",
    "He put the newspaper back on the shelf.",
    "You can find the number in the book.",
    "I will call them again this evening.",
    "The neighbours are painting the door.",
)
VOICES = {
    "female": [f"Female{number}" for number in range(1, 6)],
    "male": [f"Male{number}" for number in range(1, 8)],
}
BASE_PITCH = {"female": (165.0, 235.0), "male": (90.0, 140.0)}  # Hz, range of the speakers' means
ACCENTS = ("English (America)", "English (Great Britain)", "English (Scotland)", "English (Lancaster)")


@dataclasses.dataclass(frozen=True)
class Delivery:
    """How an utterance is spoken; pitch, rate, tilt, breathiness, formants: relative to the speaker's."""

    pitch: float  # semitones, shift of the mean
    pitch_range: float  # factor on the excursions (in semitones) of the synthesiser's own contour
    pitch_slope: float  # semitones, from the first to the last sample
    final_pitch: float  # semitones, reached over the last 0.3 s: a fall or a rise
    rate: float  # factor on words a minute
    word_gap: float  # seconds of pause between words
    intensity: float  # dB
    intensity_range: float  # factor on the excursions (in dB) of the intensity contour
    tilt: float  # dB an octave, high-frequency energy
    breathiness: float  # dB, aspiration noise relative to the voice
    jitter: float  # semitones, standard deviation of the pitch from one 10 ms step to the next
    shimmer: float  # dB, the same for the amplitude
    formants: float  # factor on the formant frequencies


# The directions are those of the sources; the sizes are ours.
# Happy: high, widely varying pitch with rising contours, faster, louder, bright yet breathy; formants
#   raised by spread lips (Murray & Arnott; Burkhardt & Sendlmeier; Juslin & Laukka).
# Sad: low, narrow, falling pitch, slow with pauses, soft, little high-frequency energy, breathy, irregular
#   (Murray & Arnott; Banse & Scherer; Juslin & Laukka).
# Angry (hot anger): high pitch with abrupt changes, fast, loud with strong accents, much high-frequency
#   energy, rough (Murray & Arnott; Banse & Scherer; Schröder).
# fmt: off
DELIVERIES = {
    #                   pitch range slope final  rate   gap  inten. range tilt breath jitter shimmer formants
    "neutral": Delivery(0.0,  1.3, -2.0, -2.0,  1.00, 0.010,  0.0, 1.00,  0.0, -32.0, 0.08,  0.3,   1.00),
    "happy":   Delivery(7.0,  3.0,  1.0,  3.0,  1.12, 0.010,  4.0, 1.10,  1.5, -22.0, 0.06,  0.3,   1.10),
    "sad":     Delivery(-2.5, 0.6, -3.0, -2.0,  0.78, 0.060, -5.0, 0.85, -2.2, -18.0, 0.20,  0.7,   0.97),
    "angry":   Delivery(3.0,  2.0, -1.0, -4.0,  1.18, 0.005,  7.0, 1.30,  3.5, -34.0, 0.45,  1.5,   1.00),
}
# fmt: on
# Standard deviation between utterances of the same emotion in the same strength.
VARIABILITY = Delivery(0.8, 0.2, 0.8, 0.8, 0.05, 0.004, 1.5, 0.08, 0.6, 2.0, 0.02, 0.1, 0.01)
# Least value of each parameter: factors and deviations are never negative.
SMALLEST = Delivery(-12.0, 0.2, -12.0, -12.0, 0.5, 0.0, -20.0, 0.5, -6.0, -60.0, 0.0, 0.0, 0.8)
STRENGTH = (0.7, 1.15)  # an emotion's strength in an utterance: 0 is neutral, 1 is the table above
EMOTIONS = tuple(DELIVERIES)


@dataclasses.dataclass(frozen=True)
class Speaker:
    """A voice; everything that stays the same over a speaker's utterances."""

    name: str
    sex: str
    voice: str  # eSpeak NG's voice variant
    accent: str  # eSpeak NG's language
    pitch: float  # Hz, mean of neutral utterances
    formants: float  # factor on the variant's formant frequencies (above 1: a shorter vocal tract)
    words_per_minute: float
    tilt: float  # dB an octave
    breathiness: float  # dB
    noise: float  # dB, of the recording room, relative to the voice
    expressiveness: float  # factor on the strength of all emotions


def draw_speaker(index: int, seed: int) -> Speaker:
    """Returns speaker number `index` (from 0) of a seed; even ones are female."""
    rng, sex = np.random.default_rng([seed, index]), ("female", "male")[index % 2]
    return Speaker(
        name=f"{sex}{index // 2 + 1:02d}",
        sex=sex,
        voice=VOICES[sex][index // 2 % len(VOICES[sex])],
        accent=ACCENTS[rng.integers(len(ACCENTS))],
        pitch=rng.uniform(*BASE_PITCH[sex]),
        formants=rng.uniform(0.94, 1.06),
        words_per_minute=rng.uniform(150.0, 185.0),
        tilt=rng.uniform(-0.8, 0.8),
        breathiness=rng.uniform(-2.0, 2.0),
        noise=rng.uniform(-60.0, -45.0),
        expressiveness=rng.uniform(0.9, 1.1),
    )


def draw_delivery(emotion: str, speaker: Speaker, rng: np.random.Generator) -> Delivery:
    """Draws how a speaker says one utterance: the emotion at a random strength, and random variation."""
    neutral, target, variability, smallest = (
        np.array(dataclasses.astuple(delivery))
        for delivery in (DELIVERIES["neutral"], DELIVERIES[emotion], VARIABILITY, SMALLEST)
    )
    strength = speaker.expressiveness * rng.uniform(*STRENGTH)
    drawn = neutral + strength * (target - neutral) + variability * rng.standard_normal(len(neutral))
    return Delivery(*np.maximum(drawn, smallest).tolist())


def synthesize(text: str, speaker: Speaker, delivery: Delivery, rng: np.random.Generator) -> np.ndarray:
    """Speaks a text; (samples,) float64 at 16 kHz, below 1 in absolute value.

    Repeatable only as the n-th call of a process whose earlier calls were the same, see above.
    """
    sound = _speak(text, speaker, delivery)
    wave = _set_pitch_and_formants(sound, speaker, delivery, rng)
    wave = _tilt(wave, speaker.tilt + delivery.tilt, speaker.tilt + delivery.tilt)
    wave = _shape_amplitude(wave, delivery, rng)
    wave = _add_breath(wave, speaker.breathiness + delivery.breathiness, rng)
    wave /= np.sqrt(np.mean(wave**2))
    wave += 10 ** (speaker.noise / 20) * rng.standard_normal(len(wave))
    wave *= 10 ** ((delivery.intensity - 28.0) / 20)  # neutral speech: 28 dB below full scale
    return wave * min(1.0, 0.95 / np.abs(wave).max())


def _speak(text: str, speaker: Speaker, delivery: Delivery):
    """Returns a parselmouth.Sound at eSpeak NG's own sampling rate (22,050 Hz)."""
    from parselmouth.praat import call

    synthesizer = call("Create SpeechSynthesizer", speaker.accent, speaker.voice)
    words_per_minute = speaker.words_per_minute * delivery.rate
    call(synthesizer, "Speech output settings", 22_050, delivery.word_gap, 1.0, 1.0, words_per_minute, "IPA")
    return call(synthesizer, "To Sound", text, "no")[0]


def _set_pitch_and_formants(sound, speaker: Speaker, delivery: Delivery, rng: np.random.Generator):
    """Resynthesises by PSOLA, as Praat's "Change gender" does; returns (samples,) at 16 kHz.

    Played faster by a factor, a sound has its formants raised by it; PSOLA restores duration and pitch.
    """
    from parselmouth.praat import call, run

    formants = speaker.formants * delivery.formants
    call(sound, "Override sampling frequency", sound.sampling_frequency * formants)
    pitch = sound.to_pitch(time_step=0.01, pitch_floor=60.0, pitch_ceiling=500.0)
    manipulation = call([sound, pitch], "To Manipulation")
    hertz = pitch.to_matrix()  # (1, frames), 0 where unvoiced
    voiced = hertz.values[0] > 0
    contour = _pitch_contour(hertz.values[0, voiced], pitch.xs()[voiced], delivery)
    contour += delivery.jitter * rng.standard_normal(len(contour))
    hertz.values[0, voiced] = speaker.pitch * 2 ** (contour / 12)
    pitch_tier = call(call(hertz, "To Pitch"), "Down to PitchTier")
    call([manipulation, pitch_tier], "Replace pitch tier")
    duration_tier = call("Create DurationTier", "duration", sound.xmin, sound.xmax)
    call(duration_tier, "Add point", sound.xmin, formants)
    call([manipulation, duration_tier], "Replace duration tier")
    # PSOLA reads voiceless stretches at random places.
    run(f"random_initializeWithSeedUnsafelyButPredictably ({rng.integers(2**31)})")
    resynthesis = call(manipulation, "Get resynthesis (overlap-add)")
    return soxr.resample(resynthesis.values[0], resynthesis.sampling_frequency, SAMPLING_RATE)


def _pitch_contour(hertz: np.ndarray, times: np.ndarray, delivery: Delivery) -> np.ndarray:
    """Turns the synthesiser's contour (voiced frames at `times`, seconds) into semitones above the mean."""
    excursions = 12 * np.log2(hertz / np.median(hertz))
    position = (times - times[0]) / max(times[-1] - times[0], 1e-3)  # 0 to 1
    ending = np.clip((times - times[-1]) / 0.3 + 1, 0, 1)
    # Accents have a few semitones; octave errors of the analysis are larger.
    contour = delivery.pitch_range * np.clip(excursions, -5, 5)
    contour += delivery.pitch + delivery.pitch_slope * (position - 0.5) + delivery.final_pitch * ending
    return np.clip(contour, -14, 16)


def _tilt(wave: np.ndarray, below: float, above: float) -> np.ndarray:
    """Tilts the spectrum by so many dB an octave below 1 kHz (from 250 Hz) and above it; no delay."""
    size = 1 << len(wave).bit_length()  # a power of two: lengths with large prime factors are slow
    octaves = np.log2(np.clip(np.fft.rfftfreq(size, 1 / SAMPLING_RATE), 250, 8000) / 1000)
    gain = np.where(octaves < 0, below, above) * octaves
    return np.fft.irfft(np.fft.rfft(wave, size) * 10 ** (gain / 20), size)[: len(wave)]


def _envelope(wave: np.ndarray, seconds: float) -> np.ndarray:
    """Returns the root mean square over a sliding window, (samples,)."""
    width = round(seconds * SAMPLING_RATE)
    energy = np.cumsum(np.pad(wave**2, (width - width // 2, width // 2)))
    return np.sqrt(np.maximum(energy[width:] - energy[:-width], 1e-9) / width)


def _shape_amplitude(wave: np.ndarray, delivery: Delivery, rng: np.random.Generator) -> np.ndarray:
    """Widens or narrows the intensity contour and adds shimmer."""
    level = 20 * np.log10(_envelope(wave, 0.05) / np.sqrt(np.mean(wave**2)))
    gain = (delivery.intensity_range - 1) * np.clip(level, -12, 12)
    steps = np.arange(0, len(wave) + 160, 160)  # 10 ms
    shimmer = np.interp(np.arange(len(wave)), steps, delivery.shimmer * rng.standard_normal(len(steps)))
    return wave * 10 ** ((gain + shimmer) / 20)


def _add_breath(wave: np.ndarray, breathiness: float, rng: np.random.Generator) -> np.ndarray:
    """Adds aspiration noise (12 dB an octave less below 1 kHz) that follows the voice's amplitude."""
    noise = _tilt(rng.standard_normal(len(wave)), below=12.0, above=0.0)
    return wave + 10 ** (breathiness / 20) * _envelope(wave, 0.02) * noise


def utterances_of(speaker: Speaker, index: int, utterances: int) -> list[tuple[str, ...]]:
    """Returns a speaker's utterances, one row of the metadata each."""
    rows = []
    for number in range(utterances):
        text = SENTENCES[(index + number) % len(SENTENCES)]
        for emotion in EMOTIONS:
            file = f"{speaker.name}/{speaker.name}_{emotion}_{number + 1:03d}.wav"
            rows.append((file, speaker.name, emotion, speaker.sex, text))
    return rows


def write_speaker(output_dir: Path, index: int, utterances: int, seed: int) -> None:
    """Writes a speaker's folder, named when complete; to be called once in a process, see above."""
    speaker = draw_speaker(index, seed)
    partial = output_dir / f"{speaker.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for number, (file, _, emotion, _, text) in enumerate(utterances_of(speaker, index, utterances)):
        rng = np.random.default_rng([seed, index, 1 + number])
        wave = synthesize(text, speaker, draw_delivery(emotion, speaker, rng), rng)
        soundfile.write(partial / Path(file).name, wave, SAMPLING_RATE, subtype="PCM_16")
    partial.rename(output_dir / speaker.name)


def write_corpus(
    output_dir: str | Path,
    speakers: int = 24,
    utterances: int = 8,
    seed: int = 0,
    processes: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes `<speaker>/<speaker>_<emotion>_<number>.wav` (16 kHz, 16 bits, mono) and metadata.csv.

    Continues what an interrupted run left, and leaves a complete corpus as it is. Returns the folder.

    Args:
        output_dir: the folder; new, empty, or one that this function wrote before.
        speakers: number of speakers, female and male in turn.
        utterances: number of utterances of each speaker in each emotion.
        seed: another seed gives other speakers and deliveries; the same one gives the same bytes (on the
            same platform, with the same release of praat-parselmouth).
        processes: number of speakers made at a time; all cores by default.
        overwrite: replaces a corpus of other settings, which is otherwise an error.

    Raises:
        ValueError: an argument is out of range, or the folder holds something else.
        ImportError: praat-parselmouth is not installed.
        RuntimeError: a speaker could not be synthesised.
    """
    output_dir = Path(output_dir)
    if min(speakers, utterances) < 1 or seed < 0:
        raise ValueError(f"{speakers=} and {utterances=} must be at least 1, {seed=} at least 0")
    settings = {"speakers": speakers, "utterances": utterances, "seed": seed, "synthesizer": _fingerprint()}
    _prepare_folder(output_dir, settings, overwrite)
    if (output_dir / METADATA_FILE).exists():
        return output_dir

    voices = [draw_speaker(index, seed) for index in range(speakers)]
    missing = [index for index, voice in enumerate(voices) if not (output_dir / voice.name).exists()]
    _write_speakers(output_dir, missing, utterances, seed, processes or os.cpu_count() or 1)
    partial = output_dir / f"{METADATA_FILE}.partial"
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(METADATA_COLUMNS)
        for index, voice in enumerate(voices):
            writer.writerows(utterances_of(voice, index, utterances))
    partial.replace(output_dir / METADATA_FILE)
    return output_dir


def _fingerprint() -> str:
    """Identifies what decides the bytes besides the settings: the synthesiser's release and this file."""
    try:
        release = importlib.metadata.version("praat-parselmouth")
    except importlib.metadata.PackageNotFoundError:
        raise ImportError(
            "The synthetic corpus needs Praat's speech synthesiser (GPL-3.0): `pip install praat-parselmouth`."
        ) from None
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return f"praat-parselmouth {release}, source {source}"


def _prepare_folder(output_dir: Path, settings: dict, overwrite: bool) -> None:
    """Leaves a folder whose settings file holds `settings`; deletes only a corpus of its own making."""
    settings_file = output_dir / SETTINGS_FILE
    text = json.dumps(settings)
    if settings_file.exists():
        found = settings_file.read_text(encoding="utf-8")
        if found == text:
            return
        if not overwrite:
            raise ValueError(
                f"{output_dir} holds a synthetic corpus of other settings, {found} instead of {text}; "
                "choose another folder or overwrite it (--overwrite)"
            )
        shutil.rmtree(output_dir)
    elif output_dir.exists() and (output_dir.is_file() or any(output_dir.iterdir())):
        raise ValueError(f"{output_dir} is neither empty nor a synthetic corpus; choose another folder")
    output_dir.mkdir(parents=True, exist_ok=True)
    settings_file.write_text(text, encoding="utf-8")


def _write_speakers(output_dir: Path, indices: list[int], utterances: int, seed: int, processes: int) -> None:
    """Runs this file once for each speaker, several at a time."""

    def run(index: int) -> None:
        options = {"speaker-index": index, "utterances": utterances, "seed": seed}
        arguments = [str(output_dir), *(f"--{name}={value}" for name, value in options.items())]
        command = [sys.executable, str(Path(__file__).resolve()), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RuntimeError(f"the synthesis of speaker {index} failed:\n{result.stderr}")

    with ThreadPoolExecutor(processes) as pool:
        runs = [pool.submit(run, index) for index in indices]
        try:
            for finished in tqdm(as_completed(runs), "synthesising", total=len(runs), unit="speaker"):
                finished.result()
        finally:
            pool.shutdown(cancel_futures=True)


def main(arguments: list[str] | None = None) -> None:
    """The command line; exit code 0, 1 (the synthesis failed) or 2 (usage)."""
    parser = argparse.ArgumentParser(
        description="Writes a corpus of emotional speech, made by a speech synthesiser (needs no download).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("output_dir", type=Path, metavar="DIR", help="folder of the corpus")
    parser.add_argument("--speakers", type=int, default=24, help="number of speakers, half of each sex")
    parser.add_argument("--utterances", type=int, default=8, help="utterances a speaker and emotion")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="speakers made at a time")
    parser.add_argument("--overwrite", action="store_true", help="replace a corpus of other settings")
    # What write_corpus runs: one speaker alone, in a folder that is prepared.
    parser.add_argument("--speaker-index", type=int, help=argparse.SUPPRESS)
    options = vars(parser.parse_args(arguments))
    if (index := options.pop("speaker_index")) is not None:
        write_speaker(options["output_dir"], index, options["utterances"], options["seed"])
        return
    try:
        folder = write_corpus(**options)
    except ValueError as error:
        parser.error(str(error))
    except (ImportError, RuntimeError) as error:
        raise SystemExit(str(error)) from error
    print(f"{folder}: {options['speakers']} speakers, {options['utterances']} utterances an emotion")


if __name__ == "__main__":
    main()
