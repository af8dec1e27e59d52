"""What several trainings on the same tasks allow to be said: coverage, textbook cases, degenerate tables."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from spanwise.evaluation.crossed import crossed_difference, crossed_mean, hierarchical_bootstrap
from spanwise.evaluation.statistics import mean, proportion


def tables(count, seeds, tasks, of_seed, of_task, of_rest, generator=None):
    """Tables of mean 0.3 with crossed effects of these deviations, [count, seeds, tasks]."""
    rng = generator or np.random.default_rng(11)
    return (
        0.3
        + of_seed * rng.normal(size=(count, seeds, 1))
        + of_task * rng.normal(size=(count, 1, tasks))
        + of_rest * rng.normal(size=(count, seeds, tasks))
    )


@pytest.mark.parametrize(
    ("of_seed", "of_task", "of_rest"),
    [(0.05, 0.1, 0.2), (0.0, 0.3, 0.3), (0.2, 0.05, 0.05), (0.0, 0.0, 0.5), (0.03, 0.3, 0.3)],
)
def test_the_interval_covers_what_three_trainings_and_sixty_tasks_can_show(of_seed, of_task, of_rest):
    """Whichever of seed, task and rest varies most."""
    hits = sum(
        found.low <= 0.3 <= found.high for found in map(crossed_mean, tables(400, 3, 60, of_seed, of_task, of_rest))
    )
    # Coverage of 95% gives at least 365 of 400 with probability > 0.999.
    assert hits >= 365


def test_successes_of_three_trainings_are_covered():
    """Zeros and ones whose chance depends on task and training."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        chance = np.clip(0.7 + rng.normal(0, 0.03, (3, 1)) + rng.normal(0, 0.2, (1, 140)), 0, 1)
        found = crossed_mean((rng.random((3, 140)) < chance).astype(float), bounds=(0, 1))
        hits += found.low <= 0.6938 <= found.high  # the mean of the clipped chance, by numerical integration
    assert hits >= 270


def test_resampling_three_seeds_covers_too_little_where_trainings_differ():
    """Why the bootstrap is the second opinion."""
    drawn = tables(200, 3, 60, 0.2, 0.05, 0.05)
    resampled = [hierarchical_bootstrap(table, seed=index) for index, table in enumerate(drawn)]
    of_bootstrap = sum(found.low <= 0.3 <= found.high for found in resampled)
    modelled = sum(found.low <= 0.3 <= found.high for found in map(crossed_mean, drawn))
    assert of_bootstrap < 0.85 * 200 < modelled


def test_with_many_seeds_both_ways_agree():
    (table,) = tables(1, 30, 80, 0.2, 0.2, 0.1)
    modelled, resampled = crossed_mean(table), hierarchical_bootstrap(table)
    assert resampled.low == pytest.approx(modelled.low, abs=0.02)
    assert resampled.high == pytest.approx(modelled.high, abs=0.02)


def test_one_seed_is_a_t_interval_over_tasks_and_one_task_one_over_seeds():
    values = np.random.default_rng(0).normal(size=25)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    for table in (values[None], values[:, None]):
        found = crossed_mean(table)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        assert found.freedom == pytest.approx(24)
    assert crossed_mean(values[None]).seed_deviation is None


def test_trainings_that_differ_are_worth_their_number_and_not_that_of_their_episodes():
    """Three trainings, each wholly good or wholly bad, on a thousand tasks."""
    table = np.repeat([[0.2], [0.5], [0.8]], 1000, axis=1)
    found = crossed_mean(table, bounds=(0, 1))
    expected = ttest_1samp([0.2, 0.5, 0.8], 0).confidence_interval(0.95)
    assert found.freedom == pytest.approx(2)
    assert found.seed_deviation == pytest.approx(0.3)
    assert (found.low, found.high) == (max(0, expected.low), min(1, expected.high))


