"""What is minimised: identities between objectives, and what has no gradient."""

import pytest
import torch

from spanwise.config import ObjectiveConfig, TermConfig
from spanwise.teacher.signal import DenseSignal, dense_signal, sampled_signal
from spanwise.training import divergences
from spanwise.training.objective import SpanObjective, SpanTerm, build_objective, count, span_loss
from spanwise.types import SpanKind

N, V = 12, 9
KIND = torch.tensor([1, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 2], dtype=torch.int8)
LENGTH = torch.tensor([5, 5, 5, 5, 5, 2, 2, 2, 2, 3, 3, 3])


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(N, V, generator=torch.Generator().manual_seed(0), dtype=torch.float64).float().requires_grad_()


@pytest.fixture
def signal() -> DenseSignal:
    return dense_signal(2 * torch.randn(N, V, generator=torch.Generator().manual_seed(1)))


TARGETS = torch.arange(N) % V


def loss_and_gradient(objective: SpanObjective, logits: torch.Tensor, signal: DenseSignal):
    loss, _ = span_loss(objective, logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH), signal)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), gradient


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jsd", "cross_entropy"])
def test_sad_with_equal_terms_and_token_sum_is_token_kd_to_the_bit(divergence, logits, signal) -> None:
    term = TermConfig(divergence=divergence)
    sad = build_objective(ObjectiveConfig(method="sad", reason=term, act=term, reduction="token_sum"))
    token_kd = build_objective(ObjectiveConfig(method="token_kd", act=term))
    first, second = loss_and_gradient(sad, logits, signal), loss_and_gradient(token_kd, logits, signal)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_token_kd_is_the_mean_kl_of_a_dense_reference(logits, signal) -> None:
    objective = build_objective(ObjectiveConfig(method="token_kd"))
    loss, gradient = loss_and_gradient(objective, logits, signal)
    reference = torch.nn.functional.kl_div(
        logits.double().log_softmax(-1), signal.log_probs.double(), reduction="batchmean", log_target=True
    )
    (expected,) = torch.autograd.grad(reference, logits)
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("reduction", ["kind_mean", "span_mean"])
def test_reductions_against_loops(reduction, logits, signal) -> None:
    objective = SpanObjective(SpanTerm(weight=0.7), SpanTerm("reverse_kl", weight=1.3), reduction)
    loss, _ = loss_and_gradient(objective, logits, signal)
    student = logits.detach().log_softmax(-1)
    forward = divergences.forward_kl(signal.log_probs, student)
    reverse = divergences.reverse_kl(signal.log_probs, student)
    if reduction == "kind_mean":
        expected = 0.7 * forward[KIND == 1].mean() + 1.3 * reverse[KIND == 2].mean()
    else:
        reason = (forward[0:5].mean() + forward[7:9].mean()) / 2
        expected = 0.7 * reason + 1.3 * (reverse[5:7].mean() + reverse[9:12].mean()) / 2
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("reduction", ["token_sum", "kind_mean", "span_mean"])
def test_weights_of_tokens_against_loops(reduction, logits, signal) -> None:
    """A kind's loss is a weighted mean, whatever the weights add up to."""
    objective = SpanObjective(SpanTerm(weight=0.7), SpanTerm("reverse_kl", weight=1.3), reduction)
    weight = torch.linspace(0.0, 0.3, N)
    loss, _ = span_loss(objective, logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH, weight), signal, weight)
    student = logits.detach().log_softmax(-1)
    forward = divergences.forward_kl(signal.log_probs, student)
    reverse = divergences.reverse_kl(signal.log_probs, student)
    expected = torch.zeros(())
    for kind, term, values in ((1, objective.reason, forward), (2, objective.act, reverse)):
        own = weight / LENGTH if reduction == "span_mean" else weight
        among = torch.ones(N, dtype=torch.bool) if reduction == "token_sum" else kind == KIND
        expected += term.weight * (own * values)[kind == KIND].sum() / own[among].sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("reduction", ["token_sum", "kind_mean", "span_mean"])
def test_equal_weights_change_nothing(reduction, logits, signal) -> None:
    objective = SpanObjective(act=SpanTerm("jsd"), reduction=reduction)
    plain, _ = loss_and_gradient(objective, logits, signal)
    for factor, same in ((1.0, torch.equal), (0.25, torch.allclose)):
        weight = torch.full((N,), factor)
        counts = count(KIND, LENGTH, weight)
        assert same(span_loss(objective, logits, TARGETS, KIND, LENGTH, counts, signal, weight)[0].detach(), plain)


