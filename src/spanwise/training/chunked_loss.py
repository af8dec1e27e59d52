"""The objective from hidden states: logits exist for one chunk of positions at a time (``projection.py``).

Shape suffixes: N positions, H channels.
"""

from __future__ import annotations

from torch import Tensor

from spanwise.teacher.signal import TeacherSignal
from spanwise.training.divergences import cross_entropy
from spanwise.training.metrics import KindMetrics
from spanwise.training.objective import Counts, SpanObjective, span_loss
from spanwise.training.projection import Head, sum_over_chunks
from spanwise.types import SpanKind


def chunked_span_loss(
    objective: SpanObjective,
    head: Head,
    hidden: Tensor,
    target_ids: Tensor,
    kind: Tensor,
    span_length: Tensor,
    counts: Counts,
    signal: TeacherSignal | None,
    metrics: KindMetrics | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """The span loss of some positions from hidden states [N, H], projected chunk by chunk.

    Args:
        objective: What is minimised.
        head: The student's.
        hidden: What enters it.
        target_ids: And the others: as in :func:`spanwise.training.objective.span_loss`.
        kind: See there.
        span_length: See there.
        counts: See there.
        signal: See there.
        metrics: Told about each chunk.
        weight: How much each position counts, [N]; None: all alike.
    """
    losses_are_kl = objective.reason.is_plain_kl and objective.act.is_plain_kl

    def loss_of(chunk: Tensor, logits: Tensor) -> Tensor:
        part = None if signal is None else signal.at(chunk)
        of_chunk = (target_ids[chunk], kind[chunk], span_length[chunk])
        loss, losses = span_loss(objective, logits, *of_chunk, counts, part, None if weight is None else weight[chunk])
        if metrics is not None:
            metrics.add(losses.detach(), logits.detach(), target_ids[chunk], kind[chunk], part, losses_are_kl)
        return loss

    return sum_over_chunks(loss_of, head, hidden)


def context_loss(head: Head, hidden: Tensor, target_ids: Tensor, counts: Counts) -> Tensor:
    """Cross-entropy of what the environment says, over the CONTEXT tokens of the whole optimizer step.

    Args:
        head: The student's.
        hidden: What enters it where context is next, [N, H].
        target_ids: The context, [N].
        counts: Of the optimizer step.
    """

    def loss_of(chunk: Tensor, logits: Tensor) -> Tensor:
        return cross_entropy(logits, target_ids[chunk]).sum() / counts.tokens[SpanKind.CONTEXT].clamp(min=1).float()

    return sum_over_chunks(loss_of, head, hidden)
