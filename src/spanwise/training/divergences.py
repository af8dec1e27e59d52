"""How far a student's distribution is from the teacher's, per position, in nats.

All take log-probabilities over the same outcomes, [N, O], and give [N]; all are zero where the two agree, and positive
otherwise up to rounding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


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
    mixture = _mixture(teacher, student, beta)
    return beta * forward_kl(teacher, mixture) + (1 - beta) * forward_kl(student, mixture)


def skew_forward_kl(teacher: Tensor, student: Tensor, alpha: float) -> Tensor:
    """KL(teacher || alpha * teacher + (1 - alpha) * student): forward KL whose gradient stays bounded.

    Source: DistiLLM, arXiv 2402.03898, section 3.1; used by DistiLLM-2, arXiv 2503.07067, on what a teacher wrote.
    """
    return forward_kl(teacher, _mixture(teacher, student, alpha))


def skew_reverse_kl(teacher: Tensor, student: Tensor, alpha: float) -> Tensor:
    """KL(student || (1 - alpha) * teacher + alpha * student). Source: as :func:`skew_forward_kl`."""
    return forward_kl(student, _mixture(student, teacher, alpha))


def _mixture(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Log-probabilities of share * first + (1 - share) * second."""
    return torch.logaddexp(first + math.log(share), second + math.log1p(-share))


def cross_entropy(logits: Tensor, target_ids: Tensor) -> Tensor:
    """-log student(target), from logits [N, V] and tokens [N]: what imitation minimises."""
    return nn.functional.cross_entropy(
        logits.to(torch.promote_types(logits.dtype, torch.float32)), target_ids, reduction="none"
    )
