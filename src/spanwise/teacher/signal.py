"""The teacher's distribution at supervised positions: what every divergence compares the student with.

A signal is dense (the whole distribution) or sparse (its K likeliest tokens, and what is left as one more outcome). It
hands out teacher and student over the same outcomes, so a divergence need not know which of the two it is.

Shape suffixes: N supervised positions, V vocabulary, K recorded tokens, O outcomes (V, or K + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

#: Log-mass that stands for none: e to this power is 0 in every precision, yet 0 times it is 0 and not NaN.
_NOTHING = -1e4


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

    def at(self, chosen: Tensor) -> TeacherSignal:
        """The signal of some of the positions, by index [n]."""
        ...

    def align(self, student_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Teacher and student as log-probabilities over the same outcomes, both [N, O], at a temperature.

        Args:
            student_NV: The student's log-probabilities at temperature 1.
            temperature: Divides the logits of both.
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

    def align(self, student_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """All tokens are outcomes."""
        return _tempered(self.log_probs, temperature), _tempered(student_NV, temperature)


@dataclass(frozen=True, slots=True)
class SparseSignal:
    """The K likeliest tokens, with the mass of all others kept as one more outcome: nothing is renormalised.

    By the data processing inequality a divergence over these outcomes never exceeds the dense one.

    Attributes:
        ids: Tokens, likeliest first, int64 [N, K].
        log_probs: Their log-probabilities (nats) under the full distribution, fp32 [N, K].
        tail_log_mass: Log of the probability of all other tokens together, fp32 [N]; -inf where there is none.
        entropy: Entropy of the full distribution, nats [N].
    """

    ids: Tensor
    log_probs: Tensor
    tail_log_mass: Tensor
    entropy: Tensor

    @property
    def top(self) -> Tensor:
        """See :class:`TeacherSignal`."""
        return self.ids[:, 0]

    def at(self, chosen: Tensor) -> SparseSignal:
        """See :class:`TeacherSignal`."""
        return SparseSignal(self.ids[chosen], self.log_probs[chosen], self.tail_log_mass[chosen], self.entropy[chosen])

    def align(self, student_NV: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """The K tokens, and all others as outcome K.

        Raises:
            ValueError: The temperature is not 1; what the tail would weigh at another one was not recorded.
        """
        if temperature != 1.0:
            raise ValueError(f"a sparse signal holds temperature 1 only, found {temperature}")
        teacher_NO = torch.cat([self.log_probs, self.tail_log_mass[:, None]], dim=-1).clamp(min=_NOTHING)
        others_NV = student_NV.scatter(-1, self.ids, _NOTHING)
        student_NO = torch.cat([student_NV.gather(-1, self.ids), others_NV.logsumexp(-1, keepdim=True)], dim=-1)
        return teacher_NO, student_NO


class Teacher(Protocol):
    """Whoever has a signal for a batch: a model in memory, or a cache of what it said."""

    def signal(self, input_ids: Tensor, positions: Tensor) -> TeacherSignal:
        """The distribution of the next token at the chosen positions.

        Args:
            input_ids: The rows, right-padded, int64 [B, T].
            positions: Which positions are asked for, bool [B, T]; N of them, in row-major order.
        """
        ...


def dense_signal(logits: Tensor) -> DenseSignal:
    """The signal that logits [N, V] stand for."""
    return DenseSignal(torch.log_softmax(logits.float(), dim=-1))


def sparse_signal(dense: DenseSignal, size: int) -> SparseSignal:
    """The ``size`` likeliest tokens of a dense signal, and the mass of its tail."""
    log_probs, ids = dense.log_probs.topk(size, dim=-1)
    tail = dense.log_probs.scatter(-1, ids, -torch.inf).logsumexp(-1)
    return SparseSignal(ids, log_probs, tail, dense.entropy)


def _tempered(log_probs: Tensor, temperature: float) -> Tensor:
    return log_probs if temperature == 1.0 else torch.log_softmax(log_probs / temperature, dim=-1)
