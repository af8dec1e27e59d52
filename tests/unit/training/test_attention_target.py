"""The term is what its formula says, whatever the layout, the kernel and the split of a step; and it is learnt."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from spanwise.config import ObjectiveConfig, TrainingConfig
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_trajectory
from spanwise.errors import ModelError
from spanwise.teacher.online import OnlineTeacher
from spanwise.training import attention_target
from spanwise.training.attention import fast_attention
from spanwise.training.attention_target import AttentionTarget
from spanwise.training.batches import collate, model_inputs
from spanwise.training.projection import hidden_at
from spanwise.training.trainer import train
from spanwise.types import SpanKind

SETTINGS = {"precision": "fp32", "batch_tokens": 600, "log_every": 1, "learning_rate": 1e-3, "max_steps": 2}
READS = ObjectiveConfig(method="token_kd", attention=2.0)
SIZES = {"vocab_size": 400, "hidden_size": 16, "intermediate_size": 16, "head_dim": 4, "pad_token_id": 0}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(attention_target, "_BLOCK", 7)


@pytest.fixture
def rows(trajectories, tokenizer) -> list[TokenizedTrajectory]:
    return sorted((tokenize_trajectory(one, tokenizer) for one in trajectories[:5]), key=len)


def qwen3(seed: int, layers: int, heads: int, key_heads: int, implementation: str = "sdpa") -> PreTrainedModel:
    torch.manual_seed(seed)
    shape = {"num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": key_heads}
    model = Qwen3ForCausalLM(Qwen3Config(**SIZES, **shape, attn_implementation=implementation)).double()
    with torch.no_grad():  # so that heads look at something
        for layer in model.model.layers:
            layer.self_attn.q_norm.weight.fill_(2.0)
    return model


def found(
    student: PreTrainedModel, teacher: PreTrainedModel, layers, batch, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The term over a batch, and each position's divergence."""
    target, positions = AttentionTarget(student, teacher, layers), batch["kind"] != SpanKind.CONTEXT
    weight = torch.ones(int(positions.sum()), dtype=torch.float64) if weight is None else weight
    with target.recorder.installed(), target.recorder.listening():
        hidden_at(student, model_inputs(batch), positions)
        OnlineTeacher(teacher, SIZES["vocab_size"]).signal(batch, positions)
    return target.loss(batch, positions, weight)


def dense(student: PreTrainedModel, teacher: PreTrainedModel, pairs, rows) -> Tensor:
    """Each position's divergence, by the attention that eager models give away, a row at a time."""
    for model in (student, teacher):
        model.set_attn_implementation("eager")
    values = []
    for row in rows:
        ids = torch.from_numpy(row.input_ids)[None]
        ours, theirs = (model(ids, output_attentions=True).attentions for model in (student, teacher))
        supervised = torch.from_numpy(row.kind != SpanKind.CONTEXT)
        of_pairs = []
        for of_student, of_teacher in pairs:
            wanted = theirs[of_teacher][0].detach().mean(0)[supervised]
            given = ours[of_student][0].mean(0)[supervised]
            seen = wanted > 0
            of_pairs.append(torch.where(seen, wanted * (wanted / given.where(seen, 1.0)).log(), 0.0).sum(-1))
        values.append(torch.stack(of_pairs).mean(0))
    return torch.cat(values)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("implementation", ["sdpa", "fast", "eager"])
@pytest.mark.parametrize(("layers", "pairs"), [("last", [(1, 4)]), ("all", [(0, 2), (1, 4)])])
def test_it_is_the_divergence_of_the_attention_of_eager_models(layers, pairs, implementation, packed, rows) -> None:
    kind = "eager" if implementation == "eager" else "sdpa"
    student, teacher = qwen3(0, 2, 4, 2, kind), qwen3(1, 5, 6, 3, kind)
    weight = torch.rand(sum(row.supervised for row in rows), generator=torch.Generator().manual_seed(2)).double()
    with fast_attention(*([student, teacher] if implementation == "fast" else [])):
        loss, kl = found(student, teacher, layers, collate(rows, packed), weight)
    parameters = dict(student.named_parameters())
    gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    expected = dense(student, teacher, pairs, rows)
    close = {"rtol": 1e-4, "atol": 1e-6}  # eager attention has an fp32 softmax
    torch.testing.assert_close(kl, expected.detach(), **close)
    torch.testing.assert_close(loss, (expected * weight).sum(), **close)
    wanted = torch.autograd.grad((expected * weight).sum(), list(parameters.values()), allow_unused=True)
    for name, ours, theirs in zip(parameters, gradients, wanted, strict=True):
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5, msg=name)
    assert expected.mean() > 0.01


