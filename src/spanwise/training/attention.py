"""Causal attention for training on CPUs, where torch's fused kernel is slower than its matrix products.

Queries are cut into blocks, each of which meets only the keys that it may see, and packed rows meet only themselves. A
training step of a small model over rows of 900 tokens takes three quarters of the time; ``benchmarks/training.py``
measures it.

Shape suffixes: B rows, H heads, G key heads (each serves H / G heads), T tokens, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "spanwise_blocks"

#: Queries that go together: long enough for the matrix products, short enough to skip most of what is masked.
_BLOCK = 256


def attention_in_blocks(
    module: nn.Module,
    query_BHTD: Tensor,
    key_BGTD: Tensor,
    value_BGTD: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: Tensor | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Causal attention, [B, T, H, D], in the form that ``transformers`` calls it.

    Whatever is not plain causal attention over whole rows (an explicit mask, cached keys, dropout) is left to torch.

    Args:
        cu_seq_lens_q: Where packed rows begin, and the last one ends, int32 [R + 1].
    """
    T, D = query_BHTD.shape[2:]
    if attention_mask is not None or key_BGTD.shape[2] != T or (dropout and cu_seq_lens_q is None):
        return sdpa_attention_forward(
            module, query_BHTD, key_BGTD, value_BGTD, attention_mask, dropout=dropout, scaling=scaling, **others
        )
    scale = D**-0.5 if scaling is None else scaling
    lengths = [T] if cu_seq_lens_q is None else cu_seq_lens_q.diff().tolist()
    parts = (whole.split(lengths, dim=2) for whole in (query_BHTD, key_BGTD, value_BGTD))
    rows = [
        nn.functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=True, scale=scale, enable_gqa=True
        )
        if dropout
        else _of_row(query, key, value, scale)
        for query, key, value in zip(*parts, strict=True)
    ]
    return torch.cat(rows, dim=2).transpose(1, 2), None


def _of_row(query_BHTD: Tensor, key_BGTD: Tensor, value_BGTD: Tensor, scale: float) -> Tensor:
    B, H, T, D = query_BHTD.shape
    G = key_BGTD.shape[1]
    query = query_BHTD.reshape(B * G, H // G, T, D)
    key, value = key_BGTD.reshape(B * G, T, D), value_BGTD.reshape(B * G, T, D)
    blocks = []
    for start, part in zip(range(0, T, _BLOCK), query.split(_BLOCK, dim=2), strict=True):
        end = start + part.shape[2]
        future = torch.full((end - start, end), -torch.inf, dtype=query.dtype, device=query.device).triu(1 + start)
        rows = part.reshape(B * G, -1, D)
        scores = torch.baddbmm(future.repeat(H // G, 1), rows, key[:, :end].transpose(1, 2), alpha=scale)
        blocks.append((torch.softmax(scores, dim=-1) @ value[:, :end]).view(B, H, end - start, D))
    return torch.cat(blocks, dim=2)


def _mask(*sizes: Any, attention_mask: Tensor | None = None, local_size: int | None = None, **others: Any) -> Any:
    """No mask for plain causal attention, packed or not; torch's for whatever sees less."""
    if attention_mask is None and local_size is None:
        return None
    return sdpa_mask(*sizes, attention_mask=attention_mask, local_size=local_size, **others)


AttentionInterface.register(NAME, attention_in_blocks)
AttentionMaskInterface.register(NAME, _mask)


def packs(model: PreTrainedModel) -> bool:
    """Whether a model computes packed rows apart at no cost: with :func:`fast_attention`, or by FlashAttention."""
    settings = model.config.get_text_config()
    everywhere = "full_attention" if getattr(settings, "sliding_window", None) is None else "sliding_attention"
    if set(getattr(settings, "layer_types", None) or [everywhere]) != {"full_attention"}:
        return False
    name = model.config._attn_implementation or ""
    return "flash_attention" in name or name == NAME or (name == "sdpa" and model.device.type == "cpu")


@contextmanager
def fast_attention(*models: PreTrainedModel) -> Iterator[None]:
    """Has models that are on a CPU, and use torch's attention, compute in blocks for a while."""
    changed = [model for model in models if model.device.type == "cpu" and model.config._attn_implementation == "sdpa"]
    for model in changed:
        model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        for model in changed:
            model.set_attn_implementation("sdpa")
