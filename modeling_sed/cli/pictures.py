"""The pictures of --plot: what is drawn of a recording, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..frames_sed import InputError, import_library

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    from ..audio_sed import AudioInput
    from ..configuration_sed import SEDConfig
    from ..recordings.diarization import Result

ENDINGS = (".pdf", ".png", ".svg")


class Pictures:
    """The file or files of --plot. Several pictures are pages of a PDF; as PNG or SVG, they are numbered files.

    Open this before long work, since it finds out what would make that useless. Use it as a context, which completes a
    PDF.

    Args:
        path: as the user gave it; its ending says the format.

    Raises:
        InputError: if there is no such format or folder, or something else than a file is there.
        MissingLibraryError: if matplotlib is not installed.
    """

    def __init__(self, path: Path):
        if path.suffix.lower() not in ENDINGS:
            raise InputError(f"--plot {path}: a picture's name ends in {', '.join(ENDINGS)}.")
        if not path.parent.is_dir():
            raise InputError(f"--plot {path}: there is no folder {path.parent}; create it first.")
        if path.exists() and not path.is_file():
            raise InputError(f"--plot {path}: is there already, and is not a file.")
        import_library("matplotlib", "--plot", "matplotlib")
        self._path = path
        self._pages: PdfPages | None = None

    def add(self, figure: Figure, number: int, count: int) -> None:
        """Writes a picture.

        Args:
            figure: the picture.
            number: its place among all, from 1; those of recordings that fail stay empty.
            count: of all pictures. Of several, the seventh becomes ``name_007.png``.

        Raises:
            InputError: if it cannot be written.
        """
        try:
            if self._path.suffix.lower() == ".pdf":
                self._page_writer().savefig(figure)
            else:
                digits = max(3, len(str(count)))
                name = f"{self._path.stem}_{number:0{digits}d}{self._path.suffix}" if count > 1 else self._path.name
                figure.savefig(self._path.with_name(name))
        except OSError as error:
            raise InputError(f"--plot {self._path}: cannot be written ({error}).") from error

    def _page_writer(self) -> PdfPages:
        from matplotlib.backends.backend_pdf import PdfPages

        if self._pages is None:
            self._pages = PdfPages(self._path)
        return self._pages

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pages is not None:
            self._pages.close()


def draw_timeline(result: Result, audio: AudioInput, config: SEDConfig, max_duration: float) -> Figure:
    """The picture of a recording that was diarized, with its waveform, which is read block by block.

    Args:
        result: its timeline.
        audio: the recording, as `load_recording` takes it.
        config: of the model.
        max_duration: in seconds; longer recordings are refused.

    Raises:
        InputError: as `load_recording`.
    """
    from ..audio_sed import RecordingStream
    from ..evaluation.columns import thin_waveform
    from ..evaluation.plotting import plot_timeline

    waveform = thin_waveform(RecordingStream(audio, config.sampling_rate, max_duration))
    return plot_timeline({**result, "waveform": waveform}, config.labels, config.neutral_label)
