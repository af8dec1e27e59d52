"""Planned batches as padded tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.types import SpanKind


class PlannedBatches(Dataset):
    """The batches of a plan, in its order: an item is a batch, so whatever shards items shards whole batches."""

    def __init__(self, rows: Sequence[TokenizedTrajectory], plan: Sequence[Sequence[int]]) -> None:
        self.rows, self.plan = rows, plan

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return collate([self.rows[row] for row in self.plan[index]])


def collate(rows: Sequence[TokenizedTrajectory]) -> dict[str, Tensor]:
    """Right-padded tensors of a batch.

    Returns:
        ``input_ids``, ``target_ids`` int64, ``kind`` int8 (padding is CONTEXT), ``span_length`` int32 (tokens of the
        span that a target belongs to; 1 at padding), ``valid`` bool (False at padding): all [B, T].
    """
    shape = (len(rows), max(map(len, rows)))
    batch = {
        "input_ids": torch.zeros(shape, dtype=torch.int64),
        "target_ids": torch.zeros(shape, dtype=torch.int64),
        "kind": torch.full(shape, int(SpanKind.CONTEXT), dtype=torch.int8),
        "span_length": torch.ones(shape, dtype=torch.int32),
        "valid": torch.zeros(shape, dtype=torch.bool),
    }
    for index, row in enumerate(rows):
        end = len(row)
        batch["input_ids"][index, :end] = torch.from_numpy(row.input_ids)
        batch["target_ids"][index, :end] = torch.from_numpy(row.target_ids)
        batch["kind"][index, :end] = torch.from_numpy(row.kind)
        batch["span_length"][index, :end] = torch.from_numpy(span_lengths(row))
        batch["valid"][index, :end] = True
    return batch


def span_lengths(row: TokenizedTrajectory) -> np.ndarray:
    """Tokens of the span that each target belongs to, int32 [T]; a span ends where kind or step change."""
    borders = np.flatnonzero((np.diff(row.kind) != 0) | (np.diff(row.step) != 0)) + 1
    sizes = np.diff(np.concatenate([[0], borders, [len(row)]]))
    return np.repeat(sizes, sizes).astype(np.int32)
