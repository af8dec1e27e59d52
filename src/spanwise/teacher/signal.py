"""The teacher's distribution at supervised positions: what every divergence compares the student with.

A signal is dense (the whole distribution), deferred (the same, computed when it is asked for) or sparse (its likeliest
tokens, and what is left as one more outcome). It hands out teacher and student over the same outcomes, so a divergence
need not know which of them it is.

Shape suffixes: N supervised positions, V vocabulary, H channels, K recorded tokens, O outcomes (V, or K + 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from spanwise.teacher.coarse import NOTHING, coarse_log_probs


class TeacherSignal(Protocol):
    """What the teacher says at N positions."""

    @property
    def entropy(self) -> Tensor:
        """Entropy of the full distribution at each position, nats [N]."""
        ...

    @property
    def top(self) -> Tensor:
        """The likeliest token of each position, int64 [N]."""
        ...

    @property
    def sampled(self) -> bool:
        """Whether it is an unbiased sample, which forward KL alone may use."""
        ...

    def at(self, chosen: Tensor) -> TeacherSignal:
        """The signal of some of the positions, by index [n]."""
        ...

    def align(self, logits_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Teacher and student as log-probabilities over the same outcomes, both [N, O], at a temperature.

        Args:
            logits_NV: The student's.
            temperature: Divides the logits of both; where outcomes are sparse, their log-probabilities.
        """
        ...


