"""Where models compute that play, or are asked what they would say; training places its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def best_device() -> torch.device:
    """The first GPU, where there is one."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def on_best_device(model: PreTrainedModel) -> PreTrainedModel:
    """Moves a model to the best device; returns it."""
    model.to(best_device())  # type: ignore[arg-type]
    return model
