"""The teacher's distribution at supervised positions: what every divergence compares the student with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DenseSignal:
    """The full distribution.

    Attributes:
        log_probs: Log-probabilities (nats) at temperature 1, fp32 [N, V], over the real vocabulary.
    """

    log_probs: Tensor

    @property
    def entropy(self) -> Tensor:
        """Entropy of each position in nats, [N]."""
        return -(self.log_probs.exp() * self.log_probs).sum(-1)


class Teacher(Protocol):
    """Whoever has a signal for a batch: a model in memory, or a cache of what it said."""

    def signal(self, input_ids: Tensor, positions: Tensor) -> DenseSignal:
        """The distribution of the next token at the chosen positions.

        Args:
            input_ids: The rows, right-padded, int64 [B, T].
            positions: Which positions are asked for, bool [B, T]; N of them.
        """
        ...


def dense_signal(logits: Tensor) -> DenseSignal:
    """The signal that logits [N, V] stand for."""
    return DenseSignal(torch.log_softmax(logits.float(), dim=-1))
