"""What training reports per kind of span: means over the tokens of that kind since the last line of the log.

loss            the term that is minimised, unweighted, nats
accuracy        share of tokens that the student would have chosen itself
kl              KL(teacher || student), nats, whatever is minimised
entropy         the teacher's entropy, nats
agreement       share of positions where student and teacher prefer the same token
attention_kl    KL(teacher's attention || student's), nats, where it is minimised
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spanwise.teacher.signal import TeacherSignal
from spanwise.training.objective import SpanTerm, divergence
from spanwise.types import SUPERVISED_KINDS

QUANTITIES = ("loss", "accuracy", "kl", "entropy", "agreement", "attention_kl")


class KindMetrics:
    """Sums per kind, kept on the device, so that nothing waits for them until they are read."""

    def __init__(self, device: torch.device) -> None:
        """Nothing counted yet."""
        self._tokens = torch.zeros(len(SUPERVISED_KINDS), dtype=torch.float64, device=device)
        self._sums = torch.zeros(len(QUANTITIES), len(SUPERVISED_KINDS), dtype=torch.float64, device=device)
        self._distilled = self._attends = False

    @torch.no_grad()
    def add(
        self,
        losses: Tensor,
        logits: Tensor,
        target_ids: Tensor,
        kind: Tensor,
        signal: TeacherSignal | None,
        losses_are_kl: bool,
    ) -> None:
        """Counts some positions; arguments as in :func:`spanwise.training.objective.span_loss`.

        ``losses_are_kl`` says that ``losses`` need not be followed by another look at all logits.
        """
        members_NK = torch.stack([kind == one for one in SUPERVISED_KINDS], dim=-1).double()
        self._tokens += members_NK.sum(0)
        self._distilled |= signal is not None
        guess = logits.argmax(-1)
        values = [losses, guess == target_ids]
        if signal is not None:
            kl = losses if losses_are_kl else divergence(SpanTerm("forward_kl"), logits, target_ids, signal)
            values += [kl, signal.entropy, guess == signal.top]
        self._sums[: len(values)] += torch.stack([value.double() for value in values]) @ members_NK

    def add_attention(self, losses: Tensor, kind: Tensor) -> None:
        """Divergences of attention, [N], of positions that :meth:`add` counts."""
        self._attends = True
        members_NK = torch.stack([kind == one for one in SUPERVISED_KINDS], dim=-1).double()
        self._sums[-1] += losses.double() @ members_NK

    def take(self, add_up: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """The means as ``reason_loss``, ``act_kl`` and so on, without those that have no tokens; then all is zero.

        Args:
            add_up: Sums a tensor over processes.
        """
        tokens = add_up(self._tokens.clone()).tolist()
        sums = add_up(self._sums.clone()).tolist()
        self._tokens.zero_()
        self._sums.zero_()
        measured = (True, True, *[self._distilled] * 3, self._attends)
        return {
            f"{kind.name.lower()}_{quantity}": sums[row][column] / tokens[column]
            for column, kind in enumerate(SUPERVISED_KINDS)
            if tokens[column]
            for row, quantity in enumerate(QUANTITIES)
            if measured[row]
        }
