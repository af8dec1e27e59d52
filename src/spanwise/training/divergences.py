"""How far a student's distribution is from the teacher's, per position, in nats.

All take log-probabilities over the same outcomes, [N, O], and give [N]; all are zero where the two agree, and positive
otherwise up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor


def forward_kl(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(teacher || student): the student must cover whatever the teacher may say. Source: Hinton et al. 2015."""
    return (teacher.exp() * (teacher - student)).sum(-1)


def reverse_kl(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(student || teacher): the student must not say what the teacher would not.

    Source: MiniLLM, arXiv 2306.08543.
    """
    return (student.exp() * (student - teacher)).sum(-1)


def jsd(teacher: Tensor, student: Tensor, beta: float) -> Tensor:
    """beta * KL(teacher || m) + (1 - beta) * KL(student || m), m = beta * teacher + (1 - beta) * student.

    Source: GKD, arXiv 2306.13649, equation 1.
    """
    weight = torch.tensor(beta, dtype=teacher.dtype, device=teacher.device)
    mixture = torch.logaddexp(teacher + weight.log(), student + (1 - weight).log())
    return beta * forward_kl(teacher, mixture) + (1 - beta) * forward_kl(student, mixture)


def cross_entropy(student: Tensor, target_ids: Tensor) -> Tensor:
    """-log student(target), from log-probabilities [N, V] and tokens [N]: what imitation minimises."""
    return -student.gather(-1, target_ids[:, None])[:, 0]