def test_pairs_are_as_deep() -> None:
    shapes = {(3, 4): [(0, 1), (1, 2), (2, 3)], (4, 2): [(0, 0), (1, 0), (2, 1), (3, 1)], (2, 2): [(0, 0), (1, 1)]}
    for (of_student, of_teacher), pairs in shapes.items():
        student, teacher = qwen3(0, of_student, 2, 2), qwen3(0, of_teacher, 2, 2)
        assert AttentionTarget(student, teacher, "all").pairs == pairs
        assert AttentionTarget(student, teacher, "last").pairs == pairs[-1:]


def test_a_student_that_is_the_teacher_has_nothing_to_learn(rows) -> None:
    loss, kl = found(qwen3(0, 2, 4, 2), qwen3(0, 2, 4, 2), "all", collate(rows))
    assert loss == 0
    assert (kl == 0).all()


@pytest.mark.parametrize("packed", [False, True])
def test_only_what_was_read_by_then_in_the_same_row_gets_a_gradient(packed, rows) -> None:
    student, teacher = qwen3(0, 1, 4, 2), qwen3(1, 1, 2, 1)
    batch = collate(rows, packed)
    positions = (batch["kind"] != SpanKind.CONTEXT).nonzero()
    rank = len(positions) // 2
    weight = torch.zeros(len(positions), dtype=torch.float64)
    weight[rank] = 1.0
    loss, _ = found(student, teacher, "last", batch, weight)
    row, column = positions[rank].tolist()
    embedded = torch.autograd.grad(loss, student.get_input_embeddings().weight)[0]
    first = 0 if not packed else max(border for border in batch["borders"].tolist() if border <= column)
    read = batch["input_ids"][row, first : column + 1].unique()
    reached = embedded.abs().sum(-1).nonzero()[:, 0]
    assert set(reached.tolist()) <= set(read.tolist())
    context = batch["input_ids"][row, first : column + 1][batch["kind"][row, first : column + 1] == SpanKind.CONTEXT]
    assert set(reached.tolist()) & set(context.tolist())


def test_what_only_computes_activations_again_is_not_heard(rows) -> None:
    student, teacher, batch = qwen3(0, 2, 4, 2), qwen3(1, 2, 4, 2), collate(rows)
    target = AttentionTarget(student, teacher, "last")
    everything = batch["valid"]
    with target.recorder.installed():
        with target.recorder.listening():
            hidden_at(teacher, model_inputs(batch), everything)
        hidden_at(student, model_inputs(batch), everything)
    with pytest.raises(ModelError, match="layer 1 of Qwen3ForCausalLM does not compute attention in the way of"):
        target.loss(batch, everything, torch.ones(int(everything.sum())))


