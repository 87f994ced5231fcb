"""The page as a gradio app: for `emotion-diarization app`, for Spaces, and as a tool for language models (MCP).

It asks nobody but its own server: no fonts, statistics or newer versions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ..annotations.files import BY_SUFFIX
from ..frames_sed import InputError, Segment
from .comparison import Comparison, compare
from .downloads import download_links
from .results import DiarizedRecording, diarize_file
from .timeline import comparison_html, message_html, summary_html, timeline_html
from .uploads import MAX_UPLOAD

if TYPE_CHECKING:  # importing it takes seconds
    from ..pipeline_sed import SpeechEmotionDiarizationPipeline

KEPT = 3600  # seconds that a visitor's recording and result are kept, at least
HERE = Path(__file__).parent
ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model"}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
NOT_FOR = (
    "Models learn from acted speech of few languages: what they find is a guess about a voice, not about what a person "
    "feels. It is not for judging people, and at work and in education the law of many countries forbids that."
)


def build_page(pipeline: SpeechEmotionDiarizationPipeline, model_name: str) -> gr.Blocks:
    """The page, to be given to `launch_page`.

    Args:
        pipeline: with the model.
        model_name: what visitors read of the model.
    """
    with gr.Blocks(title="Speech Emotion Diarization", analytics_enabled=False, delete_cache=(KEPT, KEPT)) as page:
        gr.HTML("<h1>Speech Emotion Diarization</h1><p>Which emotion appears when? Drop or record speech.</p>")
        recording = gr.Audio(
            sources=["upload", "microphone"],
            type="filepath",
            label="Recording",
            editable=False,
            buttons=[],
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),  # timeline.js needs an audio element
            elem_id="recording",
        )
        result = gr.HTML(elem_id="result")
        annotation = gr.File(
            label="Compare with an annotation",
            file_types=sorted(BY_SUFFIX),
            type="filepath",
            height=120,
            visible=False,
            elem_id="annotation",
        )
        comparison = gr.HTML(elem_id="comparison")
        gr.HTML(f"<p>Model: {escape(model_name)}.</p><p>{NOT_FOR}</p>", elem_classes="about")
        found = gr.State(time_to_live=KEPT)
        segments = gr.JSON(visible=False)
        show = partial(_show_result, pipeline)
        recording.change(show, recording, [result, found, annotation, comparison], **PRIVATE, **ONE_AT_A_TIME)
        annotation.change(_show_comparison, [annotation, found], [result, comparison], **PRIVATE, **ONE_AT_A_TIME)
        gr.on([], diarize_function(pipeline), recording, segments, api_name="diarize", **ONE_AT_A_TIME)
    return page


def diarize_function(pipeline: SpeechEmotionDiarizationPipeline) -> Callable[[str | None], list[Segment]]:
    """What other programs call, and language models are told of: its name, types and docstring are theirs to read."""

    def diarize(recording: str | None) -> list[Segment]:
        """Which emotion appears when? Finds the emotions of a recording of speech.

        Args:
            recording: an audio file with speech.

        Returns:
            Segments that tile the recording, in order: start and end in seconds, the emotion as label, and as score
            its mean posterior probability.
        """
        if recording is None:
            raise gr.Error("There is no recording.")
        try:
            return diarize_file(pipeline, Path(recording)).segments
        except InputError as error:
            raise gr.Error(str(error)) from error

    return diarize


def _show_result(pipeline: SpeechEmotionDiarizationPipeline, path: str | None) -> list[Any]:
    """Result, what a comparison needs, whether there can be one; whatever was compared before is gone."""
    failure = ""
    if path is not None:
        try:
            found = diarize_file(pipeline, Path(path))
        except InputError as error:
            failure = message_html(str(error))
        else:
            return [_result_html(found), found, gr.update(visible=True, value=None), ""]
    return [failure, None, gr.update(visible=False, value=None), ""]


def _show_comparison(path: str | None, recording: DiarizedRecording | None) -> list[Any]:
    """Result with the annotation's rows, and the rates."""
    if recording is None:  # the visitor has just removed it
        return [gr.skip(), ""]
    if path is None:
        return [_result_html(recording), ""]
    try:
        found = compare(recording, Path(path))
    except InputError as error:
        return [_result_html(recording), message_html(str(error))]
    return [_result_html(recording, found), comparison_html(recording, found)]


def _result_html(recording: DiarizedRecording, comparison: Comparison | None = None) -> str:
    notes = [*recording.notes, *(comparison.notes if comparison is not None else [])]
    messages = "".join(message_html(note, "warning") for note in notes)
    picture = timeline_html(recording, comparison)
    return f"{messages}{picture}{summary_html(recording, comparison)}{download_links(recording)}"


def launch_page(page: gr.Blocks, host: str | None = None, port: int | None = None, max_upload: int = MAX_UPLOAD) -> str:
    """Starts the server, in a thread of its own; ``page.block_thread()`` waits for its end.

    Args:
        page: from `build_page`.
        host: address that it listens at; None for loopback, or what a Space has set.
        port: None for the first one from 7860 that is free.
        max_upload: megabytes of a file, at most.

    Returns:
        The page's address.

    Raises:
        OSError: if the port is not free.
    """
    system, monospace = gr.themes.Font("system-ui"), gr.themes.Font("ui-monospace")
    theme = gr.themes.Default(
        font=[system, gr.themes.Font("sans-serif")], font_mono=[monospace, gr.themes.Font("monospace")]
    )
    script, style = ((HERE / name).read_text(encoding="utf-8") for name in ("timeline.js", "page.css"))
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        max_file_size=f"{max_upload}mb",
        mcp_server=find_spec("mcp") is not None,
        theme=theme,
        head=f"<style>{style}</style><script>{script}</script>",  # gradio rewrites what it gets as css
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        share=False,
        ssr_mode=False,
        pwa=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    return address
