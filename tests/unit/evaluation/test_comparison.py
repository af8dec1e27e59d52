"""Two agents on the same episodes."""

import pytest

from spanwise.evaluation.comparison import compare


def test_agents_are_compared_on_the_episodes_that_both_played(make_record):
    first = [make_record(f"t{i}", success=i < 9) for i in range(12)]
    second = [make_record(f"t{i}", success=i < 4) for i in range(2, 12)]
    found = compare(first, second[::-1])
    assert (found.n, found.unmatched) == (10, 2)
    assert found.difference.value == pytest.approx(0.5)
    assert (found.test.only_first, found.test.only_second) == (5, 0)
    assert found.test.p_value == pytest.approx(2 / 2**5)
    assert 0 < found.detectable < 1


def test_the_same_task_with_another_seed_is_another_episode(make_record):
    assert compare([make_record("a", seed=1)], [make_record("a", seed=2)]) is None


def test_repeated_tasks_are_one_observation_each_and_have_no_mcnemar_test(make_record):
    first = [make_record(f"t{task}", seed, success=task < 5) for task in range(6) for seed in range(8)]
    second = [make_record(f"t{task}", seed, success=task < 3) for task in range(6) for seed in range(8)]
    once = compare([r for r in first if r.seed == 0], [r for r in second if r.seed == 0])
    repeated = compare(first, second)
    assert repeated.n == 48
    assert repeated.test is None
    assert repeated.difference == once.difference
    assert repeated.detectable == once.detectable
