"""The span objective: L = lambda_r * L_CoT + lambda_a * L_Act, each over the tokens of its own kind.

Source: arXiv 2505.13820, equations 3 to 6.

With equal terms and ``token_sum`` this *is* token-level distillation on generated tokens. What makes it another
objective is the reduction, that is what a kind's loss is divided by:

    token_sum   by the number of supervised tokens of both kinds: long thoughts outweigh short commands
    kind_mean   by the number of tokens of the same kind: thought and command weigh alike
    span_mean   by the length of the token's span, then by the number of spans of the same kind

Where tokens do not count alike (``training/views.py``), each token's loss and its part in these denominators have its
weight: a kind's loss is sum(w * loss) / sum(w), or sum(w * loss / length) / sum(w / length) for ``span_mean``.
Denominators count over the whole optimizer step: all accumulated batches of all processes.

A term's ``focus`` g turns each loss l of its kind into l * (1 - exp(-l))^g, so that positions count the less the nearer
the student is to the teacher. For cross-entropy that is the focal loss (Lin et al. 2017, arXiv 1708.02002), in which
words that can be chosen freely stay hard for ever; a divergence from a teacher has none of these.

Shape suffixes: N supervised positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spanwise.config import Divergence, ObjectiveConfig, Reduction, TermConfig
from spanwise.teacher.signal import TeacherSignal
from spanwise.training import divergences
from spanwise.types import SUPERVISED_KINDS, SpanKind


@dataclass(frozen=True, slots=True)
class SpanTerm:
    """One kind's loss: (1 - hard) * divergence + hard * cross-entropy with the recorded token.

    Which divergence, how heavy (lambda), at which temperature; jsd's beta, skew KL's alpha; the focus on what is not
    learnt yet. Only the divergence has a temperature. Source of the mixture: Hinton et al. 2015, arXiv 1503.02531,
    section 2.
    """

    divergence: Divergence = "forward_kl"
    weight: float = 1.0
    temperature: float = 1.0
    beta: float = 0.5
    alpha: float = 0.1
    hard: float = 0.0
    focus: float = 0.0

    @property
    def is_plain_kl(self) -> bool:
        """Whether it measures KL(teacher || student) itself."""
        return self.divergence == "forward_kl" and self.temperature == 1 and self.hard == 0


@dataclass(frozen=True, slots=True)
class SpanObjective:
    """What is minimised over REASON and ACT tokens."""

    reason: SpanTerm = SpanTerm()
    act: SpanTerm = SpanTerm()
    reduction: Reduction = "kind_mean"

    def term(self, kind: SpanKind) -> SpanTerm:
        """The term of a supervised kind."""
        return {SpanKind.REASON: self.reason, SpanKind.ACT: self.act}[kind]


@dataclass(frozen=True, slots=True)
class Counts:
    """What an optimizer step holds in all, by weight, as float64 [3], indexed by SpanKind: tokens, and spans."""

    tokens: Tensor
    spans: Tensor

    @property
    def supervised(self) -> Tensor:
        """Tokens of both kinds, by weight."""
        return self.tokens[list(SUPERVISED_KINDS)].sum()


def build_objective(config: ObjectiveConfig) -> SpanObjective:
    """The objective of a recipe.

    ``sft`` is cross-entropy and ``token_kd`` the divergence of ``act``, both over all generated tokens alike;
    ``language_model`` is ``sft`` where every token counts as generated. ``sad`` takes the terms as they are, or that of
    ``act`` for both kinds where it has but one.
    """
    if config.method == "sad":
        reason = config.act if config.segmentation == "none" else config.reason
        return SpanObjective(_term(reason), _term(config.act), config.reduction)
    term = replace(_term(config.act), weight=1.0) if config.method == "token_kd" else SpanTerm("cross_entropy")
    return SpanObjective(term, term, "token_sum")


def count(kind: Tensor, span_length: Tensor, weight: Tensor | None = None) -> Counts:
    """Tokens and spans per kind of some positions.

    Args:
        kind: SpanKind of each position, [N].
        span_length: Tokens of the span that each position belongs to, [N].
        weight: How much each position counts, [N]; None: all alike.
    """
    tokens = torch.zeros(3, dtype=torch.float64, device=kind.device)
    spans = torch.zeros_like(tokens)
    counting = torch.ones_like(kind, dtype=torch.float64) if weight is None else weight.double()
    tokens.index_add_(0, kind.long(), counting)
    spans.index_add_(0, kind.long(), counting / span_length.double())
    return Counts(tokens, spans)


def position_losses(
    objective: SpanObjective, logits: Tensor, target_ids: Tensor, kind: Tensor, signal: TeacherSignal | None
) -> Tensor:
    """Each position's divergence under its own kind's term, unweighted, fp32 [N].

    A temperature T scales the divergence by T squared, which keeps gradients comparable (Hinton et al. 2015).

    Args:
        objective: The terms.
        logits: The student's, [N, V].
        target_ids: The tokens that were generated, [N].
        kind: REASON or ACT of each position, [N].
        signal: The teacher's distributions at the same positions; may be None where no term needs them.

    Raises:
        ValueError: A term needs a teacher and there is none.
    """
    if objective.reason == objective.act:
        return divergence(objective.act, logits, target_ids, signal)
    losses = torch.zeros(len(target_ids), dtype=torch.promote_types(logits.dtype, torch.float32), device=logits.device)
    for one in SUPERVISED_KINDS:
        chosen = (kind == one).nonzero()[:, 0]
        part = None if signal is None else signal.at(chosen)
        losses = losses.index_put((chosen,), divergence(objective.term(one), logits[chosen], target_ids[chosen], part))
    return losses


def position_weights(
    objective: SpanObjective, kind: Tensor, span_length: Tensor, counts: Counts, weight: Tensor | None = None
) -> Tensor:
    """What each position's divergence is multiplied by, fp32 [N].

    Lambda over the reduction's global denominator, times the position's own ``weight`` [N], if they differ.
    """
    device = kind.device
    scale = torch.zeros(3, dtype=torch.float64, device=device)
    for one in SUPERVISED_KINDS:
        if objective.reduction == "token_sum":
            denominator = counts.supervised
        elif objective.reduction == "kind_mean":
            denominator = counts.tokens[one]
        else:
            denominator = counts.spans[one]
        scale[one] = objective.term(one).weight / torch.where(denominator > 0, denominator, 1.0)
    weights = scale[kind.long()] if weight is None else scale[kind.long()] * weight
    if objective.reduction == "span_mean":
        weights = weights / span_length
    return weights.float()


def span_loss(
    objective: SpanObjective,
    logits: Tensor,
    target_ids: Tensor,
    kind: Tensor,
    span_length: Tensor,
    counts: Counts,
    signal: TeacherSignal | None,
    weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The loss of some positions, and each position's divergence [N]. Losses of disjoint positions add up.

    Args as in :func:`position_losses` and :func:`position_weights`; ``counts`` are those of the whole optimizer step.
    """
    losses = position_losses(objective, logits, target_ids, kind, signal)
    weights = position_weights(objective, kind, span_length, counts, weight)
    return (_focused(objective, losses, kind) * weights).sum(), losses


