"""Attention that was kept teaches what it would have taught while it was there, or is an error."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.training.test_attention_target import READS, found, logged, qwen3
from torch import Tensor
from transformers import PreTrainedModel

from spanwise.config import ObjectiveConfig, SignalConfig, TrainingConfig
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_trajectory
from spanwise.errors import SignalError
from spanwise.teacher import cache
from spanwise.teacher.cache import CachedAttention, CachedTeacher, Identity, verify_signals, write_signals
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import SparseSignal
from spanwise.teacher.store import SignalStore
from spanwise.training import attention_target
from spanwise.training.attention_target import (
    AttentionRecorder,
    AttentionTarget,
    Projections,
    query_blocks,
    sparse_attention,
)
from spanwise.training.batches import collate, model_inputs, row_key
from spanwise.training.projection import hidden_at
from spanwise.training.trainer import train
from spanwise.types import SpanKind

SETTINGS = {"precision": "fp32", "batch_tokens": 600, "log_every": 1, "learning_rate": 1e-2, "max_steps": 6}
IDENTITY = Identity("teacher", "tokenizer", 400, "fp32", SignalConfig())
VOCABULARY = 400


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(attention_target, "_BLOCK", 7)


@pytest.fixture
def rows(trajectories, tokenizer) -> list[TokenizedTrajectory]:
    return sorted((tokenize_trajectory(one, tokenizer) for one in trajectories[:5]), key=len)


@pytest.fixture
def sharp_model(small_model) -> Callable[[], PreTrainedModel]:
    """A teacher that prefers some tokens by far, and looks at few: as a trained one does."""

    def make() -> PreTrainedModel:
        model = small_model(7)
        with torch.no_grad():
            model.lm_head.weight.mul_(25.0)
            for layer in model.model.layers:
                layer.self_attn.q_norm.weight.fill_(4.0)
        return model

    return make


class Kept:
    """Attention of a teacher that reads now, at double precision, by as many tokens as it is told."""

    def __init__(self, teacher: PreTrainedModel, depth: int, most: int, mass: float) -> None:
        self.teacher, self.depth, self.most, self.mass = teacher, depth, most, mass

    def layer(self, number: int):
        return _Layer(self, number)


class _Layer:
    def __init__(self, kept: Kept, number: int) -> None:
        self.kept, self.number = kept, number

    def signal(self, batch, positions: Tensor) -> SparseSignal:
        teacher = self.kept.teacher
        recorder = AttentionRecorder({teacher: {self.number}})
        with recorder.installed(), recorder.listening():
            OnlineTeacher(teacher, VOCABULARY).signal(batch, positions)
        heard = recorder.take()[teacher, self.number]
        parts = list(sparse_attention(heard, *query_blocks(batch, positions), self.kept.most, self.kept.mass))
        widest = max(part.ids.shape[1] for part in parts)

        def wide(values: Tensor, fill: Tensor) -> Tensor:
            return torch.cat([values, fill.expand(-1, widest - values.shape[1])], dim=-1)

        return SparseSignal(
            torch.cat([wide(part.ids, part.ids[:, :1]) for part in parts]),
            torch.cat([wide(part.log_probs, torch.full_like(part.ids[:, :1], 1).log() - torch.inf) for part in parts]),
            torch.cat([part.tail_log_mass for part in parts]),
            torch.cat([part.entropy for part in parts]),
        )


def found_in(
    kept: Kept | CachedAttention, student: PreTrainedModel, layers: Literal["last", "all"], batch, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """The term over a batch, and each position's divergence, while no teacher reads along."""
    target, positions = AttentionTarget(student, kept, layers), batch["kind"] != SpanKind.CONTEXT  # type: ignore[arg-type]
    with target.recorder.installed(), target.recorder.listening():
        hidden_at(student, model_inputs(batch), positions)
    return target.loss(batch, positions, weight)


def weights_of(rows: list[TokenizedTrajectory]) -> Tensor:
    return torch.rand(sum(row.supervised for row in rows), generator=torch.Generator().manual_seed(2)).double()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layers", ["last", "all"])
def test_kept_as_a_whole_it_is_the_same_term(layers, packed, rows) -> None:
    """Loss and gradient."""
    student, teacher = qwen3(0, 2, 4, 2), qwen3(1, 5, 6, 3)
    batch, weight = collate(rows, packed), weights_of(rows)
    kept = Kept(teacher, 5, most=max(map(len, rows)), mass=1.0)
    ours = found_in(kept, student, layers, batch, weight)
    theirs = found(student, teacher, layers, batch, weight)
    torch.testing.assert_close(ours, theirs)
    parameters = list(student.parameters())
    gradients = [torch.autograd.grad(loss, parameters, allow_unused=True) for loss, _ in (ours, theirs)]
    for one, other in zip(*gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)
    assert ours[1].mean() > 0.01


