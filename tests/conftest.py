"""What several tests share: small models with random weights, and where real corpora may lie."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from modeling_sed import SEDConfig, SEDForAudioFrameClassification, SpeechEmotionDiarizationPipeline

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"

SMALL_ENCODER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
}

SMALL_FEATURE_ENCODERS = {  # of the families that take features
    "whisper": {
        "model_type": "whisper",
        "d_model": 32,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
    },
    "wav2vec2-bert": {
        "model_type": "wav2vec2-bert",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "conv_depthwise_kernel_size": 7,
        "layerdrop": 0.0,
        "apply_spec_augment": False,
    },
}


def small_model(
    model_type: str = "wavlm",
    feat_extract_norm: str = "layer",
    encoder_arguments: dict | None = None,
    **config_arguments,
) -> SEDForAudioFrameClassification:
    """A model with random weights that any test may change; its posteriors differ from frame to frame."""
    torch.manual_seed(0)
    encoder_config = SMALL_FEATURE_ENCODERS.get(model_type) or {
        "model_type": model_type,
        "feat_extract_norm": feat_extract_norm,
        "do_stable_layer_norm": feat_extract_norm == "layer",
        **SMALL_ENCODER,
    }
    encoder_config = encoder_config | (encoder_arguments or {})
    model = SEDForAudioFrameClassification(SEDConfig(encoder_config=encoder_config, **config_arguments))
    with torch.no_grad():
        model.classifier.weight.normal_(std=0.5)
    return model.eval()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model with its feature extractor, as training leaves it."""
    return save_model(small_model(), tmp_path_factory.mktemp("model"))


def save_model(model: SEDForAudioFrameClassification, folder: Path) -> Path:
    """Saves a model with the usual feature extractor of its encoder, as training leaves it."""
    feature_extractor = model.config.encoder_family.new_feature_extractor(model.config.encoder_config)
    SpeechEmotionDiarizationPipeline(model=model, feature_extractor=feature_extractor).save_pretrained(folder)
    return folder


@pytest.fixture
def real_ravdess() -> Path:
    """The real RAVDESS corpus, where it lies beside the repository."""
    folder = REAL_DATA / "RAVDESS"
    if not folder.is_dir():
        pytest.skip(f"the RAVDESS corpus is not at {folder}")
    return folder