def test_focus_on_cross_entropy_is_the_focal_loss(logits, signal) -> None:
    objective = SpanObjective(SpanTerm("cross_entropy", focus=2.0), SpanTerm("cross_entropy"), "token_sum")
    loss, gradient = loss_and_gradient(objective, logits, signal)
    chosen = logits.softmax(-1)[torch.arange(N), TARGETS]
    exponent = torch.where(KIND == 1, 2.0, 0.0)
    expected = (-((1 - chosen) ** exponent) * chosen.log()).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, logits)[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("focus", [1.0, 2.0])
def test_focus_leaves_what_is_learnt_and_keeps_to_what_is_not(focus, logits) -> None:
    equal = dense_signal(logits.detach())
    term = SpanTerm(focus=focus)
    loss, gradient = loss_and_gradient(SpanObjective(term, term), logits, equal)
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert gradient.isfinite().all()
    assert gradient.abs().max() < 1e-6
    near = dense_signal(logits.detach() + 0.1 * torch.randn(N, V, generator=torch.Generator().manual_seed(2)))
    far = near.log_probs.clone()
    far[0] = dense_signal(torch.eye(V)[:1] * 20).log_probs[0]
    shares = []
    for one in (SpanTerm(), term):
        _, gradient = loss_and_gradient(SpanObjective(one, one), logits, DenseSignal(far))
        shares.append((gradient[0].norm() / gradient.norm()).item())
    assert shares[1] > shares[0]


def test_what_is_logged_knows_no_focus(logits, signal) -> None:
    counts = count(KIND, LENGTH)
    plain, focused = (
        span_loss(SpanObjective(term, term), logits, TARGETS, KIND, LENGTH, counts, signal)[1]
        for term in (SpanTerm(), SpanTerm(focus=1.0))
    )
    assert torch.equal(plain, focused)


def test_hard_labels_are_mixed_in(logits, signal) -> None:
    student = logits.detach()
    soft = divergences.reverse_kl((signal.log_probs / 2).log_softmax(-1), (student / 2).log_softmax(-1))
    mixed = SpanTerm("reverse_kl", temperature=2.0, hard=0.25)
    loss, _ = loss_and_gradient(SpanObjective(mixed, mixed, "token_sum"), logits, signal)
    expected = 0.75 * 4 * soft + 0.25 * divergences.cross_entropy(student, TARGETS)
    assert loss.item() == pytest.approx(expected.mean().item(), rel=1e-5)
    assert not SpanTerm(hard=0.25).is_plain_kl


def test_hard_labels_can_be_mixed_into_a_sample(logits) -> None:
    dense = dense_signal(2 * torch.randn(N, V, generator=torch.Generator().manual_seed(1)))
    sample = sampled_signal(dense, 20, torch.Generator().manual_seed(0))
    terms = [SpanTerm(), SpanTerm("cross_entropy"), SpanTerm(hard=0.5)]
    soft, hard, mixed = (
        span_loss(SpanObjective(term, term), logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH), sample)[0]
        for term in terms
    )
    torch.testing.assert_close(mixed, (soft + hard) / 2)


def test_without_segmentation_it_is_the_plain_mean_that_token_kd_is(logits, signal) -> None:
    flat = build_objective(ObjectiveConfig(method="sad", act=TermConfig(divergence="jsd"), segmentation="none"))
    token_kd = build_objective(ObjectiveConfig(method="token_kd", act=TermConfig(divergence="jsd")))
    kind, length = torch.full_like(KIND, 2), torch.full_like(LENGTH, N)
    ours, _ = span_loss(flat, logits, TARGETS, kind, length, count(kind, length), signal)
    assert torch.equal(ours.detach(), loss_and_gradient(token_kd, logits, signal)[0])


def test_a_kind_of_weight_zero_asks_no_teacher(logits) -> None:
    config = ObjectiveConfig(method="sad", reason=TermConfig(weight=0.0), act=TermConfig(divergence="cross_entropy"))
    assert not config.needs_teacher
    loss, _ = span_loss(build_objective(config), logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH), None)
    assert loss.item() == pytest.approx(divergences.cross_entropy(logits, TARGETS)[KIND == 2].mean().item())


def test_kind_mean_differs_from_token_sum(logits, signal) -> None:
    by_kind, _ = loss_and_gradient(SpanObjective(reduction="kind_mean"), logits, signal)
    plain, _ = loss_and_gradient(SpanObjective(reduction="token_sum"), logits, signal)
    assert by_kind.item() != pytest.approx(plain.item(), rel=1e-3)


def test_losses_of_parts_add_up_to_the_loss_of_the_whole(logits, signal) -> None:
    objective = SpanObjective(act=SpanTerm("jsd"), reduction="span_mean")
    counts = count(KIND, LENGTH)
    whole, _ = span_loss(objective, logits, TARGETS, KIND, LENGTH, counts, signal)
    parts = [
        span_loss(objective, logits[s], TARGETS[s], KIND[s], LENGTH[s], counts, DenseSignal(signal.log_probs[s]))[0]
        for s in (slice(0, 7), slice(7, 12))
    ]
    torch.testing.assert_close(whole, parts[0] + parts[1])


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_divergences_are_zero_between_equals_and_positive_otherwise(beta, logits, signal) -> None:
    student, teacher = logits.detach().double().log_softmax(-1), signal.log_probs.double()
    for divergence in (
        divergences.forward_kl,
        divergences.reverse_kl,
        lambda first, second: divergences.jsd(first, second, beta),
    ):
        assert divergence(student, student).abs().max() < 1e-12
        assert (divergence(teacher, student) > 1e-4).all()


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jsd", "cross_entropy"])
def test_gradients_by_finite_differences(divergence, signal) -> None:
    teacher = signal.log_probs[:2].double()

    def loss(logits: torch.Tensor) -> torch.Tensor:
        student = logits.log_softmax(-1)
        return {
            "forward_kl": lambda: divergences.forward_kl(teacher, student),
            "reverse_kl": lambda: divergences.reverse_kl(teacher, student),
            "jsd": lambda: divergences.jsd(teacher, student, 0.3),
            "cross_entropy": lambda: divergences.cross_entropy(student, TARGETS[:2]),
        }[divergence]().sum()

    start = torch.randn(2, V, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).requires_grad_()
    assert torch.autograd.gradcheck(loss, (start,))


def test_without_a_teacher_a_divergence_is_an_error(logits) -> None:
    with pytest.raises(ValueError, match="needs a teacher"):
        span_loss(SpanObjective(), logits, TARGETS, KIND, LENGTH, count(KIND, LENGTH), None)


def test_weights_of_zero_leave_one_kind_without_gradient(logits, signal) -> None:
    _, gradient = loss_and_gradient(SpanObjective(reason=SpanTerm(weight=0.0)), logits, signal)
    assert (gradient[int(SpanKind.REASON) == KIND] == 0).all()
    assert (gradient[int(SpanKind.ACT) == KIND] != 0).any()
