"""A sparse signal loses resolution, never mass."""

import pytest
import torch

from spanwise.teacher.signal import DenseSignal, SparseSignal, dense_signal, sparse_signal
from spanwise.training import divergences

N, V = 6, 11


def random_logits(seed: int) -> torch.Tensor:
    return 2 * torch.randn(N, V, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def teacher() -> DenseSignal:
    return DenseSignal(random_logits(0).log_softmax(-1))


@pytest.fixture
def student() -> torch.Tensor:
    return random_logits(1).log_softmax(-1)


DIVERGENCES = {
    "forward_kl": divergences.forward_kl,
    "reverse_kl": divergences.reverse_kl,
    "jsd": lambda teacher, student: divergences.jsd(teacher, student, 0.3),
}


def test_outcomes_of_a_sparse_signal_are_distributions(teacher, student) -> None:
    for log_probs in sparse_signal(teacher, 3).align(student, 1.0):
        assert log_probs.shape == (N, 4)
        torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(N, dtype=torch.float64))


def test_the_student_is_read_at_the_teachers_tokens(teacher, student) -> None:
    _, aligned = sparse_signal(teacher, 2).align(student, 1.0)
    for row in range(N):
        likeliest = sorted(range(V), key=lambda token, row=row: -teacher.log_probs[row, token].item())[:2]
        assert aligned[row, :2].tolist() == pytest.approx([student[row, token].item() for token in likeliest])
        rest = sum(student[row, token].exp().item() for token in range(V) if token not in likeliest)
        assert aligned[row, 2].exp().item() == pytest.approx(rest)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_more_tokens_bring_a_sparse_divergence_closer_to_the_dense_one(name, teacher, student) -> None:
    dense = DIVERGENCES[name](teacher.log_probs, student)
    sparse = [DIVERGENCES[name](*sparse_signal(teacher, size).align(student, 1.0)) for size in range(1, V + 1)]
    for smaller, larger in zip(sparse, [*sparse[1:], dense], strict=True):
        assert (smaller <= larger + 1e-12).all()
    torch.testing.assert_close(sparse[-1], dense)  # all tokens recorded: the same


@pytest.mark.parametrize("name", DIVERGENCES)
@pytest.mark.parametrize("size", [1, 4, V])
def test_sparse_divergences_vanish_between_equals_and_have_finite_gradients(name, size, teacher) -> None:
    same = teacher.log_probs.clone().requires_grad_()
    divergence = DIVERGENCES[name](*sparse_signal(teacher, size).align(same, 1.0))
    assert divergence.abs().max() < 1e-12
    (gradient,) = torch.autograd.grad(divergence.sum(), same)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [1, 4, V - 1])
def test_gradient_of_a_sparse_divergence_by_finite_differences(size, teacher) -> None:
    signal = sparse_signal(teacher, size)
    for divergence in DIVERGENCES.values():

        def loss(logits: torch.Tensor, divergence=divergence) -> torch.Tensor:
            return divergence(*signal.align(logits.log_softmax(-1), 1.0)).sum()

        assert torch.autograd.gradcheck(loss, (random_logits(2).requires_grad_(),))


def test_entropy_and_top_token_survive_sparsity(teacher) -> None:
    sparse = sparse_signal(teacher, 2)
    assert torch.equal(sparse.entropy, teacher.entropy)
    assert torch.equal(sparse.top, teacher.top)
    uniform = dense_signal(torch.zeros(1, V))
    assert uniform.entropy.item() == pytest.approx(torch.log(torch.tensor(float(V))).item())


def test_some_positions_of_a_signal(teacher, student) -> None:
    chosen = torch.tensor([4, 1])
    for signal in (teacher, sparse_signal(teacher, 3)):
        whole = signal.align(student, 1.0)
        part = signal.at(chosen).align(student[chosen], 1.0)
        assert all(torch.equal(first[chosen], second) for first, second in zip(whole, part, strict=True))
        assert torch.equal(signal.at(chosen).entropy, signal.entropy[chosen])


def test_a_temperature_flattens_both_sides(teacher, student) -> None:
    hot_teacher, hot_student = teacher.align(student, 4.0)
    torch.testing.assert_close(hot_teacher, (random_logits(0) / 4).log_softmax(-1))
    torch.testing.assert_close(hot_student, (random_logits(1) / 4).log_softmax(-1))


@pytest.mark.parametrize("temperature", [0.5, 2.0, 20.0])
def test_a_sparse_signal_of_all_tokens_is_the_dense_one_at_any_temperature(temperature, teacher, student) -> None:
    dense = divergences.forward_kl(*teacher.align(student, temperature))
    whole = divergences.forward_kl(*sparse_signal(teacher, V).align(student, temperature))
    torch.testing.assert_close(whole, dense)
    for size in (1, 3):
        equals = sparse_signal(teacher, size).align(teacher.log_probs, temperature)
        assert divergences.forward_kl(*equals).abs().max() < 1e-12


def test_no_tail_is_no_outcome() -> None:
    certain = SparseSignal(
        torch.tensor([[3, 5]]), torch.tensor([[0.75, 0.25]]).log(), torch.tensor([-torch.inf]), torch.tensor([0.56])
    )
    student = torch.zeros(1, V).log_softmax(-1)
    divergence = divergences.forward_kl(*certain.align(student, 1.0))
    expected = sum(p * torch.log(torch.tensor(p * V)).item() for p in (0.75, 0.25))
    assert divergence.item() == pytest.approx(expected, rel=1e-5)
