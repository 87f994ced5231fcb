"""Speech Emotion Diarization with Hugging Face models: which emotion appears when? (arXiv 2306.12991)

Importing this package costs nothing but makes its model and pipeline known to transformers, now or when transformers is
imported: `AutoConfig`, `AutoModelForAudioFrameClassification` and `pipeline("speech-emotion-diarization")` find them.
The names below are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .hub.registration import register_with_transformers

if TYPE_CHECKING:
    from .checkpoints.speechbrain import load_speechbrain
    from .configuration_sed import SEDConfig
    from .frames_sed import FrameGeometry, InputError, Segment
    from .hub.metric_modules import metric_path
    from .modeling_sed import SEDForAudioFrameClassification
    from .pipeline_sed import SpeechEmotionDiarizationPipeline
    from .training.collation import SEDDataCollator
    from .training.evaluation import eder_metrics

__all__ = [
    "TASK",
    "FrameGeometry",
    "InputError",
    "SEDConfig",
    "SEDDataCollator",
    "SEDForAudioFrameClassification",
    "Segment",
    "SpeechEmotionDiarizationPipeline",
    "eder_metrics",
    "load_speechbrain",
    "metric_path",
]

TASK = "speech-emotion-diarization"
_MODULES = {
    "FrameGeometry": "frames_sed",
    "InputError": "frames_sed",
    "SEDConfig": "configuration_sed",
    "SEDDataCollator": "training.collation",
    "SEDForAudioFrameClassification": "modeling_sed",
    "Segment": "frames_sed",
    "SpeechEmotionDiarizationPipeline": "pipeline_sed",
    "eder_metrics": "training.evaluation",
    "load_speechbrain": "checkpoints.speechbrain",
    "metric_path": "hub.metric_modules",
}

register_with_transformers()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
