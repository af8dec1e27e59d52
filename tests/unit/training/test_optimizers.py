"""The combined optimizer is torch's own Muon and AdamW, and survives a checkpoint."""

import copy

import pytest
import torch
from torch import nn

from spanwise.training.optimizers import ADAM_BETAS, create_optimizer


class Small(nn.Module):
    """An embedding tied to the head, a matrix, a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 6)
        self.matrix = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.norm(self.matrix(self.embedding(tokens))) @ self.embedding.weight.T


@pytest.fixture
def model() -> Small:
    torch.manual_seed(0)
    return Small()


def take_steps(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        tokens = torch.randint(0, 7, (4, 5), generator=generator)
        loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_combined_optimizer_equals_torchs_two(model: Small) -> None:
    reference = copy.deepcopy(model)
    matrices = [reference.matrix.weight]
    rest = [p for p in reference.parameters() if p is not reference.matrix.weight]
    muon = torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(rest, lr=0.01, weight_decay=0.0, betas=ADAM_BETAS, fused=True)

    combined = create_optimizer(model, "muon", learning_rate=0.01, weight_decay=0.1)
    take_steps(model, combined, range(4))
    for step in range(4):
        generator = torch.Generator().manual_seed(step)
        tokens = torch.randint(0, 7, (4, 5), generator=generator)
        loss = nn.functional.cross_entropy(reference(tokens).flatten(0, 1), tokens.flatten())
        reference.zero_grad()
        loss.backward()
        muon.step()
        adamw.step()

    for (name, got), expected in zip(model.named_parameters(), reference.parameters(), strict=True):
        assert torch.equal(got, expected), name


def test_rate_set_by_a_scheduler_reaches_both_parts(model: Small) -> None:
    before = copy.deepcopy(model.state_dict())
    optimizer = create_optimizer(model, "muon", learning_rate=0.01, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    take_steps(model, optimizer, range(1))
    scheduler.step()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_resumed_equals_uninterrupted(model: Small, name: str) -> None:
    other = copy.deepcopy(model)
    optimizer = create_optimizer(model, name, learning_rate=0.01, weight_decay=0.1)
    take_steps(model, optimizer, range(6))

    first = create_optimizer(other, name, learning_rate=0.01, weight_decay=0.1)
    take_steps(other, first, range(3))
    saved = copy.deepcopy(first.state_dict())
    second = create_optimizer(other, name, learning_rate=0.01, weight_decay=0.1)
    second.load_state_dict(saved)
    take_steps(other, second, range(3, 6))

    for (parameter_name, got), expected in zip(other.named_parameters(), model.parameters(), strict=True):
        assert torch.equal(got, expected), parameter_name


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_only_matrices_decay_and_every_parameter_is_trained_once(model: Small, name: str) -> None:
    optimizer = create_optimizer(model, name, learning_rate=0.01, weight_decay=0.1)
    decayed = [p for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]]
    assert [id(p) for p in decayed] == [id(model.matrix.weight)]
    trained = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(trained) == sorted(id(p) for p in model.parameters())
