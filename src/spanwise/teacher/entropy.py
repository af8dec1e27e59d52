"""How unsure the teacher is of whole trajectories: what the curriculum weighs."""

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


@torch.no_grad()
def summed_entropies(
    teacher: Teacher,
    rows: Sequence[TokenizedTrajectory],
    batch_tokens: int,
    device: torch.device,
    packed: bool = False,
) -> np.ndarray:
    """The teacher's entropy summed over each row's supervised positions, nats, float64 [rows].

    Args:
        teacher: Whose entropy; a cache has it for nothing.
        rows: The data set.
        batch_tokens: Tokens, padding included, of one forward pass.
        device: Where the teacher expects its input.
        packed: How the teacher expects it.
    """
    entropies = np.zeros(len(rows))
    for batch in batches_of_similar_length([len(row) for row in rows], batch_tokens, packed):
        tensors = {name: one.to(device) for name, one in collate([rows[index] for index in batch], packed).items()}
        signal = teacher.signal(tensors, tensors["kind"] != SpanKind.CONTEXT)
        owners = np.repeat(batch, [rows[index].supervised for index in batch])
        places = torch.arange(len(owners), device=device)
        found = torch.cat([signal.at(chunk).entropy for chunk in places.split(_CHUNK)])
        np.add.at(entropies, owners, found.double().cpu().numpy())
    return entropies
