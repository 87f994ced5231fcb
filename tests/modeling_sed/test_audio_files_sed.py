"""Audio files of every container: as long as what was recorded, channel by channel, whatever the header says."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling_sed import InputError, audio_files_sed
from modeling_sed.audio_sed import RecordingStream, count_channels, load_channels, load_recording
from modeling_sed.frames_sed import InputWarning
from tests.modeling_sed.audio_containers import CONTAINERS, PITCHES, tones, write

RATE = 48_000
LOSSLESS = [kind for kind, (*_, delay) in CONTAINERS.items() if delay == 0]


@pytest.fixture(autouse=True)
def _no_warning_is_overlooked():
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        yield


def pitches(samples: np.ndarray, rate: int) -> list[int]:
    """The strongest frequency of each channel, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))[:, None], rate, axis=0))
    return spectrum.argmax(axis=0).tolist()


def file_of(folder: Path, kind: str, seconds: float = 1.0, channels: int = 1, **options: dict) -> Path:
    path = folder / f"recording.{CONTAINERS[kind][0]}"
    write(path, tones(seconds, channels), kind, **options)
    return path


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_is_heard_whole(kind: str, channels: int, tmp_path: Path):
    if kind == "mp3" and channels == 6:
        pytest.skip("mp3 has two channels at most")
    path = file_of(tmp_path, kind, 1.0, channels)
    samples, rate, _ = load_channels(path, 16_000)
    assert (rate, samples.shape[1], count_channels(path)) == (RATE, channels, channels)
    assert -0.003 <= len(samples) / rate - 1.0 <= CONTAINERS[kind][3]  # ffmpeg leaves out vorbis' first block
    assert kind not in LOSSLESS or len(samples) == rate
    middle = samples[rate // 4 : 3 * rate // 4]
    expected, found = list(PITCHES[:channels]), pitches(middle, rate)
    if kind == "ogg vorbis" and channels == 6:  # another order: the channel of low frequencies gets the highest tone
        expected, found = sorted(expected)[:-1], sorted(found)[1:]
    assert found == expected
    if kind in LOSSLESS:
        np.testing.assert_allclose(samples, tones(1.0, channels), atol=1e-4)  # 16 bits
    for same in (path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(load_channels(same, 16_000)[0], samples)


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("samples", [1, 100, 1_441, 48_001])
def test_every_length(kind: str, samples: int, tmp_path: Path):
    path = tmp_path / f"recording.{CONTAINERS[kind][0]}"
    write(path, tones(2.0)[:samples], kind)
    try:
        found = load_channels(path, 16_000)[0]
    except InputError as error:  # some encoders make nothing of a few samples
        assert samples < 2_000 and CONTAINERS[kind][3] and "not audio that can be decoded" in str(error)
    else:
        padding = 4 if kind == "w64" else 1_441 + RATE * CONTAINERS[kind][3]  # w64 fills up chunks to 8 bytes
        assert samples - 128 <= len(found) <= samples + padding
        assert kind not in LOSSLESS or kind == "w64" or len(found) == samples


@pytest.mark.parametrize("kind", CONTAINERS)
def test_ffmpeg_hears_the_same(kind: str, tmp_path: Path):
    if not shutil.which("ffmpeg"):
        pytest.skip("the ffmpeg program is not installed")
    path = file_of(tmp_path, kind, 2.0, 2)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    decoded = subprocess.run(command, capture_output=True, check=True).stdout
    expected = np.frombuffer(decoded, np.float32).reshape(-1, 2)
    found = load_channels(path, 16_000)[0]
    assert abs(len(found) - len(expected)) <= RATE * 0.05
    shared = min(len(found), len(expected))
    np.testing.assert_allclose(found[:shared], expected[:shared], atol=2e-3)


def test_chained_and_joined_files_are_heard_to_their_end(tmp_path: Path):
    for suffix, options in (("ogg", {}), ("mp3", {})):
        path = tmp_path / f"one.{suffix}"
        soundfile.write(path, tones(1.5), RATE, **options)
        (tmp_path / f"two.{suffix}").write_bytes(2 * path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)  # where they are joined, mp3 has a packet that is none
            duration = load_recording(tmp_path / f"two.{suffix}", 16_000).duration
        assert duration == pytest.approx(2 * load_recording(path, 16_000).duration, abs=0.1)


def test_the_clock_of_the_container_counts(tmp_path: Path):
    for kind in ("webm", "m4a", "mkv flac"):
        gap = file_of(tmp_path, kind, 4.0, pauses={2.0: 5.0})
        samples, rate, _ = load_channels(gap, 16_000)
        assert len(samples) / rate == pytest.approx(9.0, abs=0.1)
        silent = np.abs(samples[round(2.1 * rate) : round(6.9 * rate)])
        assert silent.max() < 0.01 and np.abs(samples[round(7.2 * rate) :]).max() > 0.2, kind
        late = file_of(tmp_path, kind, 2.0, pauses={0.0: 3.0})
        samples, rate, _ = load_channels(late, 16_000)
        if kind != "m4a":  # whose encoder moves the beginning to 0
            assert len(samples) / rate == pytest.approx(5.0, abs=0.1)
            assert np.abs(samples[: round(2.9 * rate)]).max() < 0.01


def test_a_clock_that_jumps_by_years_is_refused_at_once(tmp_path: Path):
    path = file_of(tmp_path, "mkv flac", 1.0, pauses={0.5: 3e6})
    with pytest.raises(InputError, match="longer than 86400 s"):
        for _ in RecordingStream(path, 16_000):
            pass


def wav(data: bytes, stated: int | None = None, after: bytes = b"") -> bytes:
    """Mono, 16 bits, 16 kHz; ``stated`` is the length that the header says."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    data = form + b"data" + struct.pack("<I", len(data) if stated is None else stated) + data + after
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"WAVE" + data


SPEECH = (3_000 * np.sin(np.arange(32_000) / 9)).astype("<i2").tobytes()  # 2 s


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_wav_that_was_streamed_does_not_know_its_length(stated: int, tmp_path: Path):
    (tmp_path / "call.wav").write_bytes(wav(SPEECH, stated))
    for audio in (tmp_path / "call.wav", wav(SPEECH, stated)):
        assert load_recording(audio, 16_000).duration == 2.0


def test_wav_with_a_wrong_length_is_not_read_in_silence():
    with pytest.warns(InputWarning, match=r"ends after 2.00 s; its header says 3.00 s"):
        assert load_recording(wav(SPEECH, 96_000), 16_000).duration == 2.0
    with pytest.warns(InputWarning, match=r"after the 1.00 s that its header speaks of, the file goes on"):
        assert load_recording(wav(SPEECH, 32_000), 16_000).duration == 1.0
    tags = b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert load_recording(wav(SPEECH, after=tags), 16_000).duration == 2.0  # further chunks are no surprise
    with pytest.raises(InputError, match="the recording is empty"):
        load_recording(wav(b"", after=tags), 16_000)
    with pytest.raises(InputError, match="the recording is empty"):  # cut after the header
        load_recording(wav(b"", 64_000), 16_000)


def test_flac_that_was_streamed_or_lies_about_its_length(tmp_path: Path):
    path = tmp_path / "call.flac"
    soundfile.write(path, tones(2.0), RATE)
    content = bytearray(path.read_bytes())
    stated = int.from_bytes(content[21:26], "big")  # 4 bits of the sample size, 36 of the number of samples
    assert stated & (2**36 - 1) == 2 * RATE
    content[21:26] = (stated & ~(2**36 - 1)).to_bytes(5, "big")
    assert load_recording(bytes(content), 16_000).duration == 2.0
    content[21:26] = (stated + RATE).to_bytes(5, "big")
    with pytest.warns(InputWarning, match=r"ends after 2.00 s; its header says 3.00 s"):
        assert load_recording(bytes(content), 16_000).duration == 2.0


def test_damage_in_the_middle_does_not_move_what_follows(tmp_path: Path):
    path = tmp_path / "call.flac"
    wave = tones(6.0)
    wave[: 5 * RATE] *= 0.01  # loud from 5 s on
    soundfile.write(path, wave, RATE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 4_000] = bytes(4_000)
    with pytest.warns(InputWarning, match="damaged in 1 place"):
        samples, rate, _ = load_channels(bytes(content), 16_000)
    assert len(samples) / rate == pytest.approx(6.0, abs=0.1)
    assert np.flatnonzero(np.abs(samples[:, 0]) > 0.1)[0] / rate == pytest.approx(5.0, abs=0.1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(CONTAINERS)), share=st.floats(0, 1), junk=st.booleans())
def test_a_file_cut_anywhere_is_heard_up_to_there_or_refused(kind: str, share: float, junk: bool, tmp_path: Path):
    path = file_of(tmp_path, kind, 1.0, 2)
    whole = load_channels(path, 16_000)[0]
    content = path.read_bytes()
    kept = content[: round(share * len(content))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        try:
            found = load_channels(kept + b"\x55" * 1_000 if junk else kept, 16_000)[0]
        except InputError as error:
            assert str(error).startswith("audio: ")
            return
    assert len(found) <= len(whole) + 0.3 * RATE  # junk after aac may sound
    if not junk and kind in LOSSLESS:
        shared = min(len(found), len(whole))
        np.testing.assert_allclose(found[:shared], whole[:shared], atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF",
        b"\x1aE\xdf\xa3" + bytes(100),
        b"OggS" + bytes(100),
    ],
)
def test_what_is_not_audio_is_refused(content: bytes):
    with pytest.raises(InputError, match="audio: not audio that can be"):
        load_recording(content, 16_000)


def test_a_video_without_sound_is_refused(tmp_path: Path):
    import av

    with av.open(str(tmp_path / "silent.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="has no audio in it"):
        load_recording(tmp_path / "silent.mkv", 16_000)


STREAM = """
import resource, sys
from modeling_sed.audio_sed import RecordingStream
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for block in (stream := RecordingStream(sys.argv[1], 16_000)):
    pass
print(stream.duration, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("kind", ["mp3", "m4a", "flac", "wav"])
def test_long_files_are_streamed(kind: str, tmp_path: Path):
    path = file_of(tmp_path, kind, 600.0)
    done = subprocess.run([sys.executable, "-c", STREAM, str(path)], capture_output=True, text=True, check=True)
    duration, mebibytes = map(float, done.stdout.split())
    assert duration == pytest.approx(600.0, abs=0.1) and mebibytes < 100  # the samples alone take 110


def test_many_channels_at_a_high_rate_take_no_more_memory(tmp_path: Path):
    """A file of a few kilobytes, whose samples take 240 MiB as floats."""
    import av

    rate, seconds = 655_350, 12
    with av.open(str(tmp_path / "wide.flac"), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="7.1", options={"strict": "-2"})
        for second in range(seconds):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8 * rate), np.int16), format="s16", layout="7.1")
            frame.sample_rate, frame.pts = rate, second * rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert (tmp_path / "wide.flac").stat().st_size < 2**16
    command = [sys.executable, "-c", STREAM, str(tmp_path / "wide.flac")]
    duration, mebibytes = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert duration == seconds and mebibytes < 100


