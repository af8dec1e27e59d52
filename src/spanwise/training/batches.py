"""Planned batches as tensors: rows padded to the longest, or packed one after the other.

Packed rows are one row for the model, with positions that begin anew and attention that ends at their borders; what is
asked of a batch (which positions, which kinds) reads the same for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.training.views import View, plain_view
from spanwise.types import SpanKind


class PlannedBatches(Dataset):
    """The batches of a plan, in its order: an item is a batch, so whatever shards items shards whole batches."""

    def __init__(
        self,
        rows: Sequence[TokenizedTrajectory],
        views: Sequence[View],
        plan: Sequence[Sequence[int]],
        packed: bool,
    ) -> None:
        self.rows, self.views, self.plan, self.packed = rows, views, plan, packed

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch = self.plan[index]
        return collate([self.rows[row] for row in batch], self.packed, [self.views[row] for row in batch])


def collate(
    rows: Sequence[TokenizedTrajectory], packed: bool = False, views: Sequence[View] | None = None
) -> dict[str, Tensor]:
    """Tensors of a batch of R rows: right-padded, [B, T] = [R, longest], or packed, [B, T] = [1, all tokens].

    Args:
        rows: What the models read.
        packed: How they lie.
        views: How the objective sees each; None: as they are.

    Returns:
        ``input_ids``, ``target_ids`` int64, ``kind`` int8 (padding is CONTEXT), ``span_length`` int32 (tokens of the
        span that a target belongs to; 1 at padding), ``weight`` fp32 (how much a target counts; 0 at padding),
        ``valid`` bool (False at padding): all [B, T]; ``keys`` int64 [R, 2], see :func:`row_key`. If packed also
        ``position_ids`` int64 [1, T] and ``borders`` int32 [R + 1].
    """
    views = [plain_view(row) for row in rows] if views is None else views
    shape = (1, sum(map(len, rows))) if packed else (len(rows), max(map(len, rows)))
    batch = {
        "input_ids": torch.zeros(shape, dtype=torch.int64),
        "target_ids": torch.zeros(shape, dtype=torch.int64),
        "kind": torch.full(shape, int(SpanKind.CONTEXT), dtype=torch.int8),
        "span_length": torch.ones(shape, dtype=torch.int32),
        "weight": torch.zeros(shape, dtype=torch.float32),
        "valid": torch.zeros(shape, dtype=torch.bool),
    }
    borders = np.cumsum([0, *map(len, rows)])
    for index, (row, view) in enumerate(zip(rows, views, strict=True)):
        place = (0, slice(borders[index], borders[index + 1])) if packed else (index, slice(0, len(row)))
        batch["input_ids"][place] = torch.from_numpy(row.input_ids)
        batch["target_ids"][place] = torch.from_numpy(row.target_ids)
        batch["kind"][place] = torch.from_numpy(view.kind)
        batch["span_length"][place] = torch.from_numpy(view.span_length)
        batch["weight"][place] = torch.from_numpy(view.weight)
        batch["valid"][place] = True
    if packed:
        batch["position_ids"] = torch.cat([torch.arange(len(row)) for row in rows])[None]
        batch["borders"] = torch.from_numpy(borders.astype(np.int32))
    batch["keys"] = torch.frombuffer(bytearray(b"".join(map(row_key, rows))), dtype=torch.int64).view(-1, 2)
    return batch


def model_inputs(batch: Mapping[str, Tensor]) -> dict[str, Any]:
    """What of a batch a model is called with, in the words of ``transformers``."""
    if "borders" not in batch:
        return {"input_ids": batch["input_ids"]}
    borders = batch["borders"]
    longest = int(borders.diff().max())
    return {
        "input_ids": batch["input_ids"],
        "position_ids": batch["position_ids"],
        "cu_seq_lens_q": borders,
        "cu_seq_lens_k": borders,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def row_key(row: TokenizedTrajectory) -> bytes:
    """What a teacher's signal of a row depends on, hashed, 16 bytes: the tokens read, and which are supervised."""
    supervised = np.flatnonzero(row.kind != SpanKind.CONTEXT)
    end = supervised[-1] + 1 if len(supervised) else 0
    content = row.input_ids[:end].astype("<i8").tobytes() + supervised.astype("<i8").tobytes()
    return hashlib.blake2b(content, digest_size=16).digest()
