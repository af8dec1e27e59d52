"""Equivalences of training: accumulation, resuming, padding, and what is never trained on."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from spanwise.config import CurriculumConfig, LearntWeightsConfig, ObjectiveConfig, TermConfig, TrainingConfig
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.errors import ModelError, TrainingError
from spanwise.training.batches import collate
from spanwise.training.objective import SpanObjective, count, span_loss
from spanwise.training.projection import logits_at
from spanwise.training.trainer import train
from spanwise.types import SpanKind

SETTINGS = {"precision": "fp32", "batch_tokens": 600, "log_every": 1, "save_every": 2, "learning_rate": 1e-3}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def logged(folder: Path) -> list[dict[str, float]]:
    """The lines of the log, without what a clock says."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(line.pop("tokens_per_second") > 0 for line in lines)
    return lines


GATED = ObjectiveConfig(method="sad", act=TermConfig(gate=0.5, hard=0.2), decisions=2.0)
FADED = ObjectiveConfig(method="sad", foretells=8.0, decisions=0.5, fade=0.6)
READING = ObjectiveConfig(method="token_kd", context=0.5, fade=0.6)
LEARNT = ObjectiveConfig(method="sad", learnt_weights=LearntWeightsConfig(held_out=0.3, every=2, rate=5.0))
MOVED = ObjectiveConfig(method="sad", segmentation="random")


@pytest.mark.parametrize(
    "objective",
    [
        *(ObjectiveConfig(method=method) for method in ("sft", "token_kd", "sad", "language_model")),
        GATED,
        MOVED,
        FADED,
        READING,
        LEARNT,
    ],
    ids=["sft", "token_kd", "sad", "language_model", "gated", "moved", "faded", "reading", "learnt"],
)
def test_resumed_equals_uninterrupted(objective, trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(objective=objective, max_steps=5, **SETTINGS)
    teacher = small_model(7)

    def interrupt(step: int, steps: int, loss: float | None) -> None:
        if step == 3:
            raise KeyboardInterrupt

    train(small_model(0), tokenizer, trajectories, config, tmp_path / "whole", 0, teacher)
    with pytest.raises(KeyboardInterrupt):
        train(small_model(0), tokenizer, trajectories, config, tmp_path / "cut", 0, teacher, interrupt)
    assert not (tmp_path / "cut" / "training.json").exists()
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "cut", 0, teacher)

    resumed, whole = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    assert logged(tmp_path / "cut") == logged(tmp_path / "whole")


@pytest.mark.parametrize("reduction", ["token_sum", "kind_mean", "span_mean"])
def test_gradient_does_not_depend_on_how_a_step_is_split(reduction, trajectories, tokenizer, small_model) -> None:
    rows = [tokenize_trajectory(one, tokenizer) for one in trajectories[:8]]
    objective = SpanObjective(reduction=reduction)
    model, teacher = small_model(0).double(), small_model(7).double()

    def gradient(batches) -> list[torch.Tensor]:
        from spanwise.teacher.online import OnlineTeacher

        model.zero_grad()
        collated = [collate(batch) for batch in batches]
        chosen = [batch["kind"] != SpanKind.CONTEXT for batch in collated]
        kinds = torch.cat([batch["kind"][c] for batch, c in zip(collated, chosen, strict=True)])
        lengths = torch.cat([batch["span_length"][c] for batch, c in zip(collated, chosen, strict=True)])
        counts = count(kinds, lengths)
        for batch, c in zip(collated, chosen, strict=True):
            signal = OnlineTeacher(teacher, len(tokenizer)).signal(batch, c)
            logits = logits_at(model, batch["input_ids"], c, len(tokenizer))
            targets, kind, length = batch["target_ids"][c], batch["kind"][c], batch["span_length"][c]
            span_loss(objective, logits, targets, kind, length, counts, signal)[0].backward()
        return [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]

    together, apart = gradient([rows]), gradient([[row] for row in rows])
    assert together
    for first, second in zip(together, apart, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-7)


def test_padding_changes_no_logit(trajectories, tokenizer, small_model) -> None:
    rows = sorted((tokenize_trajectory(one, tokenizer) for one in trajectories), key=len)
    model = small_model(0).eval()
    padded = collate([rows[0], rows[-1]])
    assert len(rows[0]) < len(rows[-1])
    alone = collate([rows[0]])
    everything = logits_at(model, padded["input_ids"], padded["valid"], len(tokenizer))[: len(rows[0])]
    expected = model(input_ids=alone["input_ids"], attention_mask=alone["valid"].long()).logits[0]
    torch.testing.assert_close(everything, expected, rtol=1e-4, atol=1e-5)


