"""Batches and their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.config import CurriculumConfig
from spanwise.data.batching import padding_share, plan_batches
from spanwise.data.curriculum import competence, complexity, standardise
from spanwise.data.tokenize import TokenizedTrajectory


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(20, 200), st.integers(0, 5))
def test_passes_hold_every_row_within_the_budget(lengths, budget, seed) -> None:
    plan = plan_batches(lengths, budget, 3 * len(lengths), 1.0, seed)
    assert {row for batch in plan for row in batch} == set(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget for batch in plan)
    assert plan == plan_batches(lengths, budget, 3 * len(lengths), 1.0, seed)
    assert 0 <= padding_share(lengths, plan) < 1


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60),
    st.integers(20, 200),
    st.sampled_from(["none", "sorted"]),
    st.integers(1, 3),
)
def test_whole_epochs_hold_every_row_equally_often(lengths, budget, pacing, epochs) -> None:
    plan = plan_batches(lengths, budget, None, epochs, 0, pacing, np.asarray(lengths, dtype=float))
    drawn = np.bincount([row for batch in plan for row in batch], minlength=len(lengths))
    assert (drawn == epochs).all()


@pytest.mark.parametrize("pacing", ["none", "sorted", "competence"])
def test_processes_get_equal_shares(pacing) -> None:
    plan = plan_batches([5] * 10, 5, None, 1.0, 0, pacing, np.arange(10.0), multiple=4)
    assert len(plan) == 12


def test_half_an_epoch_is_half_the_batches() -> None:
    plan = plan_batches([5] * 10, 5, None, 1.5, 0)
    assert len(plan) == 15
    assert len({row for batch in plan[10:] for row in batch}) == 5


def test_a_longer_plan_begins_as_the_shorter_one() -> None:
    lengths = list(range(1, 40))
    assert plan_batches(lengths, 100, 30, 1.0, 0)[:10] == plan_batches(lengths, 100, 10, 1.0, 0)


def test_sorted_pacing_goes_from_simple_to_complex() -> None:
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    assert plan_batches([5, 5, 5, 5], 5, 4, 1.0, 0, "sorted", scores) == [[3], [1], [2], [0]]
    with pytest.raises(ValueError, match="needs the complexity"):
        plan_batches([5], 5, 4, 1.0, 0, "sorted")


def test_competence_starts_with_the_simplest_and_ends_with_all() -> None:
    scores = np.arange(100.0)
    plan = plan_batches([5] * 100, 5, 400, 1.0, 0, "competence", scores, until=1.0)
    assert max(row for batch in plan[:8] for row in batch) < 20
    assert max(row for batch in plan for row in batch) >= 95
    assert competence(0) == pytest.approx(0.1)
    assert competence(1) == competence(3) == 1
    early = plan_batches([5] * 100, 5, 400, 1.0, 0, "competence", scores, until=0.25)
    assert max(row for batch in early[:8] for row in batch) < 50
    assert sorted(row for batch in early[-100:] for row in batch) == list(range(100))


def test_complexity_adds_standardised_terms() -> None:
    def row(reason: int, act: int) -> TokenizedTrajectory:
        kind = np.array([0] * 3 + [1] * reason + [2] * act, dtype=np.int8)
        return TokenizedTrajectory("x", np.zeros(len(kind)), np.zeros(len(kind)), kind, np.zeros(len(kind)))

    rows = [row(4, 1), row(2, 1), row(0, 4)]
    found = complexity(rows, CurriculumConfig(alpha=1, beta=2, gamma=3), [0.1, 0.5, 0.3])
    expected = (
        standardise(np.array([4.0, 2, 0]))
        + 2 * standardise(np.array([1.0, 1, 4]))
        + 3 * standardise(np.array([1, 5, 3]))
    )
    np.testing.assert_allclose(found, expected)
    assert (standardise(np.array([2.0, 2.0])) == 0).all()
