"""Optimizers by name: AdamW, or Muon for matrices with AdamW for the rest, as one object a checkpoint can hold.

Muon orthogonalises the momentum of weight matrices; embeddings, the head, norms and biases stay with AdamW.
With torch's ``match_rms_adamw`` scaling both follow the same learning rate, so a recipe has one rate to choose.

Source: Jordan et al. 2024 (Muon); Liu et al. 2025, arXiv 2502.16982 (update scaled to AdamW's RMS).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

OptimizerName = Literal["adamw", "muon"]
ADAM_BETAS = (0.9, 0.95)


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for matrices and AdamW for all else, behind the interface of one optimizer.

    The two inner optimizers share this object's ``param_groups`` and ``state``, so schedulers, ``state_dict`` and
    ``load_state_dict`` see one ordinary optimizer.

    Args:
        groups: Parameter groups; each has ``params``, ``weight_decay`` and ``muon`` (bool).
        lr: Learning rate of all groups.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr})
        self._muon: torch.optim.Muon | None = None
        self._adamw: torch.optim.AdamW | None = None
        self._bind()

    def _bind(self) -> None:
        """Hand this object's groups to the inner optimizers by reference, and let them share its state."""
        muon = [group for group in self.param_groups if group["muon"]]
        rest = [group for group in self.param_groups if not group["muon"]]
        if muon:
            self._muon = torch.optim.Muon([dict(group) for group in muon], adjust_lr_fn="match_rms_adamw")
            _share(self, self._muon, muon)
        if rest:
            self._adamw = torch.optim.AdamW([dict(group) for group in rest], betas=ADAM_BETAS, fused=True)
            _share(self, self._adamw, rest)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore groups and state; the inner optimizers are bound anew, since loading replaces both."""
        super().load_state_dict(state_dict)
        self._bind()

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for inner in (self._muon, self._adamw):
            if inner is not None:
                inner.step()
        return loss


def _share(outer: torch.optim.Optimizer, inner: torch.optim.Optimizer, groups: list[dict[str, Any]]) -> None:
    for group, filled in zip(groups, inner.param_groups, strict=True):
        for key, value in filled.items():
            group.setdefault(key, value)
    inner.param_groups = groups
    inner.state = outer.state


def create_optimizer(
    model: nn.Module, name: OptimizerName, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """The named optimizer over a model's trainable parameters; norms, biases and embeddings are not decayed.

    Args:
        model: The model to train; tied weights are counted once.
        name: ``adamw`` or ``muon``.
        learning_rate: Peak rate, the same for all groups.
        weight_decay: Decoupled decay of weight matrices.
    """
    embeddings = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters(recurse=False)
    }
    head = getattr(model, "get_output_embeddings", lambda: None)()
    if head is not None:
        embeddings |= {id(parameter) for parameter in head.parameters()}
    matrices, rest = [], []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (matrices if parameter.ndim == 2 and id(parameter) not in embeddings else rest).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    if name == "adamw":
        filled = [group for group in groups if group["params"]]
        return torch.optim.AdamW(filled, lr=learning_rate, betas=ADAM_BETAS, fused=True)
    for group, muon in zip(groups, (True, False), strict=True):
        group["muon"] = muon
    return MuonWithAdamW([group for group in groups if group["params"]], lr=learning_rate)
