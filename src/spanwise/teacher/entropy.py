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


def summed_entropies(
    teacher: Teacher, rows: Sequence[TokenizedTrajectory], batch_tokens: int, device: torch.device
) -> np.ndarray:
    """The teacher's entropy summed over each row's supervised positions, nats, float64 [rows].

    Args:
        teacher: Whose entropy.
        rows: The data set.
        batch_tokens: Tokens, padding included, of one forward pass.
        device: Where the teacher expects its input.
    """
    entropies = np.zeros(len(rows))
    for batch in batches_of_similar_length([len(row) for row in rows], batch_tokens):
        tensors = collate([rows[index] for index in batch])
        chosen = (tensors["kind"] != SpanKind.CONTEXT).to(device)
        of_position = teacher.signal(tensors["input_ids"].to(device), chosen).entropy
        of_row = torch.zeros(len(batch), dtype=torch.float64, device=device)
        of_row.index_add_(0, chosen.nonzero()[:, 0], of_position.double())
        entropies[batch] = of_row.cpu().numpy()
    return entropies