def test_context_targets_change_nothing(trajectories, tokenizer, small_model) -> None:
    row = tokenize_trajectory(trajectories[0], tokenizer)
    batch = collate([row])
    model = small_model(0)
    hidden = model.model(input_ids=batch["input_ids"]).last_hidden_state.detach().requires_grad_()
    chosen = batch["kind"] != SpanKind.CONTEXT
    kind, length = batch["kind"][chosen], batch["span_length"][chosen]
    logits = model.lm_head(hidden[chosen])
    loss, _ = span_loss(
        SpanObjective(reduction="kind_mean"),
        logits,
        batch["target_ids"][chosen],
        kind,
        length,
        count(kind, length),
        _signal(logits),
    )
    loss.backward()
    assert hidden.grad is not None
    assert (hidden.grad[~chosen] == 0).all()
    assert (hidden.grad[chosen] != 0).any()


def _signal(logits: torch.Tensor):
    from spanwise.teacher.signal import dense_signal

    return dense_signal(torch.randn(logits.shape, generator=torch.Generator().manual_seed(5)))


def test_distillation_learns_and_reports_per_kind(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(
        objective=ObjectiveConfig(method="sad"),
        curriculum=CurriculumConfig(pacing="sorted"),
        max_steps=12,
        accumulation=2,
        **{**SETTINGS, "learning_rate": 1e-2},
    )
    student = small_model(0)
    result = train(student, tokenizer, trajectories, config, tmp_path / "student", 0, small_model(7))
    lines = [json.loads(line) for line in (tmp_path / "student" / "metrics.jsonl").read_text().splitlines()]
    assert result.steps == 12
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert lines[-1]["reason_kl"] < lines[0]["reason_kl"]
    assert lines[-1]["act_kl"] < lines[0]["act_kl"]
    assert {"reason_entropy", "act_entropy", "reason_agreement", "act_agreement"} <= lines[0].keys()


def test_without_segmentation_training_is_that_of_token_kd(trajectories, tokenizer, small_model, tmp_path) -> None:
    flat = ObjectiveConfig(method="sad", segmentation="none")
    for name, objective in (("flat", flat), ("token_kd", ObjectiveConfig(method="token_kd"))):
        config = TrainingConfig(objective=objective, max_steps=2, **SETTINGS)
        train(small_model(0), tokenizer, trajectories, config, tmp_path / name, 0, small_model(7))
    ours, theirs = weights(tmp_path / "flat"), weights(tmp_path / "token_kd")
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_weights_fade_until_all_tokens_count_alike(trajectories, tokenizer, small_model, tmp_path) -> None:
    """A step at a rate of zero tells the loss of one batch: at first as weighed, in the end as it is."""
    config = {"max_steps": 4, **SETTINGS, "batch_tokens": 10_000, "learning_rate": 1e-30, "warmup": 0.0}
    teacher = small_model(7)
    for parameter in teacher.parameters():
        parameter.data *= 8  # who is sure of something, and surer of some tokens than of others
    losses = {}
    for name, changes in (("plain", {}), ("weighed", {"foretells": 8.0}), ("fades", {"foretells": 8.0, "fade": 0.5})):
        objective = ObjectiveConfig(method="sad", **changes)
        settings = TrainingConfig(objective=objective, **config)
        train(small_model(0), tokenizer, trajectories, settings, tmp_path / name, 0, teacher)
        losses[name] = [line["loss"] for line in logged(tmp_path / name)]
    plain, weighed = losses["plain"][0], losses["weighed"][0]
    assert abs(plain - weighed) > 1e-3
    assert losses["fades"][0] == pytest.approx(weighed, abs=1e-5)
    assert min(plain, weighed) < losses["fades"][1] < max(plain, weighed)
    assert losses["fades"][2:] == pytest.approx([plain, plain], abs=1e-5)


def test_context_adds_its_mean_cross_entropy_for_a_while(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = {"max_steps": 4, **SETTINGS, "batch_tokens": 10_000, "learning_rate": 1e-30, "warmup": 0.0}
    losses = {}
    for name, changes in (("plain", {}), ("reads", {"context": 0.5}), ("fades", {"context": 0.5, "fade": 0.5})):
        settings = TrainingConfig(objective=ObjectiveConfig(method="sft", **changes), **config)
        train(small_model(0), tokenizer, trajectories, settings, tmp_path / name, 0)
        losses[name] = [line["loss"] for line in logged(tmp_path / name)]
    batch = collate([tokenize_trajectory(one, tokenizer) for one in trajectories])
    context = batch["valid"] & (batch["kind"] == SpanKind.CONTEXT)
    with torch.no_grad():
        logits = logits_at(small_model(0), batch["input_ids"], context, len(tokenizer))
    added = float(torch.nn.functional.cross_entropy(logits, batch["target_ids"][context]))
    plain = losses["plain"][0]
    assert losses["reads"] == pytest.approx([plain + 0.5 * added] * 4, abs=2e-4)
    assert losses["fades"] == pytest.approx([plain + left * added for left in (0.5, 0.25, 0, 0)], abs=2e-4)


@pytest.mark.parametrize(
    "objective", [GATED, MOVED, ObjectiveConfig(method="sad", decisions=9.0)], ids=["gated", "moved", "decisions"]
)
def test_every_variant_is_another_objective(objective, trajectories, tokenizer, small_model, tmp_path) -> None:
    for name, one in (("plain", ObjectiveConfig(method="sad")), ("variant", objective)):
        config = TrainingConfig(objective=one, max_steps=2, **{**SETTINGS, "save_every": 9})
        train(small_model(0), tokenizer, trajectories, config, tmp_path / name, 0, small_model(7))
    plain, variant = weights(tmp_path / "plain"), weights(tmp_path / "variant")
    assert any(not torch.equal(variant[name], value) for name, value in plain.items())


def test_checkpointed_activations_change_nothing(trajectories, tokenizer, small_model, tmp_path) -> None:
    passes = []
    for checkpointed in (False, True):
        student = small_model(0)
        student.model.layers[0].self_attn.register_forward_hook(lambda *_: passes.append(torch.is_grad_enabled()))
        config = TrainingConfig(
            objective=ObjectiveConfig(method="sad"), max_steps=2, activation_checkpointing=checkpointed, **SETTINGS
        )
        train(student, tokenizer, trajectories, config, tmp_path / str(checkpointed), 0, small_model(7))
    assert sum(passes) == 2 + 2 * 2  # with gradients: once a step, and then twice
    plain, again = weights(tmp_path / "False"), weights(tmp_path / "True")
    assert all(torch.equal(again[name], value) for name, value in plain.items())


def test_a_divergence_without_a_teacher_is_a_model_error(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(objective=ObjectiveConfig(method="sad"), max_steps=1)
    with pytest.raises(ModelError, match="needs a teacher"):
        train(small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0)
    assert not (tmp_path / "m").exists()


def test_a_loss_that_is_not_finite_stops_training(trajectories, tokenizer, small_model, tmp_path) -> None:
    model = small_model(0)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.inf)
    config = TrainingConfig(max_steps=2, **SETTINGS)
    with pytest.raises(
        TrainingError, match=r"loss is not finite at step 1: lower training.learning_rate \(now 0.001\)"
    ):
        train(model, tokenizer, trajectories, config, tmp_path / "m", 0)
    assert not (tmp_path / "m" / "training.json").exists()


def test_a_model_with_too_few_embeddings_is_an_error(trajectories, tokenizer, small_model, tmp_path) -> None:
    small = small_model(0)
    small.config.vocab_size = len(tokenizer) - 1
    with pytest.raises(ModelError, match=f"the model has {len(tokenizer) - 1} embeddings, the tokenizer"):
        train(small, tokenizer, trajectories, TrainingConfig(max_steps=1), tmp_path / "m", 0)


def test_rows_that_pad_a_vocabulary_take_no_part(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(objective=ObjectiveConfig(method="token_kd"), max_steps=2, **SETTINGS)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "plain", 0, small_model(7))
    teacher = small_model(7)
    teacher.resize_token_embeddings(len(tokenizer) + 5)
    with torch.no_grad():
        teacher.get_input_embeddings().weight[len(tokenizer) :] = 50.0
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "padded", 0, teacher)
    plain, padded = weights(tmp_path / "plain"), weights(tmp_path / "padded")
    for name, value in plain.items():
        torch.testing.assert_close(padded[name], value, msg=name)


def test_bf16_is_used_where_it_is_asked_for(trajectories, tokenizer, small_model, tmp_path) -> None:
    seen = []
    model = small_model(0)
    model.model.layers[0].mlp.register_forward_hook(
        lambda _, __, output: seen.append(output.dtype) if torch.is_grad_enabled() else None
    )
    for precision in ("fp32", "bf16"):
        config = TrainingConfig(max_steps=1, **{**SETTINGS, "precision": precision})
        train(model, tokenizer, trajectories, config, tmp_path / precision, 0)
    assert seen == [torch.float32, torch.bfloat16]
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    ids = torch.zeros(1, 3, dtype=torch.long, device=model.device)
    model(input_ids=ids)
    assert seen[-1] == torch.float32  # after training the model computes as before


def test_a_finished_run_is_not_run_again(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(max_steps=2, **SETTINGS)
    first = train(small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0)
    steps = []
    again = train(
        small_model(1), tokenizer, trajectories, config, tmp_path / "m", 0, progress=lambda *s: steps.append(s)
    )
    assert again == first
    assert steps == []
    assert not (tmp_path / "m" / "checkpoints").exists()