@pytest.mark.parametrize("packed", [False, True])
def test_the_gradient_is_that_of_the_divergence_over_what_is_kept(packed, rows) -> None:
    student, teacher = qwen3(0, 1, 4, 2), qwen3(1, 1, 6, 3)
    batch, weight = collate(rows, packed), weights_of(rows)
    kept = Kept(teacher, 1, most=5, mass=0.9)
    loss, kl = found_in(kept, student, "last", batch, weight)
    signal = kept.layer(0).signal(batch, batch["kind"] != SpanKind.CONTEXT)
    student.set_attn_implementation("eager")
    expected, start = [], 0
    for row in rows:
        given = student(torch.from_numpy(row.input_ids)[None], output_attentions=True).attentions[0][0].mean(0)
        for column in (row.kind != SpanKind.CONTEXT).nonzero()[0].tolist():
            one = signal.at(torch.tensor([start]))
            recorded = one.log_probs[0] > -torch.inf
            looked_at = given[column][column - one.ids[0][recorded]]
            shares = torch.cat([one.log_probs[0][recorded].exp(), one.tail_log_mass.exp()])
            outcomes = torch.cat([looked_at, given[column].sum()[None] - looked_at.sum()])
            expected.append(torch.where(shares > 1e-9, shares * (shares / outcomes.clamp(min=1e-12)).log(), 0.0).sum())
            start += 1
    torch.testing.assert_close(kl, torch.stack(expected), rtol=1e-4, atol=1e-5)  # eager attention has an fp32 softmax
    parameters = dict(student.named_parameters())
    wanted = torch.autograd.grad((torch.stack(expected) * weight).sum(), list(parameters.values()), allow_unused=True)
    ours = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    for name, one, other in zip(parameters, ours, wanted, strict=True):
        if other is not None:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5, msg=name)


@given(seed=st.integers(0, 2**20), most=st.integers(1, 12), mass=st.sampled_from([0.3, 0.9, 0.999, 1.0]))
@settings(max_examples=40)
def test_what_is_kept_never_says_more_than_all(seed, most, mass) -> None:
    generator = torch.Generator().manual_seed(seed)

    def projections(heads: int) -> Projections:
        query, key = (torch.randn(1, heads, 9, 4, generator=generator) * 2 for _ in range(2))
        return Projections(query, key, 1.0)

    teacher, student = projections(3), projections(2)
    positions = torch.rand(1, 9, generator=generator) < 0.7
    positions[0, seed % 9] = True
    columns_N, blocks = query_blocks({}, positions)
    for block, part in zip(blocks, sparse_attention(teacher, columns_N, blocks, most, mass), strict=True):
        columns_n = columns_N[block.queries]
        given = attention_target._probabilities(student, block, columns_n, torch.float32)[0].mean(0).clamp(min=1e-38)
        local = replace(block, queries=slice(0, len(columns_n)))
        coarse = attention_target._Sparse(part).compare(local, columns_n, given)[0]
        dense = attention_target._Dense(teacher).compare(block, columns_n, given)[0]
        assert (coarse <= dense + 1e-5).all()
        assert (coarse >= -1e-5).all()
        looked_at = part.log_probs.exp().sum(-1)
        torch.testing.assert_close(looked_at + part.tail_log_mass.exp(), torch.ones(len(columns_n)))
        seen = columns_n - block.first + 1
        assert ((part.ids >= 0) & (part.ids < seen[:, None])).all()
        assert (part.entropy <= seen.log() + 1e-5).all()


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_read_is_what_was_seen_up_to_fp16(packed, rows, monkeypatch, tmp_path) -> None:
    """However it was written."""
    monkeypatch.setattr(cache, "ATTENTION_MASS", 1.0)
    monkeypatch.setattr(cache, "ATTENTION_MOST", 255)
    student, teacher = qwen3(0, 2, 4, 2), qwen3(1, 5, 6, 3)
    write_signals(tmp_path, IDENTITY, OnlineTeacher(teacher, VOCABULARY), rows, 300, packed=not packed, layers=range(5))
    batch, weight = collate(rows[::-1], packed), weights_of(rows)
    _, ours = found_in(CachedAttention(tmp_path), student, "all", batch, weight)
    _, theirs = found(student, teacher, "all", batch, weight)
    torch.testing.assert_close(ours, theirs, rtol=0.02, atol=2e-3)


@pytest.fixture
def cached(trajectories, tokenizer, sharp_model, tmp_path) -> Callable[..., CachedTeacher]:
    def make(layers: tuple[int, ...]) -> CachedTeacher:
        rows = [tokenize_trajectory(one, tokenizer) for one in trajectories]
        identity = Identity("teacher", "tokenizer", len(tokenizer), "fp32", SignalConfig(mass=1.0, most=255))
        write_signals(tmp_path / "signals", identity, OnlineTeacher(sharp_model(), len(tokenizer)), rows, layers=layers)
        return CachedTeacher(tmp_path / "signals")

    return make


