"""How unsure the teacher is, token by token and of whole trajectories: what gates and the curriculum go by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from spanwise.data.batching import batches_of_similar_length
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.teacher.signal import Teacher
from spanwise.training.batches import collate
from spanwise.types import SpanKind

#: Positions looked at together: bounds the memory that a large vocabulary takes.
_CHUNK = 512


def summed_entropies(entropies: Sequence[np.ndarray]) -> np.ndarray:
    """The sum over each row's supervised positions, nats, float64 [rows]."""
    return np.array([values.sum(dtype=np.float64) for values in entropies])


@torch.no_grad()
def position_entropies(
    teacher: Teacher,
    rows: Sequence[TokenizedTrajectory],
    batch_tokens: int,
    device: torch.device,
    packed: bool = False,
) -> list[np.ndarray]:
    """The teacher's entropy at each row's supervised positions, in order, nats, fp32.

    Args:
        teacher: Whose entropy; a cache has it for nothing.
        rows: The data set.
        batch_tokens: Tokens, padding included, of one forward pass.
        device: Where the teacher expects its input.
        packed: How the teacher expects it.
    """
    entropies: dict[int, np.ndarray] = {}
    for batch in batches_of_similar_length([len(row) for row in rows], batch_tokens, packed):
        tensors = {name: one.to(device) for name, one in collate([rows[index] for index in batch], packed).items()}
        signal = teacher.signal(tensors, tensors["kind"] != SpanKind.CONTEXT)
        ends = np.cumsum([rows[index].supervised for index in batch])
        places = torch.arange(ends[-1], device=device)
        found = torch.cat([signal.at(chunk).entropy for chunk in places.split(_CHUNK)])
        parts = np.split(found.float().cpu().numpy(), ends[:-1])
        entropies |= zip(batch, parts, strict=True)
    return [entropies[index] for index in range(len(rows))]