def test_trainings_that_differ_by_chance_alone_cost_few_degrees_of_freedom():
    (table,) = tables(1, 3, 500, 0.0, 0.3, 0.3)
    assert crossed_mean(table).freedom > 10


def test_the_order_of_seeds_and_tasks_is_irrelevant():
    (table,) = tables(1, 4, 30, 0.1, 0.2, 0.3)
    found, turned = crossed_mean(table), crossed_mean(table[::-1, ::-1])
    assert (turned.value, turned.low, turned.high) == pytest.approx((found.value, found.low, found.high))


def test_a_difference_turned_round_is_the_opposite():
    first, second = tables(2, 3, 40, 0.1, 0.2, 0.3)
    there, back = crossed_difference(first, second), crossed_difference(second, first)
    assert back.p_value == pytest.approx(there.p_value)
    assert back.difference.low == pytest.approx(-there.difference.high)
    assert back.detectable == pytest.approx(there.detectable)


def test_a_difference_is_significant_where_its_interval_excludes_zero():
    for first, second in tables(60, 3, 40, 0.05, 0.2, 0.3).reshape(30, 2, 3, 40):
        found = crossed_difference(first + 0.08, second)
        low, high = found.difference.low, found.difference.high
        assert (found.p_value < 0.05) == (not low <= 0 <= high)


def test_false_alarms_are_as_rare_as_the_level():
    pairs = tables(1200, 3, 50, 0.05, 0.3, 0.3).reshape(600, 2, 3, 50)
    alarms = sum(crossed_difference(first, second).p_value < 0.05 for first, second in pairs)
    assert alarms <= 51  # of 600 at 5%, more than this has probability < 0.001


def test_what_is_detectable_is_found_about_as_often_as_its_power_says():
    pairs = tables(800, 3, 200, 0.0, 0.3, 0.3).reshape(400, 2, 3, 200)
    typical = np.median([crossed_difference(first, second).detectable for first, second in pairs])
    found = np.mean([crossed_difference(first + typical, second).p_value < 0.05 for first, second in pairs])
    assert found == pytest.approx(0.8, abs=0.08)


def test_a_task_in_common_takes_its_difficulty_off():
    rng = np.random.default_rng(2)
    hard = rng.normal(0, 10, (1, 60))
    first, second = hard + 1 + rng.normal(0, 0.1, (3, 60)), hard + rng.normal(0, 0.1, (3, 60))
    found = crossed_difference(first, second).difference
    assert found.high - found.low < 0.2


def test_methods_that_never_differed_may_still_differ():
    same = np.ones((3, 20))
    found = crossed_difference(same, same, bounds=(-1, 1))
    unseen = proportion(0, 20).high
    assert (found.difference.value, found.p_value, found.detectable) == (0, 1, None)
    assert (found.difference.low, found.difference.high) == pytest.approx((-unseen, unseen))


def test_a_method_that_always_wins_is_better_by_the_number_of_tasks():
    found = crossed_difference(np.ones((3, 8)), np.zeros((3, 8)), bounds=(-1, 1))
    assert found.p_value == pytest.approx(2 * 0.5**8)
    assert found.difference.low < 1


def test_a_single_value_has_no_interval():
    found = crossed_mean([[0.4]])
    assert (found.value, found.low, found.high, found.freedom) == (0.4, None, None, 0)
    assert hierarchical_bootstrap([[0.4]]).low is None


def test_a_single_bounded_value_has_a_very_wide_one():
    assert crossed_mean([[1.0]], bounds=(0, 1)).low == mean([1.0], bounds=(0, 1)).low < 0.25


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [[]], [[1.0, float("nan")]]])
def test_what_is_no_table_is_an_error(values):
    with pytest.raises(ValueError, match=r"table|finite"):
        crossed_mean(values)


def test_tables_of_other_tasks_are_an_error():
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(3, 5\)"):
        crossed_difference(np.zeros((3, 4)), np.zeros((3, 5)))
