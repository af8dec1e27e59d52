"""How heavy REASON and ACT are, learnt on trajectories that are kept from training.

The objective leaves two weights to whoever writes a recipe. Here they are found by what they are for: of all steps of a
given length, which one lowers the loss on other trajectories most? With g the gradient of that loss, the mean over all
generated tokens alike, and g_r, g_a those of the two kinds' parts of the loss, a step along u = lambda_r * g_r +
lambda_a * g_a lowers it by the cosine of g and u, in the first order. Now and then that cosine is climbed in
log(lambda_r) and log(lambda_a):

    d cos(g, u) / d log(lambda_k) = lambda_k * (<g, g_k> / (|g| * |u|) - cos(g, u) * <u, g_k> / |u|^2)

after which both are scaled so that their sum is what it was. Weights of losses that follow from products of gradients
are those of Lin et al. 2019 (Adaptive Auxiliary Task Weighting for Reinforcement Learning). A cosine is in their place,
because the length of a step is the optimizer's own (Muon's, or that of clipped gradients), and because it has its
maximum at some weights, where products would let them grow for ever.

Two limits: u is the gradient of one step's batches, so a kind whose gradient varies more from step to step is given
less; and what else an optimizer makes of a direction (momentum, orthogonalisation) is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from spanwise.config import LearntWeightsConfig
from spanwise.errors import TrainingError
from spanwise.traces.splits import is_held_out
from spanwise.training.batches import PlannedBatches
from spanwise.training.objective import SpanObjective
from spanwise.types import Trajectory

#: The gradient of an objective over some batches of each process, for each parameter.
GradientOf = Callable[[Sequence[dict[str, Tensor]], SpanObjective], Sequence[Tensor]]

#: The most that a change is, in log(weight).
MAX_CHANGE = 0.5
#: The least share of the sum that a weight is, so that it can come back.
MIN_SHARE = 0.01


def split_for_weights(
    trajectories: Sequence[Trajectory], share: float, seed: int
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Trajectories by which weights are learnt, and those to train on: no task is among both.

    Raises:
        TrainingError: One side is empty.
    """
    sides = list[Trajectory](), list[Trajectory]()
    for one in trajectories:
        # A split of its own: those of traces and rollouts have taken what they hold out by the same hash already.
        sides[not is_held_out(f"learnt_weights/{one.task_id}", share, seed)].append(one)
    if not all(sides):
        raise TrainingError(
            f"objective.learnt_weights.held_out = {share:g} keeps {len(sides[0])} of {len(trajectories)} trajectories: "
            "some are needed on both sides; take another share, or another seed"
        )
    return sides


class LearntWeights(TrainerCallback, ExportableState):
    """The weights of an objective's terms while they are learnt; checkpoints keep them."""

    def __init__(self, config: LearntWeightsConfig, objective: SpanObjective, held_out: PlannedBatches) -> None:
        """Weights that begin as the objective's own.

        Args:
            config: How they are learnt.
            objective: Whose weights; both are above 0.
            held_out: Batches that are not trained on, taken in turn.
        """
        self.config, self.held_out = config, held_out
        self.weights = torch.tensor([objective.reason.weight, objective.act.weight], dtype=torch.float64)

    def objective(self, objective: SpanObjective) -> SpanObjective:
        """The objective with the weights as they are now."""
        reason, act = self.weights.tolist()
        return replace(
            objective, reason=replace(objective.reason, weight=reason), act=replace(objective.act, weight=act)
        )

    def update(
        self, step: int, batches: Sequence[dict[str, Tensor]], objective: SpanObjective, gradient_of: GradientOf
    ) -> None:
        """Learns from where the next step's batches, and one that is not trained on, would have the model go.

        Args:
            step: Optimizer steps done so far; nothing happens but every few of them.
            batches: Of the next step.
            objective: What is minimised.
            gradient_of: See there.

        Raises:
            TrainingError: A gradient is not finite.
        """
        if step % self.config.every:
            return
        reason, act = replace(objective.reason, weight=1.0), replace(objective.act, weight=1.0)
        held_out = self.held_out[step // self.config.every % len(self.held_out)]
        gradients = [
            gradient_of([held_out], SpanObjective(reason, act, "token_sum")),
            gradient_of(batches, SpanObjective(reason, replace(act, weight=0.0), objective.reduction)),
            gradient_of(batches, SpanObjective(replace(reason, weight=0.0), act, objective.reduction)),
        ]
        products = [[_product(one, other) for other in gradients] for one in gradients]
        gram = torch.tensor(products, dtype=torch.float64)
        if not bool(torch.isfinite(gram).all()):
            raise TrainingError(f"weights cannot be learnt at step {step + 1}: a gradient is not finite")
        self.weights = climbed(self.weights, gram, self.config.rate)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"args": {}, "attributes": {"weights": self.weights.tolist()}}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Goes on with the weights of the checkpoint, if there is one."""
        found = state.stateful_callbacks[type(self).__name__]["attributes"]["weights"]
        self.weights = torch.tensor(found, dtype=torch.float64)


def climbed(weights: Tensor, gram: Tensor, rate: float) -> Tensor:
    """Weights after a step up cos(g, sum of weights_k * g_k), with the sum that they had, [K].

    Args:
        weights: Positive, [K].
        gram: Products of g, g_1, ..., g_K with each other, [K + 1, K + 1].
        rate: Of the step, in log(weight) per unit of the slope; a step is at most ``MAX_CHANGE``.
    """
    with_goal, among = gram[0, 1:], gram[1:, 1:]
    goal_length, length = gram[0, 0].sqrt(), (weights @ among @ weights).clamp(min=0).sqrt()
    if goal_length == 0 or length == 0:
        return weights
    cosine = weights @ with_goal / (goal_length * length)
    slope = weights * (with_goal / (goal_length * length) - cosine * (among @ weights) / length**2)
    moved = weights * torch.exp((rate * slope).clamp(-MAX_CHANGE, MAX_CHANGE))
    total = weights.sum()
    moved = (moved * (total / moved.sum())).clamp(min=MIN_SHARE * float(total))
    return moved * (total / moved.sum())


def _product(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    return float(sum((a.double() * b.double()).sum() for a, b in zip(one, other, strict=True)))