def _focused(objective: SpanObjective, losses: Tensor, kind: Tensor) -> Tensor:
    """The losses [N], those that are small made smaller still where their kind's term has a ``focus``."""
    focused = losses
    for one in SUPERVISED_KINDS:
        focus = objective.term(one).focus
        if focus:
            unlearnt = (-torch.expm1(-losses)).clamp(min=0)  # a stored divergence may be a rounding below 0
            focused = torch.where(kind == one, losses * unlearnt**focus, focused)
    return focused


def divergence(term: SpanTerm, logits: Tensor, target_ids: Tensor, signal: TeacherSignal | None) -> Tensor:
    """A term's loss at each position, unweighted, [N]; arguments as in :func:`position_losses`."""
    if term.divergence == "cross_entropy":
        return divergences.cross_entropy(logits, target_ids)
    if signal is None:
        raise ValueError(f"the divergence {term.divergence!r} needs a teacher")
    if term.hard == 0:
        return _from_teacher(term, logits, signal)
    soft = _from_teacher(term, logits, signal)
    return (1 - term.hard) * soft + term.hard * divergences.cross_entropy(logits, target_ids)


def _from_teacher(term: SpanTerm, logits: Tensor, signal: TeacherSignal) -> Tensor:
    """How far the student is from the teacher at each position, [N]."""
    teacher, student = signal.align(logits, term.temperature)
    if signal.sampled:
        if term.divergence != "forward_kl" or term.temperature != 1:
            raise ValueError(f"sampled signals are for forward_kl at temperature 1, found {term}")
        return -(teacher.exp() * student).sum(-1) - signal.entropy
    square = term.temperature**2
    if term.divergence == "forward_kl":
        return square * divergences.forward_kl(teacher, student)
    if term.divergence == "reverse_kl":
        return square * divergences.reverse_kl(teacher, student)
    if term.divergence == "jsd":
        return square * divergences.jsd(teacher, student, term.beta)
    if term.divergence == "skew_forward_kl":
        return square * divergences.skew_forward_kl(teacher, student, term.alpha)
    return square * divergences.skew_reverse_kl(teacher, student, term.alpha)


def _term(config: TermConfig) -> SpanTerm:
    if config.weight == 0:  # nothing is learnt from it, so no teacher is asked for it
        return SpanTerm("cross_entropy", weight=0.0)
    settings = ("divergence", "weight", "temperature", "beta", "alpha", "hard", "focus")
    return SpanTerm(**{name: getattr(config, name) for name in settings})
