"""Which emotion appears when? Record or upload speech."""

import gradio as gr
from transformers import pipeline

diarize = pipeline("speech-emotion-diarization", model="MODEL", trust_remote_code=True)


def timeline(path):
    """Rows of onset, offset (seconds), emotion and score."""
    return [[round(s["start"], 2), round(s["end"], 2), s["label"], round(s["score"], 2)] for s in diarize(path)]


gr.Interface(
    timeline,
    gr.Audio(type="filepath", label="recording"),
    gr.Dataframe(headers=["onset (s)", "offset (s)", "emotion", "score"], label="timeline"),
    title="Speech Emotion Diarization",
    description="Which emotion appears when? The model is MODEL.",
).launch()
