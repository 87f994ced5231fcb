"""Links that save a timeline as a file of any format; what they save is in the page, nothing stays on the server."""

from __future__ import annotations

import base64
from html import escape
from io import StringIO
from pathlib import Path

from ..annotations.annotation import Annotation
from ..annotations.files import FORMATS
from ..frames_sed import InputError
from .results import DiarizedRecording

NAMES = {"textgrid": "TextGrid", "audacity": "Audacity", "vtt": "WebVTT"}  # of the others, in capitals


def text_in_format(recording: DiarizedRecording, kind: str) -> str:
    """The timeline of a recording as the text of a file.

    Args:
        recording: to be written.
        kind: one of `FORMATS`.

    Raises:
        InputError: if the format cannot hold it.
    """
    # RTTM separates columns by spaces
    name = "_".join(recording.name.split()) if kind == "rttm" else recording.name
    content = StringIO()
    FORMATS[kind].write([Annotation(name, recording.segments, recording.duration)], content)
    return content.getvalue()


def download_links(recording: DiarizedRecording) -> str:
    """A link for each format, as HTML; formats that cannot hold the timeline say why."""
    links = []
    for kind, its in FORMATS.items():
        title = escape(NAMES.get(kind, kind.upper()))
        try:
            content = text_in_format(recording, kind)
        except InputError as error:
            links.append(f'<span title="{escape(str(error))}">{title}: cannot hold it</span>')
            continue
        file = escape(Path(recording.name).stem + its.suffixes[0])
        data = base64.b64encode(content.encode("utf-8")).decode("ascii")
        links.append(f'<a download="{file}" href="data:text/plain;charset=utf-8;base64,{data}">{title}</a>')
    return f'<nav class="downloads" aria-label="Download"><span>Download</span> {" ".join(links)}</nav>'
