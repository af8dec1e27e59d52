"""Logits that exist for one chunk of positions at a time give the loss and the gradients of all of them at once."""

import math
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from spanwise.config import ArchitectureConfig, Divergence, ObjectiveConfig, TrainingConfig
from spanwise.errors import ModelError
from spanwise.teacher.signal import DeferredSignal, DenseSignal, SparseSignal, TeacherSignal, sparse_signal
from spanwise.training import projection
from spanwise.training.chunked_loss import chunked_span_loss
from spanwise.training.metrics import KindMetrics
from spanwise.training.models import create_model
from spanwise.training.objective import SpanObjective, SpanTerm, count, span_loss
from spanwise.training.projection import Head, check_head, hidden_at, logits_at, output_head, sum_over_chunks
from spanwise.training.trainer import train

N, H, V, ROWS = 12, 7, 19, 5  # ROWS of a chunk: the last one has two
KIND = torch.tensor([1, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 2], dtype=torch.int8)
LENGTH = torch.tensor([5, 5, 5, 5, 5, 2, 2, 2, 2, 3, 3, 3], dtype=torch.int32)
TARGETS = 5 * torch.arange(N) % V
SHAPE = ArchitectureConfig(hidden_size=16, intermediate_size=24, layers=2, heads=4, kv_heads=2, max_length=64)
SIZES = {
    "vocab_size": V,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(projection, "CHUNK_LOGITS", ROWS * V + V // 2)


def random_numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def linear() -> nn.Linear:
    head = nn.Linear(H, V, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(random_numbers(V, H, seed=1))
        head.bias.copy_(random_numbers(V, seed=2))
    return head


@pytest.fixture
def hidden() -> Tensor:
    return random_numbers(N, H, seed=3).requires_grad_()


@pytest.fixture
def dense() -> DenseSignal:
    return DenseSignal((2 * random_numbers(N, V, seed=4)).log_softmax(-1))


def llama(**others) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SIZES, **others))


def outcomes(signal: TeacherSignal, logits_V: Tensor, row: int, temperature: float) -> tuple[Tensor, Tensor]:
    """Probabilities of teacher and student at one position, each outcome's written out."""
    if isinstance(signal, DenseSignal):
        teacher, student = signal.log_probs[row].exp(), logits_V.softmax(-1)
    else:
        assert isinstance(signal, SparseSignal)
        chosen = signal.ids[row][signal.log_probs[row] > -torch.inf]
        others = torch.ones(V, dtype=torch.bool).index_fill(0, chosen, False)
        shares = logits_V.softmax(-1)
        student = torch.cat([shares[chosen], shares[others].sum()[None]])
        teacher = torch.cat([signal.log_probs[row, : len(chosen)].exp(), signal.tail_log_mass[row].exp()[None]])
    teacher, student = teacher ** (1 / temperature), student ** (1 / temperature)
    return teacher / teacher.sum(), student / student.sum()


def kl(first: Tensor, second: Tensor) -> Tensor:
    return (first * (first.log() - second.log())).sum()


def reference_loss(objective: SpanObjective, logits: Tensor, signal: TeacherSignal) -> Tensor:
    """The objective, position by position, in words of its definition."""
    total = torch.zeros((), dtype=torch.float64)
    for row in range(N):
        term = objective.reason if KIND[row] == 1 else objective.act
        p, q = outcomes(signal, logits[row], row, term.temperature)
        mixed = {
            "jsd": term.beta * p + (1 - term.beta) * q,
            "skew_forward_kl": term.alpha * p + (1 - term.alpha) * q,
            "skew_reverse_kl": (1 - term.alpha) * p + term.alpha * q,
        }.get(term.divergence, q)
        loss = {
            "forward_kl": lambda p=p, q=q: kl(p, q),
            "reverse_kl": lambda p=p, q=q: kl(q, p),
            "jsd": lambda p=p, q=q, m=mixed, b=term.beta: b * kl(p, m) + (1 - b) * kl(q, m),
            "skew_forward_kl": lambda p=p, m=mixed: kl(p, m),
            "skew_reverse_kl": lambda q=q, m=mixed: kl(q, m),
            "cross_entropy": lambda row=row: -logits[row].log_softmax(-1)[TARGETS[row]],
        }[term.divergence]()
        same_kind = KIND[row] == KIND
        denominator = {
            "token_sum": N,
            "kind_mean": int(same_kind.sum()),
            "span_mean": 2 * int(LENGTH[row]),  # two spans of each kind
        }[objective.reduction]
        total = total + term.weight * term.temperature**2 * loss / denominator
    return total


def assert_same_gradients(ours: Tensor, theirs: Tensor, wanted: list[Tensor], rtol: float = 1e-6) -> None:
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=0)
    found = torch.autograd.grad(3 * ours, wanted)  # whatever is done with the loss reaches the gradients
    for one, expected in zip(found, torch.autograd.grad(3 * theirs, wanted), strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(one, expected, rtol=rtol, atol=rtol * expected.abs().max().item())


@pytest.mark.parametrize("reduction", ["token_sum", "kind_mean", "span_mean"])
@pytest.mark.parametrize("kept", [None, 1, 4])
@pytest.mark.parametrize("divergence", get_args(Divergence))
def test_chunks_are_one_dense_computation(divergence, kept, reduction, hidden, linear, dense, small_chunks) -> None:
    signal = dense if kept is None else sparse_signal(dense, kept)
    hot = 1.0 if divergence == "cross_entropy" else 1.7
    term = SpanTerm(divergence, weight=1.3, temperature=hot, beta=0.3, alpha=0.2)
    head = Head(linear, (), V)
    assert head.chunk == ROWS
    for reason in (term, replace(term, weight=0.6), SpanTerm("reverse_kl", weight=0.6)):
        objective = SpanObjective(reason, term, reduction)
        found = chunked_span_loss(objective, head, hidden, TARGETS, KIND, LENGTH, count(KIND, LENGTH), signal)
        expected = reference_loss(objective, linear(hidden), signal)
        assert_same_gradients(found, expected, [hidden, linear.weight, linear.bias])


def test_denominators_are_those_of_the_whole_step(hidden, linear, dense, small_chunks) -> None:
    objective = SpanObjective(act=SpanTerm("jsd", weight=2.0), reduction="span_mean")
    counts = count(KIND, LENGTH)
    head = Head(linear, (), V)
    parts = [
        chunked_span_loss(
            objective, head, hidden[s], TARGETS[s], KIND[s], LENGTH[s], counts, dense.at(torch.arange(N)[s])
        )
        for s in (slice(0, 7), slice(7, N))
    ]
    assert_same_gradients(
        parts[0] + parts[1], reference_loss(objective, linear(hidden), dense), [hidden, linear.weight, linear.bias]
    )


@pytest.mark.parametrize("kept", [None, 4])
def test_chunks_keep_the_weights_of_their_positions(kept, hidden, linear, dense, small_chunks) -> None:
    signal = dense if kept is None else sparse_signal(dense, kept)
    weight = torch.linspace(0.0, 2.0, N)
    objective = SpanObjective(SpanTerm(hard=0.3), SpanTerm("reverse_kl", weight=2.0), "span_mean")
    counts = count(KIND, LENGTH, weight)
    found = chunked_span_loss(
        objective, Head(linear, (), V), hidden, TARGETS, KIND, LENGTH, counts, signal, weight=weight
    )
    expected = span_loss(objective, linear(hidden), TARGETS, KIND, LENGTH, counts, signal, weight)[0]
    assert_same_gradients(found, expected, [hidden, linear.weight, linear.bias])


@pytest.mark.parametrize("rows", [0, 1, ROWS, ROWS + 1])
def test_any_number_of_positions_can_be_summed_over(rows, linear, small_chunks) -> None:
    hidden = random_numbers(rows, H, seed=5).requires_grad_()
    seen = []

    def loss_of(chunk: Tensor, logits: Tensor) -> Tensor:
        seen.extend(chunk.tolist())
        return (logits.logsumexp(-1) * (1 + chunk)).sum()

    found = sum_over_chunks(loss_of, Head(linear, (), V), hidden)
    expected = (linear(hidden).logsumexp(-1) * (1 + torch.arange(rows))).sum()
    assert seen == list(range(rows))
    torch.testing.assert_close(found, expected)
    wanted = [hidden, linear.weight]
    for one, other in zip(torch.autograd.grad(found, wanted), torch.autograd.grad(expected, wanted), strict=True):
        torch.testing.assert_close(one, other)


def test_a_deferred_signal_is_the_dense_one(hidden, linear, small_chunks) -> None:
    states = random_numbers(N, 3, seed=6)
    weight = random_numbers(V, 3, seed=7)
    deferred = DeferredSignal(states, lambda rows: rows @ weight.T)
    dense = DenseSignal((states @ weight.T).log_softmax(-1))
    assert not deferred.sampled
    torch.testing.assert_close(deferred.entropy, dense.entropy)
    assert torch.equal(deferred.top, dense.top)
    for first, second in zip(deferred.align(linear(hidden), 2.0), dense.align(linear(hidden), 2.0), strict=True):
        torch.testing.assert_close(first, second)
    objective, head = SpanObjective(act=SpanTerm("reverse_kl")), Head(linear, (), V)
    found, expected = (
        chunked_span_loss(objective, head, hidden, TARGETS, KIND, LENGTH, count(KIND, LENGTH), signal)
        for signal in (deferred, dense)
    )
    assert_same_gradients(found, expected, [hidden, linear.weight])


@pytest.mark.parametrize("objective", [SpanObjective(), SpanObjective(act=SpanTerm("jsd"))])
def test_metrics_do_not_depend_on_chunks(objective, hidden, linear, dense, monkeypatch) -> None:
    taken = []
    for rows in (1, ROWS, N):
        monkeypatch.setattr(projection, "CHUNK_LOGITS", rows * V)
        metrics = KindMetrics(torch.device("cpu"))
        head = Head(linear, (), V)
        chunked_span_loss(objective, head, hidden, TARGETS, KIND, LENGTH, count(KIND, LENGTH), dense, metrics)
        taken.append(metrics.take(lambda values: values))
    assert taken[0] == pytest.approx(taken[2])
    assert taken[1] == pytest.approx(taken[2])
    logits = linear(hidden)
    divergences = [kl(dense.log_probs[row].exp(), logits[row].softmax(-1)).item() for row in range(N)]
    acts = [value for value, kind in zip(divergences, KIND, strict=True) if kind == 2]
    assert taken[1]["act_kl"] == pytest.approx(sum(acts) / len(acts))
    assert taken[1]["act_agreement"] == pytest.approx((logits.argmax(-1) == dense.top)[KIND == 2].double().mean())


def batch_of(model: PreTrainedModel, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Ids and positions: N of them, in two rows."""
    ids = torch.randint(V, (2, 9), generator=torch.Generator().manual_seed(seed))
    positions = torch.zeros(2, 9, dtype=torch.bool)
    positions[0, 2:9] = positions[1, 1:6] = True
    return ids, positions


def chunked_model_loss(model: nn.Module, dense: DenseSignal) -> Tensor:
    ids, positions = batch_of(model)
    hidden = hidden_at(model, {"input_ids": ids}, positions)
    objective = SpanObjective(act=SpanTerm("reverse_kl", weight=2.0))
    return chunked_span_loss(
        objective, output_head(model, V), hidden, TARGETS, KIND, LENGTH, count(KIND, LENGTH), dense
    )


def plain_model_loss(model: nn.Module, dense: DenseSignal) -> Tensor:
    ids, positions = batch_of(model)
    logits = model(input_ids=ids, use_cache=False).logits[positions][:, :V]
    objective = SpanObjective(act=SpanTerm("reverse_kl", weight=2.0))
    return span_loss(objective, logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH), dense)[0]


@pytest.mark.parametrize("tied", [True, False])
def test_tied_embeddings_get_the_gradients_of_both_their_uses(tied, dense, small_chunks) -> None:
    model = llama(tie_word_embeddings=tied).double()
    assert (model.lm_head.weight is model.model.embed_tokens.weight) == tied
    ours, theirs = chunked_model_loss(model, dense), plain_model_loss(model, dense)
    assert_same_gradients(ours, theirs, list(model.parameters()))


def test_a_frozen_head_gets_no_gradient_and_passes_one_on(dense, small_chunks) -> None:
    model = llama(tie_word_embeddings=False).double()
    model.lm_head.requires_grad_(False)
    assert_same_gradients(
        chunked_model_loss(model, dense), plain_model_loss(model, dense), list(model.model.parameters())
    )
    chunked_model_loss(model, dense).backward()
    assert model.lm_head.weight.grad is None


def test_a_frozen_body_lets_the_head_learn(dense, small_chunks) -> None:
    model = llama(tie_word_embeddings=False).double()
    model.model.requires_grad_(False)
    assert_same_gradients(chunked_model_loss(model, dense), plain_model_loss(model, dense), [model.lm_head.weight])


def test_rows_that_pad_the_vocabulary_have_no_part_in_it(dense, small_chunks) -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**{**SIZES, "vocab_size": V + 6}, tie_word_embeddings=False)).double()
    ours, theirs = chunked_model_loss(model, dense), plain_model_loss(model, dense)
    assert_same_gradients(ours, theirs, list(model.parameters()))
    chunked_model_loss(model, dense).backward()
    assert (model.lm_head.weight.grad[V:] == 0).all()


def test_gradient_checkpointing_changes_nothing(dense, small_chunks) -> None:
    model = llama().double().train()
    expected = plain_model_loss(model, dense)
    calls = []
    model.model.layers[0].mlp.register_forward_pre_hook(lambda *_: calls.append(0))
    model.activation_checkpointing_enable({"use_reentrant": False})
    assert_same_gradients(chunked_model_loss(model, dense), expected, list(model.parameters()))
    assert len(calls) == 2  # once more for the gradient


def test_bf16_comes_close_and_leaves_gradients_in_fp32(dense, small_chunks) -> None:
    model, dense = llama(), DenseSignal(dense.log_probs.float())
    expected = torch.autograd.grad(chunked_model_loss(model, dense), list(model.parameters()))
    with torch.autocast("cpu", torch.bfloat16):
        loss = chunked_model_loss(model, dense)
        seen = output_head(model, V)(torch.zeros(1, 16))
    assert seen.dtype == torch.bfloat16
    loss.backward()
    assert loss.item() == pytest.approx(chunked_model_loss(model, dense).item(), rel=0.02)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        assert parameter.grad.dtype == torch.float32
        assert nn.functional.cosine_similarity(parameter.grad.flatten(), gradient.flatten(), dim=0) > 0.99


def test_without_gradients_there_is_only_a_loss(dense, small_chunks, monkeypatch) -> None:
    model, dense = llama(), DenseSignal(dense.log_probs.float())
    monkeypatch.setattr(torch.autograd, "grad", lambda *_: pytest.fail("a gradient was taken"))
    with torch.no_grad():
        loss = chunked_model_loss(model, dense)
        torch.testing.assert_close(loss, plain_model_loss(model, dense))
    assert not loss.requires_grad
    model.requires_grad_(False)
    assert not chunked_model_loss(model, dense).requires_grad


@pytest.mark.parametrize("method", ["sft", "sad", "language_model"])
def test_training_never_projects_more_than_a_chunk(
    method, trajectories, tokenizer, small_model, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(projection, "CHUNK_LOGITS", 40 * len(tokenizer))
    student, teacher = small_model(0), small_model(7)
    seen: dict[str, list[int]] = {"student": [], "teacher": []}
    for name, model in (("student", student), ("teacher", teacher)):
        model.get_output_embeddings().register_forward_hook(
            lambda _, inputs, __, rows=seen[name]: rows.append(math.prod(inputs[0].shape[:-1]))
        )
    config = TrainingConfig(objective=ObjectiveConfig(method=method), max_steps=1, precision="fp32", batch_tokens=900)
    train(student, tokenizer, trajectories, config, tmp_path / "m", 0, teacher)
    assert max(seen["student"]) == 40
    assert seen["student"].count(40) > 1
    assert sum(seen["student"]) < 2 * 900
    assert max(seen["teacher"], default=0) == (40 if method == "sad" else 0)


def test_logits_at_some_positions_are_those_of_the_whole(tokenizer) -> None:
    model = create_model(SHAPE, tokenizer, 0).eval()
    ids = torch.arange(10).view(2, 5)
    positions = torch.tensor([[False, True, False, True, True], [True, False, False, False, False]])
    expected = model(input_ids=ids).logits[positions]
    torch.testing.assert_close(logits_at(model, ids, positions, len(tokenizer)), expected)
    torch.testing.assert_close(logits_at(model, ids, positions, 7), expected[:, :7])
    assert model(input_ids=ids).logits.shape == (2, 5, len(tokenizer))  # and the model is as before


def test_the_head_sees_no_other_position(tokenizer) -> None:
    model = create_model(SHAPE, tokenizer, 0)
    seen = []
    model.get_output_embeddings().register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape)))
    logits_at(model, torch.zeros(2, 5, dtype=torch.long), torch.eye(2, 5, dtype=torch.bool), len(tokenizer))
    assert seen == [(0, 5, 16), (2, 16)]


def test_an_error_in_the_model_leaves_its_head_as_it_was() -> None:
    model = llama()
    with pytest.raises(IndexError):
        hidden_at(model, {"input_ids": torch.full((1, 3), V)}, torch.ones(1, 3, dtype=torch.bool))
    assert model(input_ids=torch.zeros(1, 3, dtype=torch.long)).logits.shape == (1, 3, V)


def gemma2() -> PreTrainedModel:
    return Gemma2ForCausalLM(Gemma2Config(**SIZES, final_logit_softcapping=0.03))


def cohere() -> PreTrainedModel:
    config = {name: value for name, value in SIZES.items() if name != "head_dim"}
    return CohereForCausalLM(CohereConfig(**config, logit_scale=7.0))


def granite() -> PreTrainedModel:
    config = {name: value for name, value in SIZES.items() if name != "head_dim"}
    return GraniteForCausalLM(GraniteConfig(**config, logits_scaling=0.05))


@pytest.mark.parametrize("make", [gemma2, cohere, granite])
def test_what_a_model_does_to_its_logits_is_done(make, dense, small_chunks) -> None:
    torch.manual_seed(0)
    model = make().double().eval()
    ids, positions = batch_of(model)
    expected = model(input_ids=ids).logits[positions]
    raw = model.get_output_embeddings()(hidden_at(model, {"input_ids": ids}, positions))
    assert (raw - expected).abs().max() > 0.1  # it does something
    torch.testing.assert_close(logits_at(model, ids, positions, V), expected)
    check_head(model)
    ours, theirs = chunked_model_loss(model, dense), plain_model_loss(model, dense)
    assert_same_gradients(ours, theirs, [one for one in model.parameters() if one.requires_grad])


class Shifted(LlamaForCausalLM):
    """Does something to its logits that no key of its configuration tells."""

    def forward(self, *arguments, **others):
        output = super().forward(*arguments, **others)
        output.logits = output.logits + torch.arange(output.logits.shape[-1])
        return output


@pytest.mark.parametrize("training", [True, False])
def test_a_model_whose_logits_are_not_its_heads_is_an_error(training, small_model) -> None:
    torch.manual_seed(0)
    with pytest.raises(ModelError, match=r"Shifted changes its logits after the head .*final_logit_softcapping"):
        check_head(Shifted(LlamaConfig(**SIZES)))
    model = small_model(0).train(training)
    check_head(model)
    assert model.training == training
