"""A teacher in memory that is asked at every training step."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

from spanwise.teacher.signal import DenseSignal, dense_signal
from spanwise.training.models import logits_at


class OnlineTeacher:
    """A causal LM, frozen, that answers for any batch."""

    def __init__(self, model: PreTrainedModel, vocabulary: int) -> None:
        """A teacher over the first ``vocabulary`` rows of the model's head; the rest of them is padding."""
        self.model = model.eval().requires_grad_(False)
        self.vocabulary = vocabulary

    @torch.no_grad()
    def signal(self, input_ids: Tensor, positions: Tensor) -> DenseSignal:
        """See :class:`spanwise.teacher.signal.Teacher`."""
        return dense_signal(logits_at(self.model, input_ids, positions, self.vocabulary))