@pytest.mark.parametrize("kind", ["mp3", "aac", "ogg opus", "webm", "flac"])
def test_damage_moves_nothing_or_is_said_to(kind: str, tmp_path: Path):
    """A tone from 5 to 6 s, and noise instead of a third of the first five seconds' bytes."""
    wave = 0.01 * np.random.default_rng(0).standard_normal((8 * RATE, 1)).astype(np.float32)
    wave[5 * RATE : 6 * RATE] += tones(1.0)
    path = tmp_path / f"call.{CONTAINERS[kind][0]}"
    write(path, wave, kind)
    content = bytearray(path.read_bytes())
    first, last = len(content) // 4, len(content) // 2
    content[first:last] = np.random.default_rng(1).bytes(last - first)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        samples, rate, _ = load_channels(bytes(content), 16_000)
    message = " ".join(str(warning.message) for warning in caught)
    assert bool(message) == (kind != "webm")  # where a clock may stand still, nobody can tell damage from a pause
    turning = np.exp(-2j * np.pi * PITCHES[0] * np.arange(rate // 50) / rate)
    tone = np.abs(samples[: len(samples) // len(turning) * len(turning), 0].reshape(-1, len(turning)) @ turning)
    loud = np.convolve(tone > 0.1 * len(turning), np.ones(40), "valid") > 30  # of 0.8 s
    moved = abs(np.flatnonzero(loud)[0] / 50 - 5.0) > 0.3
    assert moved == (kind in ("mp3", "aac")) == ("times after them may be early" in message), message


def test_blocks_may_have_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for kind in ("m4a", "wav"):
        path = file_of(tmp_path, kind, 1.0, 2)
        whole = load_recording(path, 16_000).waveform
        for size in (1_000, 7_777, 50_000):
            monkeypatch.setattr(audio_files_sed, "BLOCK", size)
            np.testing.assert_array_equal(np.concatenate(list(RecordingStream(path, 16_000))), whole)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_a_pipe_is_heard_as_a_file(subtype: str):
    """With a header that does not know how long the recording will be."""
    file = io.BytesIO()
    soundfile.write(file, tones(1.0, 2), RATE, format="WAV", subtype=subtype)
    content = bytearray(file.getvalue())
    position = content.index(b"data") + 4
    content[4:8] = content[position : position + 4] = b"\xff" * 4
    reading, writing = os.pipe()
    writer = Thread(target=lambda: os.fdopen(writing, "wb").write(content))
    writer.start()
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        rate, blocks = audio_files_sed.open_pipe(pipe, "a pipe")
        found = np.concatenate(list(blocks))
    writer.join()
    file.seek(0)
    assert rate == RATE and found.dtype == np.float32
    np.testing.assert_allclose(found, soundfile.read(file, dtype="float32")[0], atol=1e-6)


def test_a_pipe_is_read_while_it_is_written():
    """What comes a second after the rest is not waited for: ffmpeg looks at the first 64 KiB."""
    file = io.BytesIO()
    soundfile.write(file, tones(2.0, 1), RATE, format="WAV")
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as end:
        writer = Thread(target=lambda: end.write(file.getvalue()[: 2 * RATE]))
        writer.start()
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            _, blocks = audio_files_sed.open_pipe(pipe, "a pipe")
            heard = 0
            while heard < 0.9 * RATE:  # the rest never comes
                heard += len(next(blocks))
        writer.join()


def test_a_pipe_without_audio_is_refused():
    for content in (b"", b"no audio"):
        with pytest.raises(InputError, match="a pipe: not audio"):
            audio_files_sed.open_pipe(io.BytesIO(content), "a pipe")
