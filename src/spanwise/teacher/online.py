"""A teacher in memory that is asked at every training step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from spanwise.teacher.signal import DeferredSignal
from spanwise.training.batches import model_inputs
from spanwise.training.projection import hidden_at, output_head


class OnlineTeacher:
    """A causal LM, frozen, that answers for any batch."""

    def __init__(self, model: PreTrainedModel, vocabulary: int) -> None:
        """A teacher over the first ``vocabulary`` rows of the model's head; the rest of them is padding."""
        self.model = model.eval().requires_grad_(False)
        self.head = output_head(model, vocabulary)

    @torch.no_grad()
    def signal(self, batch: Mapping[str, Tensor], positions: Tensor) -> DeferredSignal:
        """See :class:`spanwise.teacher.signal.Teacher`."""
        return DeferredSignal(hidden_at(self.model, model_inputs(batch), positions), self.head)
