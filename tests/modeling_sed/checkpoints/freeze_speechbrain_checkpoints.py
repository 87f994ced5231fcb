"""Writes the folder speechbrain_checkpoints: tiny checkpoints with random weights, and what SpeechBrain says with them.

    pip install speechbrain==1.1.0
    python -m tests.modeling_sed.checkpoints.freeze_speechbrain_checkpoints

The files are laid out as those that the authors released. ``expected.npz`` holds SpeechBrain's log posteriors
``(frames, labels)`` of `waveform`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).with_name("speechbrain_checkpoints")
ENCODERS = {  # name -> model type, normalisation of the convolutions, module and class of SpeechBrain
    "wavlm": ("wavlm", "layer", "wavlm.WavLM"),
    "wavlm_group": ("wavlm", "group", "wavlm.WavLM"),
    "wav2vec2": ("wav2vec2", "layer", "wav2vec2.Wav2Vec2"),
    "hubert": ("hubert", "layer", "hubert.HuBERT"),
}
SIZE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "conv_bias": True,
}
LABELS = ("n", "a", "h", "s")  # not the order of the paper: it must be read
HYPERPARAMETERS = """# Speech Emotion Diarization
wav2vec2_hub: {encoder}
pretrained_path: {folder}
window_length: 1 # win_len = 0.02 * 1 = 0.02s
stride: 1
encoder_dim: 16
out_n_neurons: 4

input_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False

wav2vec2: !new:speechbrain.integrations.huggingface.{lobe}
    source: !ref <wav2vec2_hub>
    output_norm: True
    freeze: True
    freeze_feature_extractor: True
    save_path: {folder}/save

avg_pool: !new:speechbrain.nnet.pooling.Pooling1d
    pool_type: "avg"
    kernel_size: !ref <window_length>
    stride: !ref <stride>
    ceil_mode: True

output_mlp: !new:speechbrain.nnet.linear.Linear
    input_size: !ref <encoder_dim>
    n_neurons: !ref <out_n_neurons>
    bias: False

log_softmax: !new:speechbrain.nnet.activations.Softmax
    apply_log: True

model: !new:torch.nn.ModuleList
    - [!ref <output_mlp>]

modules:
    input_norm: !ref <input_norm>
    wav2vec2: !ref <wav2vec2>
    output_mlp: !ref <output_mlp>

label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        wav2vec2: !ref <wav2vec2>
        model: !ref <model>
        label_encoder: !ref <label_encoder>
    paths:
        wav2vec2: !ref <pretrained_path>/wav2vec2.ckpt
        model: !ref <pretrained_path>/model.ckpt
        label_encoder: !ref <pretrained_path>/label_encoder.txt
"""


def waveform() -> np.ndarray:
    """1.5 s that change every quarter: tones, noise, near silence."""
    generator, time = np.random.default_rng(5), np.arange(4000) / 16_000
    parts = []
    for number in range(6):
        tone = sum(np.sin(2 * np.pi * (100 + 40 * number) * harmonic * time) / harmonic for harmonic in range(1, 9))
        noise = generator.standard_normal(4000)
        parts.append((0.2 * tone, 0.1 * noise, 0.002 * noise + 0.01)[number % 3])
    return np.concatenate(parts).astype(np.float32)


def write_checkpoint(folder: Path, model_type: str, norm: str, lobe: str) -> None:
    """A checkpoint whose weights make attention, positions and norms matter, and its encoder's configuration."""
    from transformers import AutoConfig, AutoModel, Wav2Vec2FeatureExtractor

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(len(str(folder.name)))
    stable = norm == "layer"
    config = AutoConfig.for_model(model_type, feat_extract_norm=norm, do_stable_layer_norm=stable, **SIZE)
    encoder = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            scale = 0.3 if parameter.dim() < 2 else 1.2 / parameter[0].numel() ** 0.5
            parameter.add_(scale * torch.randn(parameter.shape))
    torch.save({f"model.{name}": tensor for name, tensor in encoder.state_dict().items()}, folder / "wav2vec2.ckpt")
    torch.save({"0.w.weight": torch.randn(4, 16)}, folder / "model.ckpt")
    lines = [f"{label!r} => {index}" for index, label in enumerate(LABELS)]
    (folder / "label_encoder.txt").write_text("\n".join([*lines, "=" * 20, "'starting_index' => 0", ""]))
    config.save_pretrained(folder / "encoder")
    Wav2Vec2FeatureExtractor(do_normalize=stable, return_attention_mask=stable).save_pretrained(folder / "encoder")
    (folder / "hyperparams.yaml").write_text(
        HYPERPARAMETERS.format(encoder=folder / "encoder", folder=folder, lobe=lobe)
    )
    return encoder


def expected_log_posteriors(folder: Path, encoder: torch.nn.Module) -> np.ndarray:
    """What SpeechBrain computes."""
    from speechbrain.inference.diarization import Speech_Emotion_Diarization

    encoder.save_pretrained(folder / "encoder")  # SpeechBrain wants weights there, too, before it replaces them
    model = Speech_Emotion_Diarization.from_hparams(source=str(folder), savedir=str(folder / "save"))
    with torch.no_grad():
        hidden = model.encode_batch(torch.from_numpy(waveform())[None], torch.ones(1))
        log_posteriors = model.hparams.log_softmax(model.mods.output_mlp(model.hparams.avg_pool(hidden)))[0].numpy()
    (folder / "encoder" / "model.safetensors").unlink()
    shutil.rmtree(folder / "save", ignore_errors=True)
    return log_posteriors


def main() -> None:
    """Makes all of them."""
    for name, (model_type, norm, lobe) in ENCODERS.items():
        folder = FOLDER / name
        encoder = write_checkpoint(folder, model_type, norm, lobe)
        np.savez_compressed(folder / "expected.npz", log_posteriors=expected_log_posteriors(folder, encoder))
        settings = (folder / "hyperparams.yaml").read_text()
        # as it is anywhere: the encoder's configuration lies beside
        (folder / "hyperparams.yaml").write_text(settings.replace(f"{folder}/", "").replace(str(folder), "."))


if __name__ == "__main__":
    main()
