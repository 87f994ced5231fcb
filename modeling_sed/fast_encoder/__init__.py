"""The same encoders, faster: other computations with the same parameters and, up to rounding, the same results.

A part of an encoder of transformers is given another ``forward`` of its own; parameters, keys and classes stay. A model
that was published without this package computes as transformers does.
"""

from __future__ import annotations

from transformers import PreTrainedConfig, PreTrainedModel

from .convolutions import use_stretchwise_convolutions
from .wavlm_attention import use_blockwise_attention


def accelerate_encoder(encoder: PreTrainedModel, config: PreTrainedConfig) -> None:
    """Lets an encoder compute by the methods of this folder where there is one for it.

    Args:
        encoder: a wavlm, wav2vec2 or hubert model, which is changed.
        config: of the model around it, whose ``attn_implementation`` counts.
    """
    use_blockwise_attention(encoder, config)
    use_stretchwise_convolutions(encoder)
