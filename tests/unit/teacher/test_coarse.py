"""A few tokens' log-probabilities, and that of all others together, are those of the whole softmax."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spanwise.teacher.coarse import NOTHING, coarse_log_probs

N, V, K = 5, 9, 4
#: How many tokens each position has.
COUNTS = torch.tensor([4, 1, 2, 4, 3])


def random_logits(seed: int, scale: float = 2.0) -> Tensor:
    return scale * torch.randn(N, V, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def ragged(ids_NK: Tensor) -> tuple[Tensor, Tensor]:
    recorded = torch.arange(ids_NK.shape[1]) < COUNTS.clamp(max=ids_NK.shape[1])[:, None]
    return torch.where(recorded, ids_NK, ids_NK[:, :1]), recorded


@pytest.fixture
def chosen() -> tuple[Tensor, Tensor]:
    return ragged(random_logits(1).argsort(-1)[:, :K])


def reference(logits: Tensor, ids: Tensor, recorded: Tensor) -> Tensor:
    """The same outcomes from all log-probabilities."""
    log_probs = logits.double().log_softmax(-1)
    rows = []
    for row in range(len(ids)):
        tokens = ids[row][recorded[row]].tolist()
        others = [token for token in range(logits.shape[1]) if token not in tokens]
        rest = log_probs[row, others].logsumexp(-1) if others else torch.tensor(NOTHING, dtype=torch.float64)
        nothing = torch.full((ids.shape[1] - len(tokens),), NOTHING, dtype=torch.float64)
        rows.append(torch.cat([log_probs[row, tokens], nothing, rest[None]]))
    return torch.stack(rows)


def test_outcomes_and_gradients_are_those_of_the_softmax(chosen) -> None:
    logits = random_logits(0).requires_grad_()
    found, expected = coarse_log_probs(logits, *chosen), reference(logits, *chosen)
    assert found.shape == (N, K + 1)
    torch.testing.assert_close(found, expected)
    direction = torch.randn(N, K + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (ours,), (theirs,) = (torch.autograd.grad(one, logits, direction) for one in (found, expected))
    torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradcheck(lambda some: coarse_log_probs(some, *chosen), (logits,))


def test_gradients_of_missing_outcomes_go_nowhere(chosen) -> None:
    logits = random_logits(0).requires_grad_()
    ids, recorded = chosen
    outcomes = coarse_log_probs(logits, ids, recorded)
    assert (outcomes[:, :-1][~recorded] == NOTHING).all()
    (gradient,) = torch.autograd.grad(outcomes[:, :-1][~recorded].sum(), logits)
    assert (gradient == 0).all()


@pytest.mark.parametrize("size", [1, 4, V])
def test_a_whole_vocabulary_leaves_no_others(size) -> None:
    logits = random_logits(0).requires_grad_()
    ids = random_logits(1).argsort(-1)[:, :size]
    outcomes = coarse_log_probs(logits, ids, torch.ones_like(ids, dtype=torch.bool))
    assert ((outcomes[:, -1] == NOTHING) == (size == V)).all()
    torch.testing.assert_close(outcomes[:, :-1], logits.log_softmax(-1).gather(-1, ids))
    (gradient,) = torch.autograd.grad(outcomes[:, 0].sum(), logits)
    (expected,) = torch.autograd.grad(logits.log_softmax(-1).gather(-1, ids[:, :1]).sum(), logits)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("height", [40.0, 300.0, 20000.0])
@pytest.mark.parametrize("recorded_peak", [True, False])
def test_a_certain_student_has_finite_log_probabilities_and_gradients(recorded_peak, height, dtype) -> None:
    logits = torch.zeros(1, V, dtype=dtype)
    logits[0, 3] = height
    height = logits[0, 3].item()  # as far as the type can tell
    logits.requires_grad_()
    ids = torch.tensor([[3, 5] if recorded_peak else [6, 5]])
    outcomes = coarse_log_probs(logits, ids, torch.ones(1, 2, dtype=torch.bool))
    assert outcomes.dtype == torch.float32
    peak, other = (0, 1) if recorded_peak else (2, 0)
    assert outcomes[0, peak].item() == pytest.approx(0, abs=1e-6)
    assert outcomes[0, other].item() == pytest.approx(-height)
    assert outcomes.isfinite().all()
    for outcome in range(3):
        (gradient,) = torch.autograd.grad(outcomes[0, outcome], logits, retain_graph=True)
        assert gradient.dtype == dtype
        assert gradient.isfinite().all()
        assert gradient.abs().max() <= 1
    (gradient,) = torch.autograd.grad(outcomes[0, other], logits)
    expected = torch.zeros(V, dtype=dtype)
    expected[3], expected[ids[0, other]] = -1, 1
    torch.testing.assert_close(gradient[0], expected, rtol=0, atol=1e-3)


def test_half_precision_is_read_in_single(chosen) -> None:
    logits = random_logits(3).to(torch.bfloat16)
    found = coarse_log_probs(logits, *chosen)
    torch.testing.assert_close(found, reference(logits, *chosen).float(), rtol=1e-5, atol=1e-5)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=12),
    st.data(),
    st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
)
def test_outcomes_sum_to_one(values, data, dtype) -> None:
    logits = torch.tensor([values], dtype=dtype)
    tokens = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=len(values), unique=True))
    padding = data.draw(st.integers(0, 3))
    ids = torch.tensor([tokens + tokens[:1] * padding])
    outcomes = coarse_log_probs(logits, ids, torch.arange(ids.shape[1])[None] < len(tokens))
    assert not outcomes.isnan().any()
    assert outcomes.exp().sum().item() == pytest.approx(1, abs=1e-5)