@pytest.mark.parametrize(("layout", "layers"), [("packed", "all"), ("padded", "last")])
def test_a_cache_teaches_attention_as_the_teacher_does(
    layout, layers, trajectories, tokenizer, small_model, sharp_model, cached, tmp_path
) -> None:
    objective = ObjectiveConfig(method="token_kd", attention=1.0, attention_layers=layers)
    config = TrainingConfig(objective=objective, layout=layout, **SETTINGS)
    teacher = cached((0, 1) if layers == "all" else (1,))
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "cache", 0, teacher)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "online", 0, sharp_model())
    for one, other in zip(logged(tmp_path / "cache"), logged(tmp_path / "online"), strict=True):
        assert one.keys() == other.keys()
        of_few_tokens = {name for name in one if name.endswith("_agreement")}  # who agrees or not by a hair
        for name in one.keys() - of_few_tokens - {"tokens_per_second"}:
            assert one[name] == pytest.approx(other[name], rel=0.1), name
        assert 0.1 < one["act_attention_kl"] < other["act_attention_kl"]  # coarser, and there is something to learn


def test_a_cache_without_attention_teaches_all_the_rest(trajectories, tokenizer, small_model, cached, tmp_path) -> None:
    teacher = cached(())
    assert not (tmp_path / "signals/attention").exists()
    plain = TrainingConfig(objective=ObjectiveConfig(method="token_kd"), **{**SETTINGS, "max_steps": 1})
    assert train(small_model(0), tokenizer, trajectories, plain, tmp_path / "kd", 0, teacher).steps == 1
    config = TrainingConfig(objective=READS, **SETTINGS)
    with pytest.raises(SignalError, match=r"signals: holds no attention of the teacher, .*`spanwise cache` adds it"):
        train(small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0, teacher)
    deep = READS.model_copy(update={"attention_layers": "all"})
    with pytest.raises(SignalError, match=r"layer 0 \(of 2, which begin at 0; there are 1\); `spanwise cache` adds it"):
        train(
            *(small_model(0), tokenizer, trajectories, TrainingConfig(objective=deep, **SETTINGS), tmp_path / "m", 0),
            cached((1,)),
        )
    assert not (tmp_path / "m").exists()


def test_writing_goes_on_where_it_stopped(rows, tmp_path, monkeypatch) -> None:
    class Tired(OnlineTeacher):
        asked, patience = 0, 2

        def signal(self, batch, positions):
            self.asked += 1
            if self.asked > self.patience:
                raise KeyboardInterrupt
            return super().signal(batch, positions)

    def write(folder: Path, layers: tuple[int, ...], patience: int = 99) -> int:
        teacher = Tired(qwen3(1, 2, 4, 2), VOCABULARY)
        teacher.patience = patience
        write_signals(folder, IDENTITY, teacher, rows, batch_tokens=1, layers=layers)
        return teacher.asked

    write(tmp_path / "whole", (0, 1))
    folder = tmp_path / "cut"
    assert write(folder, ()) == len(rows)  # by a version that kept no attention
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        write(folder, (1,), patience=2)
    assert len(SignalStore(folder / "attention/1")) == 2
    assert write(folder, (1,)) == len(rows) - 2
    assert write(folder, (0, 1)) == len(rows)
    assert write(folder, (0, 1)) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    for layer in (0, 1):
        ours, theirs = (SignalStore(tmp_path / name / f"attention/{layer}") for name in ("cut", "whole"))
        for key in map(row_key, rows):
            assert [part.tobytes() for part in ours.row(key).values()] == [
                part.tobytes() for part in theirs.row(key).values()
            ]


def test_damaged_attention_is_found_and_another_teachers_refused(rows, tmp_path) -> None:
    teacher = OnlineTeacher(qwen3(1, 2, 4, 2), VOCABULARY)
    write_signals(tmp_path, IDENTITY, teacher, rows, layers=(1,))
    assert verify_signals(tmp_path, teacher, rows[:1]) == []
    (shard,) = (tmp_path / "attention/1").glob("*.safetensors")
    content = bytearray(shard.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[start + json.loads(content[8:start])["ids"]["data_offsets"][0]] ^= 1
    shard.write_bytes(content)
    first, *_ = verify_signals(tmp_path, teacher, rows[:1])
    assert first.startswith(f"{shard}: damaged: the row ")
    identity = tmp_path / "attention/1/identity.json"
    identity.write_text(identity.read_text().replace('"teacher": "teacher"', '"teacher": "another"'))
    with pytest.raises(SignalError, match="attention/1: its signals have another teacher: found another"):
        CachedAttention(tmp_path)
    with pytest.raises(SignalError, match="attention/1: its signals have another teacher: found another"):
        write_signals(tmp_path, IDENTITY, teacher, rows, layers=(1,))
