"""Batches and their order."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.config import CurriculumConfig
from spanwise.data.batching import batches_of_similar_length, padding_share, plan_batches
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


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60),
    st.integers(20, 200),
    st.sampled_from(["none", "sorted"]),
    st.integers(1, 3),
    st.integers(0, 5),
)
def test_packed_batches_hold_as_many_tokens_as_the_budget(lengths, budget, pacing, epochs, seed) -> None:
    plan = plan_batches(lengths, budget, None, epochs, seed, pacing, np.asarray(lengths, dtype=float), packed=True)
    drawn = np.bincount([row for batch in plan for row in batch], minlength=len(lengths))
    assert (drawn == epochs).all()
    sizes = [sum(lengths[row] for row in batch) for batch in plan]
    assert all(size <= budget or len(batch) == 1 for size, batch in zip(sizes, plan, strict=True))
    per_epoch = np.split(np.arange(len(plan)), epochs) if len(plan) % epochs == 0 else []
    for part in per_epoch if pacing == "sorted" else []:  # whoever does not fit begins the next one
        for one, after in pairwise(part):
            assert sizes[one] + lengths[plan[after][0]] > budget


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(20, 200), st.booleans())
def test_batches_of_similar_length_hold_every_row_once(lengths, budget, packed) -> None:
    plan = batches_of_similar_length(lengths, budget, packed)
    order = [row for batch in plan for row in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[row] for row in order] == sorted(lengths)
    for batch in plan:
        held = [lengths[row] for row in batch]
        assert len(batch) == 1 or (sum(held) if packed else len(held) * max(held)) <= budget


def test_packing_takes_fewer_batches_in_another_order_each_epoch() -> None:
    lengths = [10, 50] * 20
    packed = plan_batches(lengths, 120, None, 2.0, 0, packed=True)
    padded = plan_batches(lengths, 120, None, 2.0, 0)
    assert sum(map(len, packed)) == sum(map(len, padded)) == 80
    assert len(packed) <= len(padded)
    rows = [row for batch in packed for row in batch]
    assert rows[:40] != rows[40:]
    assert rows[:40] != sorted(rows[:40])


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
        return TokenizedTrajectory("x", np.zeros(len(kind)), np.zeros(len(kind)), kind, *2 * (np.zeros(len(kind)),))

    rows = [row(4, 1), row(2, 1), row(0, 4)]
    found = complexity(rows, CurriculumConfig(alpha=1, beta=2, gamma=3), [0.1, 0.5, 0.3])
    expected = (
        standardise(np.array([4.0, 2, 0]))
        + 2 * standardise(np.array([1.0, 1, 4]))
        + 3 * standardise(np.array([1, 5, 3]))
    )
    np.testing.assert_allclose(found, expected)
    assert (standardise(np.array([2.0, 2.0])) == 0).all()
