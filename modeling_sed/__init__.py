"""Speech Emotion Diarization with Hugging Face models: which emotion appears when? (arXiv 2306.12991)

Importing this package makes its model and pipeline known to transformers: `AutoConfig`,
`AutoModelForAudioFrameClassification` and `pipeline("speech-emotion-diarization")` find them.
"""

from transformers import AutoConfig, AutoModelForAudioFrameClassification
from transformers.pipelines import PIPELINE_REGISTRY

from .configuration_sed import SEDConfig
from .convert_speechbrain import load_speechbrain
from .frames_sed import FrameGeometry
from .modeling_sed import SEDForAudioFrameClassification
from .pipeline_sed import SpeechEmotionDiarizationPipeline

__all__ = [
    "FrameGeometry",
    "SEDConfig",
    "SEDForAudioFrameClassification",
    "SpeechEmotionDiarizationPipeline",
    "load_speechbrain",
]

TASK = "speech-emotion-diarization"

AutoConfig.register(SEDConfig.model_type, SEDConfig)
AutoModelForAudioFrameClassification.register(SEDConfig, SEDForAudioFrameClassification)
PIPELINE_REGISTRY.register_pipeline(
    TASK,
    pipeline_class=SpeechEmotionDiarizationPipeline,
    pt_model=AutoModelForAudioFrameClassification,
    type="audio",
)
# what is saved from here on carries the code that loads it (`trust_remote_code=True`) where this package is missing
SEDConfig.register_for_auto_class()
SEDForAudioFrameClassification.register_for_auto_class("AutoModelForAudioFrameClassification")
