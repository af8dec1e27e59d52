"""Intervals cover what they should, comparisons agree with hand-worked cases, degenerate samples stay honest."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from spanwise.evaluation.statistics import (
    detectable_difference,
    detectable_paired_difference,
    holm,
    mcnemar,
    mean,
    paired_difference,
    proportion,
    ratio,
    sign_flips,
)


def test_wilson_interval_matches_its_formula():
    k, n, z = 13, 20, 1.959963984540054
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    estimate = proportion(k, n)
    assert estimate.value == 0.65
    assert estimate.low == pytest.approx(centre - half)
    assert estimate.high == pytest.approx(centre + half)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 12), (12, 12)])
def test_a_proportion_at_the_edge_keeps_a_wide_interval_within_bounds(k, n):
    estimate = proportion(k, n)
    assert estimate.value == k / n
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.high - estimate.low > 0.2


@pytest.mark.parametrize(("k", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_an_impossible_proportion_is_an_error(k, n):
    with pytest.raises(ValueError, match="found"):
        proportion(k, n)


def test_the_interval_of_a_mean_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = 0
    for sample in rng.exponential(2.0, size=(150, 40)):
        estimate = mean(sample)
        hits += estimate.low <= 2.0 <= estimate.high
    # A 95% interval that covers 93% of the time gives >= 127 of 150 with probability > 0.999.
    assert hits >= 127


def test_the_interval_of_a_ratio_treats_an_episode_as_one_observation():
    """Ten episodes of 100 steps, each wholly bad or wholly good, are ten observations and not a thousand."""
    bad = np.array([100, 0, 0, 100, 0, 0, 0, 100, 0, 0], dtype=float)
    estimate = ratio(bad, np.full(10, 100.0), bounds=(0, 1))
    assert estimate.value == pytest.approx(0.3)
    assert estimate.high - estimate.low > 0.35
    per_step = proportion(300, 1000)
    assert per_step.high - per_step.low < 0.06


def test_a_ratio_is_the_ratio_of_sums_and_not_the_mean_of_ratios():
    assert ratio([1, 30], [1, 100]).value == pytest.approx(31 / 101)


def test_the_same_seed_gives_the_same_interval_and_another_seed_a_similar_one():
    values = np.random.default_rng(0).normal(size=30)
    assert mean(values, seed=1) == mean(values, seed=1)
    one, other = mean(values, seed=1), mean(values, seed=2)
    assert one.low != other.low
    assert one.low == pytest.approx(other.low, abs=0.05)


def test_higher_confidence_is_wider():
    values = np.random.default_rng(0).normal(size=30)
    narrow, wide = mean(values, confidence=0.8), mean(values, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_observation_has_a_value_and_no_interval():
    estimate = mean([4.0])
    assert (estimate.value, estimate.low, estimate.high) == (4.0, None, None)


def test_one_bounded_observation_has_a_very_wide_interval():
    estimate = mean([1.0], bounds=(0, 1))
    assert estimate.low < 0.25
    assert estimate.high == 1


def test_equal_unbounded_values_give_a_point():
    estimate = mean([50.0] * 7)
    assert (estimate.value, estimate.low, estimate.high) == (50, 50, 50)


def test_no_event_in_a_bounded_ratio_is_not_certainty():
    estimate = ratio(np.zeros(12), np.full(12, 20.0), bounds=(0, 1))
    assert (estimate.value, estimate.low) == (0, 0)
    assert estimate.high == pytest.approx(proportion(0, 12).high)


def test_episodes_without_steps_do_not_disturb_a_ratio():
    assert ratio([2, 0, 1, 3], [10, 0, 10, 10]) == ratio([2, 1, 3], [10, 10, 10])


def test_a_ratio_that_one_episode_alone_defines_has_no_interval():
    estimate = ratio([5, 2, 1], [0, 4, 0])
    assert (estimate.value, estimate.low, estimate.high) == (2, None, None)


def test_a_ratio_whose_resamples_can_be_infinite_is_still_finite_or_absent():
    estimate = ratio([5, 2, 1], [0, 4, 3])
    assert estimate.value == pytest.approx(8 / 7)
    assert estimate.high is None or math.isfinite(estimate.high)


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, float("nan")], [float("inf")]])
def test_a_mean_of_nothing_or_of_no_number_is_an_error(values):
    with pytest.raises(ValueError, match="number"):
        mean(values)


@pytest.mark.parametrize(("numerators", "denominators"), [([1], [1, 2]), ([0, 0], [0, 0]), ([1, 1], [2, -1])])
def test_a_ratio_of_unfit_arrays_is_an_error(numerators, denominators):
    with pytest.raises(ValueError, match=r"numerators|denominators"):
        ratio(numerators, denominators)


def test_pairing_narrows_the_interval_when_tasks_differ_more_than_agents():
    rng = np.random.default_rng(0)
    task = rng.normal(0, 10, 60)
    first, second = task + 1 + rng.normal(0, 0.1, 60), task + rng.normal(0, 0.1, 60)
    estimate = paired_difference(first, second)
    assert estimate.low < 1 < estimate.high or estimate.value == pytest.approx(1, abs=0.05)
    assert estimate.high - estimate.low < 0.2


def test_agents_that_never_differed_may_still_differ():
    same = [1, 0, 1, 1, 0, 1]
    estimate = paired_difference(same, same, bounds=(-1, 1))
    unseen = proportion(0, 6).high
    assert (estimate.value, estimate.low, estimate.high) == (0, pytest.approx(-unseen), pytest.approx(unseen))


def test_a_difference_between_other_tasks_is_an_error():
    with pytest.raises(ValueError, match="same tasks on both sides"):
        paired_difference([1, 0], [1])


def test_mcnemar_counts_only_the_tasks_that_tell_the_agents_apart():
    first = [1] * 8 + [0] * 1 + [1] * 20 + [0] * 11
    second = [0] * 8 + [1] * 1 + [1] * 20 + [0] * 11
    result = mcnemar(first, second)
    assert (result.only_first, result.only_second) == (8, 1)
    assert result.p_value == pytest.approx(2 * binom.cdf(1, 9, 0.5))
    assert mcnemar(second, first).p_value == result.p_value


def test_mcnemar_without_a_discordant_task_says_nothing():
    assert mcnemar([1, 0], [1, 0]).p_value == 1


def test_mcnemar_refuses_rewards():
    with pytest.raises(ValueError, match="0 or 1"):
        mcnemar([0.5, 1], [1, 1])


def test_the_detectable_paired_difference_is_found_about_as_often_as_its_power_says():
    n, discordant = 400, 0.3
    difference = detectable_paired_difference(discordant, n)
    rng = np.random.default_rng(0)
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    table = rng.multinomial(n, shares, size=4000)
    first, second = table[:, 0], table[:, 1]
    found = (first - second) ** 2 / (first + second) > 1.959963984540054**2
    assert found.mean() == pytest.approx(0.8, abs=0.03)


def test_the_detectable_difference_is_found_about_as_often_as_its_power_says():
    n, baseline = 400, 0.3
    difference = detectable_difference(baseline, n)
    rng = np.random.default_rng(0)
    one = rng.binomial(n, baseline, 4000) / n
    other = rng.binomial(n, baseline + difference, 4000) / n
    pooled = (one + other) / 2
    found = np.abs(other - one) / np.sqrt(2 * pooled * (1 - pooled) / n) > 1.959963984540054
    assert found.mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("function", [detectable_difference, detectable_paired_difference])
def test_more_tasks_show_smaller_differences_and_too_few_show_none(function):
    assert function(0.1, 400) < function(0.1, 100) < function(0.1, 30)
    assert function(0.0, 1) is None
    assert 0 < function(0.0, 50) < 1


def test_the_detectable_difference_does_not_depend_on_the_side():
    assert detectable_difference(0.9, 100) == pytest.approx(detectable_difference(0.1, 100))


@pytest.mark.parametrize("function", [detectable_difference, detectable_paired_difference])
@pytest.mark.parametrize(("share", "n"), [(1.2, 10), (0.5, 0)])
def test_detectability_of_the_impossible_is_an_error(function, share, n):
    with pytest.raises(ValueError, match="found"):
        function(share, n)


def test_exchanging_sides_is_mcnemars_test_for_one_success_per_task():
    first, second = np.zeros(12), np.zeros(12)
    first[:7], second[7:9] = 1, 1
    assert sign_flips(first, second) == pytest.approx(mcnemar(first, second).p_value)


def test_many_tasks_are_exchanged_at_random_and_alike_for_a_seed():
    rng = np.random.default_rng(0)
    first, second = rng.random(60), rng.random(60)
    assert sign_flips(first, second, seed=3) == sign_flips(first, second, seed=3) > 0.05
    assert sign_flips(first + 0.5, second) < 0.001


def test_exchanging_sides_of_one_task_or_of_equal_ones_says_nothing():
    assert sign_flips([1.0], [0.0]) == sign_flips([0.5, 0.2], [0.5, 0.2]) == 1


def test_holm_multiplies_by_how_many_are_left():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="within"):
        holm([0.2, 1.2])
