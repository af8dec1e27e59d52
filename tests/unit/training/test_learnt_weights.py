"""Weights that are learnt: where they go, what they are learnt from, and what they leave alone."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spanwise.config import LearntWeightsConfig, ObjectiveConfig, OnPolicyConfig, TermConfig, TrainingConfig
from spanwise.errors import TrainingError
from spanwise.traces.splits import is_held_out
from spanwise.training.learnt_weights import MAX_CHANGE, MIN_SHARE, LearntWeights, climbed, split_for_weights
from spanwise.training.objective import SpanObjective, SpanTerm
from spanwise.training.trainer import train
from spanwise.types import Trajectory

SETTINGS = {"precision": "fp32", "batch_tokens": 600, "log_every": 1, "learning_rate": 1e-3, "max_steps": 4}


def gram_of(*vectors: torch.Tensor) -> torch.Tensor:
    every = torch.stack(vectors).double()
    return every @ every.T


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.95))
def test_a_step_goes_up_the_cosine_by_its_own_slope(seed, first) -> None:
    vectors = torch.from_numpy(np.random.default_rng(seed).normal(size=(3, 9)))

    def cosine(weights: torch.Tensor) -> torch.Tensor:
        return torch.cosine_similarity(vectors[0], weights @ vectors[1:], dim=0)

    weights = torch.tensor([first, 2 - first], dtype=torch.float64)
    logs = weights.log().requires_grad_()
    cosine(logs.exp()).backward()
    assert logs.grad is not None
    moved = climbed(weights, gram_of(*vectors), 0.1)
    expected = weights * torch.exp((0.1 * logs.grad).clamp(-MAX_CHANGE, MAX_CHANGE))
    torch.testing.assert_close(moved, expected * 2 / expected.sum(), rtol=1e-6, atol=1e-9)
    assert cosine(moved) >= cosine(weights) - 1e-9
    assert moved.sum() == pytest.approx(2)


def test_the_weights_that_make_up_the_wanted_step_are_found() -> None:
    of_kinds = torch.eye(2, 5) + 0.1
    gram = gram_of(0.3 * of_kinds[0] + 2.7 * of_kinds[1], *of_kinds)
    weights = torch.ones(2, dtype=torch.float64)
    for _ in range(300):
        weights = climbed(weights, gram, 1.0)
    assert weights.tolist() == pytest.approx([0.2, 1.8], abs=1e-3)


def test_a_gradient_that_is_zero_moves_nothing() -> None:
    weights = torch.tensor([0.5, 1.5], dtype=torch.float64)
    assert torch.equal(climbed(weights, gram_of(torch.ones(4), torch.zeros(4), torch.zeros(4)), 1.0), weights)
    assert torch.equal(climbed(weights, gram_of(torch.zeros(4), *torch.eye(2, 4)), 1.0), weights)


def test_kinds_that_pull_apart_leave_each_other_a_share() -> None:
    apart = torch.tensor([[1.0, 0.01], [-1.0, 0.01]])
    gram = gram_of(torch.tensor([1.0, 0.0]), *apart)
    weights = torch.ones(2, dtype=torch.float64)
    first = climbed(weights, gram, 1.0)
    assert float((first / weights).log().diff().abs()) <= 2 * MAX_CHANGE + 1e-9
    for _ in range(100):
        weights = climbed(weights, gram, 1e4)
    assert weights.sum() == pytest.approx(2)
    assert float(weights.min()) == pytest.approx(2 * MIN_SHARE, rel=0.05)
    for _ in range(100):
        weights = climbed(weights, gram_of(torch.tensor([-1.0, 0.0]), *apart), 1e4)
    assert weights[1] > weights[0]


def test_it_looks_now_and_then_at_each_kind_and_at_what_is_held_out() -> None:
    asked = []
    held_out = [{"of": torch.tensor(0)}, {"of": torch.tensor(1)}]
    objective = SpanObjective(SpanTerm(weight=0.5), SpanTerm("reverse_kl", weight=1.5), "span_mean")
    learnt = LearntWeights(LearntWeightsConfig(every=3, rate=1.0), objective, held_out)  # type: ignore[arg-type]

    def gradient_of(batches, one: SpanObjective) -> list[torch.Tensor]:
        asked.append((batches, one.reason.weight, one.act.weight, one.act.divergence, one.reduction))
        return [torch.tensor([one.reason.weight]), torch.tensor([3 * one.act.weight])]

    for step in range(7):
        learnt.update(step, [{}], objective, gradient_of)
    whole, reason, act = (1, 1, "reverse_kl"), (1, 0, "reverse_kl"), (0, 1, "reverse_kl")
    assert asked == [
        ([part], *one, reduction)
        for held in (held_out[0], held_out[1], held_out[0])
        for part, one, reduction in ((held, whole, "token_sum"), ({}, reason, "span_mean"), ({}, act, "span_mean"))
    ]
    found = learnt.objective(objective)
    assert (found.reason.weight, found.act.weight) == tuple(learnt.weights.tolist())
    assert found.reason.weight + found.act.weight == pytest.approx(2)
    assert found.reason.weight / found.act.weight > 0.5 / 1.5  # both are wanted alike, and act had three times as much


def test_a_gradient_that_is_not_finite_is_an_error() -> None:
    learnt = LearntWeights(LearntWeightsConfig(), SpanObjective(), [{}])  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="weights cannot be learnt at step 11: a gradient is not finite"):
        learnt.update(10, [{}], SpanObjective(), lambda *_: [torch.tensor([float("nan")])])


def test_training_learns_them_and_keeps_those_trajectories_to_itself(
    trajectories, tokenizer, small_model, tmp_path
) -> None:
    learnt = LearntWeightsConfig(held_out=0.3, every=2, rate=5.0)
    objective = ObjectiveConfig(method="sad", act=TermConfig(weight=3.0), learnt_weights=learnt)
    config = TrainingConfig(objective=objective, **SETTINGS)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "all", 0, small_model(7))
    lines = [json.loads(line) for line in (tmp_path / "all" / "metrics.jsonl").read_text().splitlines()]
    pairs = [(line["reason_weight"], line["act_weight"]) for line in lines]
    assert all(sum(pair) == pytest.approx(4, abs=1e-5) for pair in pairs)
    assert pairs[0] == pairs[1] != pairs[2] == pairs[3]

    kept, others = split_for_weights(trajectories, 0.3, 0)
    assert kept
    assert others
    assert {one.task_id for one in kept}.isdisjoint(one.task_id for one in others)
    # A rate that moves nothing: the same training as that on the others alone.
    still = objective.model_copy(update={"learnt_weights": LearntWeightsConfig(held_out=0.3, rate=1e-300)})
    plain = objective.model_copy(update={"learnt_weights": None})
    for name, one, data in (("still", still, trajectories), ("plain", plain, others)):
        settings = TrainingConfig(objective=one, **SETTINGS)
        train(small_model(0), tokenizer, data, settings, tmp_path / name, 0, small_model(7))
    still, plain = (tmp_path / name / "model.safetensors" for name in ("still", "plain"))
    assert still.read_bytes() == plain.read_bytes()


def test_the_split_is_not_that_of_what_is_held_out_already() -> None:
    tasks = [f"t{number}" for number in range(1000)]
    others = [name for name in tasks if not is_held_out(name, 0.1, 3)]
    found = [name for name in others if is_held_out(f"learnt_weights/{name}", 0.1, 3)]
    trajectories = [Trajectory(name, name, "toy", "expert", 0, "", (), 1.0, True, "done") for name in others]
    assert [one.task_id for one in split_for_weights(trajectories, 0.1, 3)[0]] == found
    assert len(found) == pytest.approx(90, abs=30)


def test_dropout_is_drawn_as_if_nobody_had_looked(trajectories, tokenizer, small_model, tmp_path) -> None:
    learnt = LearntWeightsConfig(held_out=0.3, every=1, rate=5.0)
    objective = ObjectiveConfig(method="sad", learnt_weights=learnt)
    config = TrainingConfig(objective=objective, save_every=2, **SETTINGS)

    def student():
        model = small_model(0)
        for layer in model.model.layers:
            layer.self_attn.attention_dropout = 0.3
        return model

    def interrupt(step: int, steps: int, loss: float | None) -> None:
        if step == 3:
            raise KeyboardInterrupt

    train(student(), tokenizer, trajectories, config, tmp_path / "whole", 0, small_model(7))
    with pytest.raises(KeyboardInterrupt):
        train(student(), tokenizer, trajectories, config, tmp_path / "cut", 0, small_model(7), interrupt)
    train(student().eval(), tokenizer, trajectories, config, tmp_path / "cut", 0, small_model(7))
    whole, cut = (tmp_path / name / "model.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


def test_a_split_with_an_empty_side_is_an_error(trajectories) -> None:
    with pytest.raises(TrainingError, match=r"learnt_weights.held_out = 1e-09 keeps 0 of 12 trajectories"):
        split_for_weights(trajectories, 1e-9, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "token_kd"}, "learnt_weights has no meaning for the method token_kd"),
        ({"method": "sad", "segmentation": "none"}, "both need spans"),
        ({"method": "sad", "reason": {"weight": 0.0}}, "both need spans, and a weight above 0"),
        ({"method": "sad", "attention": 1.0}, "attention and context add other losses"),
        ({"method": "sad", "context": 1.0}, "attention and context add other losses"),
    ],
)
def test_weights_that_are_not_there_cannot_be_learnt(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        ObjectiveConfig.model_validate({**changes, "learnt_weights": {}})


def test_weights_are_not_learnt_in_two_parts() -> None:
    objective = ObjectiveConfig(method="sad", learnt_weights=LearntWeightsConfig())
    with pytest.raises(ValueError, match="on_policy trains in two parts"):
        TrainingConfig(objective=objective, max_steps=4, on_policy=OnPolicyConfig())
