"""WavLM's gated relative position attention (arXiv 2110.13900, section 4), exact; for inference in linear memory.

What is added to the score of query ``q`` and key ``k`` is ``gate[q] * bias[k - q]``: a table of 2 frames - 1 numbers a
head, and a factor that depends on the query. transformers' implementation writes it out for every pair of frames, every
head and every utterance, and then averages the attention weights over the heads, although they are not used. Here

- heads and queries go through `scaled_dot_product_attention` in blocks, so that only one block of pairs is in memory at
  a time: many queries of few heads, since each head's block is a matrix product of its own;
- the keys are reversed in time. The index into the table is then a sum instead of a difference, so that a block is a
  view of the table in which each row begins one number after the row before; nothing is gathered;
- all blocks are written into the same buffer, since allocating memory takes longer than the multiplication.

With gradients there are no blocks, since autograd would keep all of them; nor with `torch.compile`, which would
recompile the loops for every length.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import PreTrainedConfig
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

QUERIES_AT_ONCE = 1024
PAIRS_OF_HEAD_AND_QUERY = 2048


def forward(
    self: WavLMAttention,
    hidden_states: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    position_bias: torch.Tensor | None = None,
    index: int = 0,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """Attention of one layer: `WavLMAttention.forward`, without the averaged attention weights.

    With ``attn_implementation="eager"`` of the model, transformers' code runs.

    Args:
        self: the layer's attention.
        hidden_states: ``(batch, frames, features)``.
        attention_mask: ``(batch, frames)``, 1 for frames and 0 for padding.
        position_bias: the table of the first layer ``(heads, 2 frames - 1)``, from the greatest distance to the least,
            which all layers share; None in the first one.
        index: of the layer.
        kwargs: not used.

    Returns:
        The output ``(batch, frames, features)``, None, and the table.
    """
    model_config: Any = self.model_config  # a PreTrainedConfig; for torch, a tensor or a module
    if model_config._attn_implementation == "eager":
        theirs: Any = type(self).forward  # its annotation takes the table for a tuple
        return theirs(self, hidden_states, attention_mask, position_bias, index=index, **kwargs)
    frames = hidden_states.shape[1]
    if position_bias is None:
        position_bias = position_table(self, frames)
    gates, (queries, keys, values) = position_gates(self, hidden_states), project_heads(self, hidden_states)
    keys, values = keys.flip(2), values.flip(2)
    sums = position_bias.as_strided((self.num_heads, frames, frames), (position_bias.stride(0), 1, 1))
    padding = None if attention_mask is None else attention_mask.ne(1).flip(1)[:, None, None, :]
    dropout = self.dropout if self.training else 0.0
    learning = torch.is_grad_enabled() and any(part.requires_grad for part in (queries, keys, values, gates, sums))
    if learning or torch.compiler.is_compiling():
        bias = gates * sums
        bias = bias if padding is None else bias.masked_fill(padding, -torch.inf)
        attended = scaled_dot_product_attention(queries, keys, values, attn_mask=bias, dropout_p=dropout)
    else:
        attended = _attend_in_blocks(queries, keys, values, gates, sums, padding, dropout)
    return merge_heads(self, attended), None, position_bias


def project_heads(attention: WavLMAttention, hidden_states: torch.Tensor) -> list[torch.Tensor]:
    """Queries, keys and values, ``(batch, heads, frames, features of a head)`` each."""
    shape = (*hidden_states.shape[:2], attention.num_heads, attention.head_dim)
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return [project(hidden_states).view(shape).transpose(1, 2) for project in projections]


def merge_heads(attention: WavLMAttention, attended: torch.Tensor) -> torch.Tensor:
    """``(batch, heads, frames, features of a head) -> (batch, frames, features)``, projected."""
    return attention.out_proj(attended.transpose(1, 2).flatten(2))


def position_table(attention: WavLMAttention, frames: int) -> torch.Tensor:
    """What each distance between key and query adds, from ``frames - 1`` down: ``(heads, 2 frames - 1)``."""
    distances = torch.arange(frames - 1, -frames, -1, device=attention.rel_attn_embed.weight.device)
    return attention.rel_attn_embed(attention._relative_positions_bucket(distances)).t().contiguous()


def position_gates(attention: WavLMAttention, hidden_states: torch.Tensor) -> torch.Tensor:
    """Each query's factor of the table: ``(batch, heads, frames, 1)``."""
    batch, frames, _ = hidden_states.shape
    per_head = hidden_states.view(batch, frames, attention.num_heads, attention.head_dim).transpose(1, 2)
    projected = attention.gru_rel_pos_linear(per_head).view(batch, attention.num_heads, frames, 2, 4).sum(-1)
    reset, update = projected.sigmoid().chunk(2, dim=-1)
    return reset * (update * attention.gru_rel_pos_const - 1.0) + 2.0


def _attend_in_blocks(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    gates: torch.Tensor,
    sums: torch.Tensor,
    padding: torch.Tensor | None,
    dropout: float,
) -> torch.Tensor:
    """Attention ``(batch, heads, frames, features of a head)``, by blocks of heads and queries.

    Args:
        queries: ``(batch, heads, frames, features of a head)``, like keys and values, which are reversed in time.
        keys: see ``queries``.
        values: see ``queries``.
        gates: ``(batch, heads, frames, 1)``.
        sums: ``(heads, frames, frames)``, a view: entry ``q + k`` of the table for query ``q`` and reversed key ``k``.
        padding: boolean ``(batch, 1, 1, frames)``, by reversed key.
        dropout: probability that a weight is left out.
    """
    batch, heads, frames, _ = queries.shape
    rows = min(QUERIES_AT_ONCE, frames)
    heads_at_once = min(PAIRS_OF_HEAD_AND_QUERY // rows, heads)
    buffer = gates.new_empty(batch, heads_at_once, rows, frames)
    attended = torch.empty_like(queries)
    for some in _slices(heads, heads_at_once):
        for block in _slices(frames, rows):
            bias = buffer[:, : some.stop - some.start, : block.stop - block.start]
            torch.mul(gates[:, some, block], sums[some, block], out=bias)
            if padding is not None:
                bias.masked_fill_(padding, -torch.inf)
            attended[:, some, block] = scaled_dot_product_attention(
                queries[:, some, block], keys[:, some], values[:, some], attn_mask=bias, dropout_p=dropout
            )
    return attended


def _slices(length: int, step: int) -> list[slice]:
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]


def use_blockwise_attention(encoder: nn.Module, model_config: PreTrainedConfig) -> None:
    """Makes a WavLM encoder compute its attention blockwise; other encoders are not changed.

    Args:
        encoder: any encoder; its weights do not change.
        model_config: of the model that contains it; its ``attn_implementation`` applies.
    """
    for module in encoder.modules():
        if isinstance(module, WavLMAttention):
            module.model_config = model_config  # type: ignore[assignment]  # for torch, a tensor or a module
            module.forward = MethodType(forward, module)  # type: ignore[method-assign]  # on purpose
