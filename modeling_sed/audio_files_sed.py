"""Audio files -> blocks of samples: whole, at the times of the container's clock, and in bounded memory.

Files of plain samples (wav, aiff …) are read by soundfile, all others by PyAV, which brings ffmpeg's libraries along. A
file is as long as what can be decoded, whatever its header says, and what cannot be decoded is as silent as what was
not recorded. A `InputWarning` says where a file is not what it says.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import numpy as np
import soundfile

from .frames_sed import InputError, InputWarning, import_library

if TYPE_CHECKING:  # only needed for compressed files
    try:  # or transformers would ask for it wherever a model's code is downloaded
        import av
        from av.audio.frame import AudioFrame
    except ImportError:
        raise

BLOCK = 2**20  # values (samples times channels) that are decoded at a time
PROBED = 2**16  # bytes of a pipe that are waited for before it is heard; ffmpeg would wait for seconds
GAP = 0.05  # seconds by which the container's clock may differ from what was decoded
IMPOSSIBLE = 1e9  # seconds; what ffmpeg says when it knows nothing
EARLY = 0.2  # seconds by which a recording may be shorter than its header says, without a warning

PLAIN = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"caff", b".snd", b"dns.", b"NIST")  # how such files begin
CHUNKS: dict[bytes, tuple[Literal["little", "big"], bytes]] = {  # order of bytes, and the chunk of the samples
    b"RIFF": ("little", b"data"),
    b"RIFX": ("big", b"data"),
    b"FORM": ("big", b"SSND"),
}
CLOCKED = ("matroska", "mov")  # ffmpeg's names of containers whose clock begins at 0; others begin with the audio
TIMED = (*CLOCKED, "flac", "ogg", "mpeg", "asf", "flv")  # those that know the time of what follows a damage
FORMATS = (  # none of those of ffmpeg's that name further files or addresses
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,oma,tta,voc,w64,wav,wv"
)


def open_file(file: Path | IO[bytes], name: str) -> tuple[int, Iterator[np.ndarray]]:
    """Opens an audio file.

    Args:
        file: a path, or what can be read and rewound like a file.
        name: what to call it in messages.

    Returns:
        Sampling rate in Hz, and blocks ``(samples, channels)`` of floats.

    Raises:
        InputError: if it is empty or not audio, or a library is missing.
        OSError: if it does not exist or cannot be read.
    """
    if isinstance(file, Path) and not str(file).isprintable():  # the libraries take names in UTF-8 only
        file = file.open("rb")  # closed with its last reference
    beginning, size = _look_into(file)
    if not size:
        raise InputError(f"{name}: the file is empty.")
    is_plain = beginning[:4] in PLAIN and (beginning[:4] != b"RIFF" or beginning[8:12] == b"WAVE")
    declared = _declared_share(file, beginning, size) if is_plain else None
    if declared is not None:
        try:
            return _open_plain(file, declared, name)
        except (soundfile.LibsndfileError, TypeError):  # samples that libsndfile does not know
            _look_into(file)  # rewinds
    return _open_compressed(file, beginning, name)


def open_pipe(file: IO[bytes], name: str) -> tuple[int, Generator[np.ndarray, None, None]]:
    """Opens audio that is read while it is made, in any format that can be heard from its beginning.

    Args:
        file: open for reading, unbuffered; it is not rewound.
        name: what to call it in messages.

    Returns:
        Sampling rate in Hz, and blocks ``(samples, channels)`` of floats, as short as the format has them.

    Raises:
        InputError: if it is empty or not audio, or a library is missing.
    """
    pipe = _Pipe(file)
    try:
        _, rate, pieces = _decode(pipe, name)
    finally:
        pipe.check()

    def blocks() -> Generator[np.ndarray, None, None]:
        yield from map(_as_floats, pieces)
        pipe.check()

    return rate, blocks()


def stated_duration(path: Path) -> float | None:
    """Seconds that a file lasts by its header; None if that does not say, or it is no file that can be read."""
    av = import_library("av", f"{path}: reading files of this format", "av")
    try:
        if not path.is_file():  # ffmpeg would wait for a pipe, and ask a network for addresses
            return None
        with av.open(str(path.absolute()), options={"format_whitelist": FORMATS}) as container:
            return container.duration and container.duration / av.time_base
    except (OSError, ValueError):  # of names, too
        return None


class _Pipe:
    """A file that is at its end when an exception interrupts reading, a KeyboardInterrupt too: PyAV loses it."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            return b"" if self._error else self._file.read(size)
        except BaseException as error:
            self._error = error
            return b""

    def check(self) -> None:
        """Raises what interrupted reading."""
        if self._error:
            raise self._error


