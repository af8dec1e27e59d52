"""A sparse signal loses resolution, never mass."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spanwise.teacher.signal import DenseSignal, SparseSignal, dense_signal, sampled_signal, sparse_signal
from spanwise.training import divergences
from spanwise.training.objective import SpanTerm
from spanwise.training.objective import divergence as divergence_of

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
    "skew_forward_kl": lambda teacher, student: divergences.skew_forward_kl(teacher, student, 0.2),
    "skew_reverse_kl": lambda teacher, student: divergences.skew_reverse_kl(teacher, student, 0.2),
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


@pytest.mark.parametrize("mass", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("most", [1, 4, V, 2 * V])
def test_an_adaptive_signal_keeps_the_fewest_tokens_that_hold_the_mass(most, mass, teacher) -> None:
    signal = sparse_signal(teacher, most, mass)
    widths = []
    for row in range(N):
        likeliest = sorted(teacher.log_probs[row].exp().tolist(), reverse=True)
        fewest = next(count for count in range(1, V + 1) if sum(likeliest[:count]) >= mass)
        kept = min(fewest, most)
        recorded = signal.log_probs[row] > -torch.inf
        assert int(recorded.sum()) == kept
        assert recorded[:kept].all()
        assert signal.log_probs[row].exp()[:kept].tolist() == pytest.approx(likeliest[:kept])
        assert teacher.log_probs[row, signal.ids[row, :kept]].tolist() == signal.log_probs[row, :kept].tolist()
        assert (signal.ids[row, kept:] == signal.ids[row, 0]).all()
        assert signal.tail_log_mass[row].exp().item() == pytest.approx(sum(likeliest[kept:]), abs=1e-12)
        widths.append(kept)
    assert signal.ids.shape == (N, max(widths))
    assert most == 1 or mass < 0.9 or len(set(widths)) > 1 or most == min(widths)


def test_a_token_without_mass_is_not_recorded() -> None:
    teacher = dense_signal(torch.tensor([[2.0, -torch.inf, 1.0, -torch.inf], [0.0, 1.0, 2.0, 3.0]]))
    signal = sparse_signal(teacher, 4)
    student = torch.tensor([[0.3, 2.0, -1.0, 0.5], [0.1, 0.2, 0.3, 0.4]])
    _, aligned = signal.align(student, 1.0)
    torch.testing.assert_close(aligned.exp().sum(-1), torch.ones(2))
    others = student[0].softmax(-1)[[1, 3]].sum()
    torch.testing.assert_close(aligned[0, -1].exp(), others)


@pytest.mark.parametrize("name", DIVERGENCES)
@given(
    st.lists(st.floats(-40, 40), min_size=5, max_size=5),
    st.lists(st.floats(-40, 40), min_size=5, max_size=5),
    st.integers(1, 5),
    st.sampled_from([0.4, 0.99, 1.0]),
    st.sampled_from([1.0, 0.5, 3.0]),
)
def test_divergences_are_zero_between_equals_and_never_negative(name, first, second, most, mass, temperature) -> None:
    teacher = DenseSignal(torch.tensor([first], dtype=torch.float64).log_softmax(-1))
    student = torch.tensor([second], dtype=torch.float64)
    for signal in (teacher, sparse_signal(teacher, most, mass)):
        apart = DIVERGENCES[name](*signal.align(student, temperature))
        assert apart.isfinite().all()
        assert apart.item() >= -1e-12
        assert abs(DIVERGENCES[name](*signal.align(teacher.log_probs, temperature)).item()) < 1e-9


def test_drawn_tokens_have_shares_that_sum_to_one(teacher) -> None:
    signal = sampled_signal(teacher, 20, torch.Generator().manual_seed(0))
    assert signal.sampled
    shares = signal.log_probs.exp()
    torch.testing.assert_close(shares.sum(-1), torch.ones(N, dtype=torch.float64))
    assert (signal.tail_log_mass == -torch.inf).all()
    assert torch.equal(signal.entropy, teacher.entropy)
    recorded = shares > 0
    for row in range(N):
        tokens = signal.ids[row][recorded[row]].tolist()
        assert len(set(tokens)) == len(tokens)  # each once
        assert (20 * shares[row] - (20 * shares[row]).round()).abs().max() < 1e-5
        assert (signal.ids[row][~recorded[row]] == signal.ids[row, 0]).all()
        assert shares[row].tolist() == sorted(shares[row].tolist(), reverse=True)
    assert recorded.any(0).all()  # no column is empty
    again = sampled_signal(teacher, 20, torch.Generator().manual_seed(0))
    assert torch.equal(again.ids, signal.ids)
    other = sampled_signal(teacher, 20, torch.Generator().manual_seed(1))
    assert other.ids.shape != signal.ids.shape or not torch.equal(other.ids, signal.ids)


def test_draws_are_unbiased_and_so_is_the_gradient_of_forward_kl(teacher, student) -> None:
    logits = random_logits(1).requires_grad_()
    (exact,) = torch.autograd.grad(divergence_of(SpanTerm(), logits, None, teacher).sum(), logits)
    shares, gradients, losses = [], [], []
    for seed in range(400):
        signal = sampled_signal(teacher, 10, torch.Generator().manual_seed(seed))
        recorded = signal.log_probs > -torch.inf
        row = torch.zeros(N, V, dtype=torch.float64)
        row.scatter_add_(-1, signal.ids, signal.log_probs.exp() * recorded)
        loss = divergence_of(SpanTerm(), logits, None, signal)
        shares.append(row)
        losses.append(loss.detach())
        gradients.append(torch.autograd.grad(loss.sum(), logits)[0])
    kl = divergence_of(SpanTerm(), logits, None, teacher).detach()
    for draws, expected in ((shares, teacher.log_probs.exp()), (gradients, exact), (losses, kl)):
        many = torch.stack(draws)
        error = many.std(0) / len(draws) ** 0.5
        assert ((many.mean(0) - expected).abs() <= 4.5 * error + 1e-12).all()
        assert error.max() < 0.1 * expected.abs().max()  # or the line above would say nothing


@pytest.mark.parametrize(
    "term",
    [SpanTerm(name) for name in DIVERGENCES if name != "forward_kl"] + [SpanTerm("forward_kl", temperature=2.0)],
)
def test_a_sample_is_for_plain_forward_kl_alone(term, teacher, student) -> None:
    signal = sampled_signal(teacher, 10, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"sampled signals are for forward_kl at temperature 1, found"):
        divergence_of(term, student, None, signal)
    assert signal.at(torch.tensor([1])).sampled