@dataclass(frozen=True, slots=True)
class DenseSignal:
    """The full distribution.

    Attributes:
        log_probs: Log-probabilities (nats) at temperature 1, fp32 [N, V], over the real vocabulary.
    """

    log_probs: Tensor

    @property
    def sampled(self) -> bool:
        """See :class:`TeacherSignal`."""
        return False

    @property
    def entropy(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return -(self.log_probs.exp() * self.log_probs).sum(-1)

    @property
    def top(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return self.log_probs.argmax(-1)

    def at(self, chosen: Tensor) -> DenseSignal:
        """See :class:`TeacherSignal`."""
        return DenseSignal(self.log_probs[chosen])

    def align(self, logits_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """All tokens are outcomes."""
        teacher = self.log_probs if temperature == 1.0 else (self.log_probs / temperature).log_softmax(-1)
        student = logits_NV.to(teacher.dtype)
        return teacher, (student if temperature == 1.0 else student / temperature).log_softmax(-1)


@dataclass(frozen=True, slots=True)
class DeferredSignal:
    """A dense signal that exists for as long as it is used: take chunks of it by :meth:`at`.

    Attributes:
        hidden: What enters the teacher's head, [N, H].
        head: Gives the logits of hidden states.
    """

    hidden: Tensor
    head: Callable[[Tensor], Tensor]

    @property
    def sampled(self) -> bool:
        """See :class:`TeacherSignal`."""
        return False

    @property
    def entropy(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return self._dense().entropy

    @property
    def top(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return self._dense().top

    def at(self, chosen: Tensor) -> DenseSignal:
        """See :class:`TeacherSignal`."""
        return DeferredSignal(self.hidden[chosen], self.head)._dense()

    def align(self, logits_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """See :class:`DenseSignal`."""
        return self._dense().align(logits_NV, temperature)

    @torch.no_grad()
    def _dense(self) -> DenseSignal:
        return dense_signal(self.head(self.hidden))


@dataclass(frozen=True, slots=True)
class SparseSignal:
    """A few tokens, with the mass of all others kept as one more outcome: nothing is renormalised or dropped.

    By the data processing inequality a divergence over these outcomes never exceeds the dense one. A temperature
    applies to the outcomes: all others together count as one, so that the divergence of equals is zero at any of them.

    Attributes:
        ids: Tokens, likeliest first, int64 [N, K]; the first one again where a position has fewer than K.
        log_probs: Their log-probabilities (nats) under the full distribution, fp32 [N, K]; -inf where there is none.
        tail_log_mass: Log of the probability of all other tokens together, fp32 [N]; -inf where there is none.
        entropy: Entropy of the full distribution, nats [N].
        sampled: Whether the tokens were drawn, and ``log_probs`` are logs of their shares of the draws: an unbiased
            estimate of the distribution, for what is linear in it. Source: arXiv 2503.16870.
    """

    ids: Tensor
    log_probs: Tensor
    tail_log_mass: Tensor
    entropy: Tensor
    sampled: bool = False

    @property
    def top(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return self.ids[:, 0]

    def at(self, chosen: Tensor) -> SparseSignal:
        """See :class:`TeacherSignal`."""
        parts = (self.ids, self.log_probs, self.tail_log_mass, self.entropy)
        return SparseSignal(*(part[chosen] for part in parts), sampled=self.sampled)

    def align(self, logits_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """The K tokens, and all others as outcome K."""
        recorded_NK = self.log_probs > -torch.inf
        student_NO = coarse_log_probs(logits_NV, self.ids, recorded_NK)
        teacher_NO = torch.cat([self.log_probs, self.tail_log_mass[:, None]], dim=-1).clamp(min=NOTHING)
        return _tempered(teacher_NO, temperature), _tempered(student_NO, temperature)


class Teacher(Protocol):
    """Whoever has a signal for a batch: a model in memory, or a cache of what it said."""

    def signal(self, batch: Mapping[str, Tensor], positions: Tensor) -> TeacherSignal:
        """The distribution of the next token at the chosen positions.

        Args:
            batch: As :func:`spanwise.training.batches.collate` makes it.
            positions: Which positions are asked for, bool [B, T]; N of them, in row-major order.
        """
        ...


def dense_signal(logits: Tensor) -> DenseSignal:
    """The signal that logits [N, V] stand for."""
    return DenseSignal(torch.log_softmax(logits.to(torch.promote_types(logits.dtype, torch.float32)), dim=-1))


def sparse_signal(dense: DenseSignal, most: int, mass: float = 1.0) -> SparseSignal:
    """The fewest tokens of a dense signal that hold a mass, and the mass of its tail.

    Args:
        dense: The full distribution.
        most: Tokens that a position may have; K is as many as some position needs.
        mass: What they shall hold, in (0, 1]; at 1 all positions have ``most`` of them.
    """
    top_NK, ids_NK = dense.log_probs.topk(min(most, dense.log_probs.shape[-1]), dim=-1)
    needed_N1 = torch.full_like(ids_NK[:, :1], ids_NK.shape[-1])
    if mass < 1:
        needed_N1 = ((top_NK.exp().cumsum(-1) < mass).sum(-1, keepdim=True) + 1).clamp(max=ids_NK.shape[-1])
    rest_N = dense.log_probs.scatter(-1, ids_NK, -torch.inf).logsumexp(-1)
    needed_NK = torch.arange(ids_NK.shape[-1], device=ids_NK.device) < needed_N1
    recorded_NK = needed_NK & (top_NK > -torch.inf)  # a token that cannot be is one of the others
    unrecorded_N = top_NK.masked_fill(recorded_NK, -torch.inf).logsumexp(-1)
    longest = int(needed_N1.max())
    return SparseSignal(
        torch.where(recorded_NK, ids_NK, ids_NK[:, :1])[:, :longest],
        top_NK.masked_fill(~recorded_NK, -torch.inf)[:, :longest],
        torch.logaddexp(rest_N, unrecorded_N),
        dense.entropy,
    )


def sampled_signal(dense: DenseSignal, draws: int, generator: torch.Generator) -> SparseSignal:
    """Tokens drawn from a dense signal, with replacement, and the share of the draws that each got.

    Its expectation is the full distribution, so the gradient of forward KL is unbiased, where that of the likeliest
    tokens is not. Source: Random Sampling KD, arXiv 2503.16870, with proposal temperature 1.

    Args:
        dense: The full distribution.
        draws: Of each position.
        generator: Where the randomness comes from.
    """
    drawn_ND = torch.multinomial(dense.log_probs.exp(), draws, replacement=True, generator=generator)
    # Each token counts its draws where it comes first among them.
    same_NDD = drawn_ND[:, :, None] == drawn_ND[:, None, :]
    counts_ND = same_NDD.sum(-1).masked_fill(same_NDD.tril(-1).any(-1), 0)
    counts_ND, order_ND = counts_ND.sort(dim=-1, descending=True, stable=True)
    longest = int((counts_ND > 0).sum(-1).max())
    counts_NK = counts_ND[:, :longest]
    ids_NK = drawn_ND.gather(-1, order_ND)[:, :longest]
    nothing_N = torch.full_like(dense.log_probs[:, 0], -torch.inf)
    return SparseSignal(
        torch.where(counts_NK > 0, ids_NK, ids_NK[:, :1]),
        (counts_NK / draws).to(dense.log_probs.dtype).log(),
        nothing_N,
        dense.entropy,
        sampled=True,
    )


def _tempered(outcomes_NO: Tensor, temperature: float) -> Tensor:
    if temperature == 1.0:
        return outcomes_NO
    return torch.where(outcomes_NO > NOTHING, outcomes_NO / temperature, outcomes_NO).log_softmax(-1)