def _look_into(file: Path | IO[bytes]) -> tuple[bytes, int]:
    """The first bytes of a file, which is at its beginning then, and its size."""
    if isinstance(file, Path):
        with file.open("rb") as content:
            return content.read(2**16), file.stat().st_size
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    beginning = file.read(2**16)
    file.seek(0)
    return beginning, size


def _declared_share(file: Path | IO[bytes], beginning: bytes, size: int) -> float | None:
    """Bytes of samples that the header of a plain file says there are, as a share of those that are there.

    Above 1 the file was cut, below 1 it goes on after its samples with what is no chunk. None if the header does not
    say, as where somebody wrote to a pipe. Only the chunks of wav and aiff are looked at; the share is 1 for others.
    """
    if beginning[:4] not in CHUNKS:
        return 1.0
    order, wanted = CHUNKS[beginning[:4]]
    position = 12
    while position + 8 <= len(beginning):
        length = int.from_bytes(beginning[position + 4 : position + 8], order)
        available = size - position - 8
        if not available:  # cut before the first sample
            return 1.0
        if beginning[position : position + 4] != wanted:
            position += 8 + length + length % 2
            continue
        ends = position + 8 + length
        follows = _read_at(file, ends + length % 2, 8)
        is_followed = len(follows) < 8 or (follows[:4].isascii() and follows[:4].decode().isprintable())
        if length >= 2**31 - 2**16 or (length == 0 and available and not (len(follows) == 8 and is_followed)):
            return None
        return length / available if length > available or not is_followed else 1.0
    return 1.0


def _read_at(file: Path | IO[bytes], position: int, size: int) -> bytes:
    if isinstance(file, Path):
        with file.open("rb") as opened:
            opened.seek(position)
            return opened.read(size)
    file.seek(position)
    content = file.read(size)
    file.seek(0)
    return content


def _open_plain(file: Path | IO[bytes], declared: float, name: str) -> tuple[int, Iterator[np.ndarray]]:
    sound = soundfile.SoundFile(file)
    if declared < 1:
        _warn(f"{name}: after the {sound.frames / sound.samplerate:.2f} s that its header speaks of, the file goes on.")
    return sound.samplerate, _read_plain(sound, declared, name)


