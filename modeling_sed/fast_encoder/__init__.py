"""Faster computation of transformers' encoders, with the same parameters and, up to rounding, the same results.

Some modules of an encoder get another ``forward``; their parameters, their keys in the state dict and their classes do
not change. Where a published model is loaded without this package, the encoder runs transformers' code.
"""

from __future__ import annotations

from transformers import PreTrainedConfig, PreTrainedModel

from .convolutions import use_stretchwise_convolutions
from .wavlm_attention import use_blockwise_attention


def accelerate_encoder(encoder: PreTrainedModel, config: PreTrainedConfig) -> None:
    """Replaces the ``forward`` of an encoder's modules for which this folder has a faster one.

    Args:
        encoder: a wavlm, wav2vec2 or hubert model, which is changed.
        config: of the model that contains it; its ``attn_implementation`` applies.
    """
    use_blockwise_attention(encoder, config)
    use_stretchwise_convolutions(encoder)