@pytest.mark.parametrize("change", ["sliding_window", "softcap"])
def test_attention_of_another_kind_is_refused(change, rows) -> None:
    sizes = {**SIZES, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    if change == "softcap":
        capped = Gemma2Config(**sizes, layer_types=["full_attention"] * 2, attn_implementation="eager")
        model = Gemma2ForCausalLM(capped)
    else:
        model = MistralForCausalLM(MistralConfig(**sizes, sliding_window=3))
    with pytest.raises(ModelError, match=f"has attention with {change}, which objective.attention does not know"):
        found(model, qwen3(1, 2, 4, 2), "last", collate(rows))


def weights(folder: Path) -> dict[str, Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def logged(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def assert_same_training(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5, msg=name)
    for one, other in zip(logged(first), logged(second), strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - {"tokens_per_second"}:
            assert one[name] == pytest.approx(other[name], rel=1e-3, abs=2e-6), name


@pytest.mark.parametrize("layers", ["last", "all"])
def test_a_step_is_the_same_however_it_is_split_and_laid_out(
    layers, trajectories, tokenizer, small_model, tmp_path
) -> None:
    """Tokens that count differently included."""
    reads = ObjectiveConfig(method="sad", attention=2.0, attention_layers=layers, decisions=4.0, reduction="span_mean")
    common = {**SETTINGS, "objective": reads, "optimizer": "adamw", "warmup": 0.0}
    ways = {
        "together": {"batch_tokens": 10_000, "layout": "padded"},
        "apart": {"batch_tokens": 1, "accumulation": len(trajectories), "layout": "padded"},
        "packed": {"batch_tokens": 10_000, "layout": "packed"},
        "again": {"batch_tokens": 10_000, "activation_checkpointing": True},
    }
    for name, way in ways.items():
        config = TrainingConfig.model_validate({**common, **way})
        train(small_model(0), tokenizer, trajectories, config, tmp_path / name, 0, small_model(7))
    assert {"reason_attention_kl", "act_attention_kl"} <= logged(tmp_path / "together")[0].keys()
    for name in ways.keys() - {"together"}:
        assert_same_training(tmp_path / name, tmp_path / "together")


def test_it_is_learnt(trajectories, tokenizer, small_model, tmp_path) -> None:
    teacher = small_model(7)
    with torch.no_grad():
        teacher.model.layers[-1].self_attn.q_norm.weight.fill_(4.0)
    for name, objective in (("plain", ObjectiveConfig(method="token_kd")), ("reads", READS)):
        config = TrainingConfig.model_validate({**SETTINGS, "objective": objective, "max_steps": 15, "warmup": 0.0})
        train(small_model(0), tokenizer, trajectories, config, tmp_path / name, 0, teacher)
    lines = logged(tmp_path / "reads")
    assert lines[-1]["act_attention_kl"] < 0.9 * lines[0]["act_attention_kl"]
    assert "act_attention_kl" not in logged(tmp_path / "plain")[0]
    mean = lines[0]["loss"] - logged(tmp_path / "plain")[0]["loss"]
    kinds = [lines[0][f"{kind}_attention_kl"] for kind in ("reason", "act")]
    assert 2 * min(kinds) <= mean <= 2 * max(kinds)  # its weight is 2


@pytest.mark.filterwarnings("ignore")  # of torch, about itself
def test_compiled_layers_are_heard_and_then_compute_as_before(trajectories, tokenizer, small_model, tmp_path) -> None:
    plain = ObjectiveConfig(method="token_kd")
    for name, objective, compiled in (("a", READS, False), ("b", READS, True), ("c", plain, True), ("d", READS, True)):
        config = TrainingConfig.model_validate({**SETTINGS, "objective": objective, "compile": compiled})
        train(small_model(0), tokenizer, trajectories, config, tmp_path / name, 0, small_model(7))
    for name in ("b", "d"):
        for one, other in zip(logged(tmp_path / name), logged(tmp_path / "a"), strict=True):
            for quantity in ("loss", "act_attention_kl", "grad_norm"):
                assert one[quantity] == pytest.approx(other[quantity], rel=1e-3), quantity


def test_compiled_eager_attention_is_refused(trajectories, tokenizer, small_model, tmp_path) -> None:
    student = small_model(0)
    student.set_attn_implementation("eager")
    config = TrainingConfig.model_validate({**SETTINGS, "objective": READS, "compile": True})
    with pytest.raises(ModelError, match="hears no eager attention that is compiled: set compile = false"):
        train(student, tokenizer, trajectories, config, tmp_path / "m", 0, small_model(7))


def test_a_cache_knows_nothing_of_attention(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig.model_validate({**SETTINGS, "objective": READS})
    cached = OnlineTeacher(small_model(7), len(tokenizer))  # any teacher that is not a model
    with pytest.raises(ModelError, match=r'teacher that reads along.*source = "online".*objective.attention = 0.0'):
        train(small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0, cached)
    assert not (tmp_path / "m").exists()


def test_attention_is_as_before_when_it_is_over() -> None:
    model, teacher = qwen3(0, 1, 2, 2), qwen3(0, 1, 2, 2, "eager")
    before = dict(attention_target.ALL_ATTENTION_FUNCTIONS)
    with AttentionTarget(model, teacher, "last").recorder.installed():
        assert dict(attention_target.ALL_ATTENTION_FUNCTIONS) != before
    assert dict(attention_target.ALL_ATTENTION_FUNCTIONS) == before