def _read_plain(sound: soundfile.SoundFile, declared: float, name: str) -> Iterator[np.ndarray]:
    size, read = max(BLOCK // sound.channels, 1), 0
    with sound:
        try:
            # not `sound.blocks`: where a file ends early, that goes on with what is left in its buffer
            while len(samples := sound.read(size, dtype="float32", always_2d=True)):
                read += len(samples)
                yield samples
        except soundfile.LibsndfileError as error:
            _warn(f"{name}: damaged after {read / sound.samplerate:.2f} s ({error.error_string.strip()}).")
        if declared > 1 or read < sound.frames:
            said = max(declared * read, sound.frames) / sound.samplerate
            _warn(f"{name}: ends after {read / sound.samplerate:.2f} s; its header says {said:.2f} s.")


def _open_compressed(file: Path | IO[bytes], beginning: bytes, name: str) -> tuple[int, Iterator[np.ndarray]]:
    frames, rate, pieces = _decode(file, name)
    if frames.format == "mp3" and b"Xing" not in beginning and b"Info" not in beginning:
        frames.said = None  # only guessed from the size of the file
    return rate, _in_blocks(pieces, rate, frames, name)


def _decode(file: Path | IO[bytes] | _Pipe, name: str) -> tuple[_Frames, int, Iterator[np.ndarray]]:
    """The frames of a file, its sampling rate, and the values ``(samples, channels)`` of the frames."""
    av = import_library("av", f"{name}: reading files of this format", "av")
    try:
        options = {"format_whitelist": FORMATS, **({"probesize": str(PROBED)} if isinstance(file, _Pipe) else {})}
        # an absolute path, for a name may look like an address: "concat:a.wav"
        container = av.open(str(file.absolute()) if isinstance(file, Path) else file, options=options)
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: not audio that can be read ({reason}).") from error
    if not container.streams.audio:
        raise InputError(f"{name}: has no audio in it.")
    if container.streams.audio[0].codec_context is None:
        raise InputError(f"{name}: its audio is encoded in a way that ffmpeg does not know.")
    frames = _Frames(container, av.FFmpegError)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{name}: not audio that can be decoded.")
    return frames, first.rate, _on_the_clock(first, frames, av.AudioResampler)


class _Frames:
    """The decoded frames of a container's first audio stream.

    Attributes:
        format: of the container, ffmpeg's name.
        said: duration in seconds, as the container says; None if it does not.
        has_clock: whether it may say that nothing was recorded for a while.
        damaged: number of places so far that could not be decoded.
    """

    def __init__(self, container: av.container.InputContainer, error: type[Exception]):
        (self._stream, *_), self.damaged = container.streams.audio, 0
        self.format = container.format.name
        self.has_clock = self.format.startswith(CLOCKED)
        said = (self._stream.duration or 0) * (self._stream.time_base or 0)
        self.said = float(said) if 0 < said < IMPOSSIBLE else None
        if self._stream.codec_context.name == "flac":  # it would decode noise, too, although it could know
            self._stream.codec_context.options = {"err_detect": "crccheck+explode"}
        self._container, self._iterator = container, self._decode()
        self._errors = (error, IndexError)  # where a stream begins that the container has not spoken of

    def __iter__(self) -> Iterator[AudioFrame]:
        return self

    def __next__(self) -> AudioFrame:
        return next(self._iterator)

    def _decode(self) -> Iterator[AudioFrame]:
        with self._container:
            packets = self._container.demux(self._stream)
            while True:
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                    yield from packet.decode()
                except self._errors:  # noqa: PERF203 - what follows may be whole
                    self.damaged += 1


def _on_the_clock(first: AudioFrame, frames: _Frames, resampler: type) -> Iterator[np.ndarray]:
    """The values ``(samples, channels)`` of frames, and silence where the clock goes on without any."""
    rate, channels, position = first.rate, len(first.layout.channels), 0
    known, converter = _form(first), None
    origin = 0.0 if frames.has_clock else first.time or 0.0
    for frame in chain([first], frames):
        if frame.time is not None:
            missing = round((frame.time - origin) * rate) - position
            if missing < -GAP * rate:  # the clock begins anew, as where files were joined
                origin = frame.time - position / rate
            frames.damaged += missing > GAP * rate and not frames.has_clock
            while missing > GAP * rate:
                count = min(missing, max(BLOCK // channels, 1))
                yield np.zeros((count, channels), np.float32)
                position, missing = position + count, missing - count
        if _form(frame) != known:  # it changes in the middle
            known = _form(frame)
            converter = None if known == _form(first) else resampler(first.format, first.layout, rate)
        for converted in converter.resample(frame) if converter else [frame]:
            values = converted.to_ndarray()
            values = values.T if converted.format.is_planar else values.reshape(-1, channels)
            position += len(values)
            yield values


def _form(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.rate


def _in_blocks(pieces: Iterator[np.ndarray], rate: int, frames: _Frames, name: str) -> Iterator[np.ndarray]:
    """Joins pieces to blocks of floats; at the end, says what was wrong with the file."""
    waiting: list[np.ndarray] = []
    values = read = 0
    for piece in pieces:
        if waiting and (values >= BLOCK or piece.dtype != waiting[0].dtype):  # silence is of floats already
            yield _as_floats(np.concatenate(waiting))
            waiting, values = [], 0
        waiting.append(piece)
        values, read = values + piece.size, read + len(piece)
    if waiting:
        yield _as_floats(np.concatenate(waiting))
    damage = ""
    if frames.damaged:
        damage = f"damaged in {frames.damaged} place(s), which are left out or silent"
        if not frames.format.startswith(TIMED):
            damage += "; times after them may be early"
    if frames.said and frames.said - read / rate > EARLY:
        end = f"ends after {read / rate:.2f} s; its header says {frames.said:.2f} s"
        _warn(f"{name}: {end}.{damage and f' It is {damage}.'}")
    elif damage:
        _warn(f"{name}: {damage}.")


def _as_floats(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    samples = np.multiply(values, 2.0 ** (1 - 8 * values.dtype.itemsize), dtype=np.float32)
    return samples - np.float32(1) if values.dtype.kind == "u" else samples


def _warn(message: str) -> None:
    warnings.warn(message, InputWarning, stacklevel=2)
