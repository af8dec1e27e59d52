"""What must hold of estimates, whatever the sample."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.evaluation.crossed import crossed_difference, hierarchical_bootstrap
from spanwise.evaluation.statistics import (
    UNIT_INTERVAL,
    detectable_difference,
    detectable_paired_difference,
    holm,
    mcnemar,
    mean,
    paired_difference,
    proportion,
    ratio,
)

successes = st.lists(st.booleans(), min_size=1, max_size=60)
clusters = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=25).filter(
    lambda pairs: any(total for _, total in pairs)
)


def _is_ordered(estimate, low=-np.inf, high=np.inf):
    if estimate.low is None:
        return estimate.high is None
    return low <= estimate.low <= estimate.value <= estimate.high <= high


@given(successes)
def test_a_proportion_lies_in_its_interval_and_never_claims_certainty(outcomes):
    estimate = proportion(sum(outcomes), len(outcomes))
    assert _is_ordered(estimate, 0, 1)
    assert estimate.high > estimate.low


@settings(max_examples=60)
@given(clusters)
def test_a_bounded_ratio_lies_in_its_interval_within_the_bounds(pairs):
    events = [min(pair) for pair in pairs]
    totals = [pair[1] for pair in pairs]
    estimate = ratio(events, totals, bounds=UNIT_INTERVAL)
    assert estimate.value == sum(events) / sum(totals)
    assert _is_ordered(estimate, 0, 1)


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=25))
def test_the_interval_of_a_mean_stays_within_the_sample(values):
    estimate = mean(values)
    slack = 1e-9 * max(map(abs, values), default=0) + 1e-9
    assert _is_ordered(estimate, min(values) - slack, max(values) + slack) or np.ptp(values) < slack


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_swapping_the_agents_turns_the_comparison_round(pairs):
    first, second = np.array(pairs, dtype=float).T
    there = paired_difference(first, second, bounds=(-1, 1))
    back = paired_difference(second, first, bounds=(-1, 1))
    assert there.value == -back.value
    assert _is_ordered(there, -1, 1)
    tested, turned = mcnemar(first, second), mcnemar(second, first)
    assert (tested.only_first, tested.only_second) == (turned.only_second, turned.only_first)
    assert tested.p_value == turned.p_value
    assert 0 < tested.p_value <= 1


@given(st.floats(0, 1), st.integers(1, 5000))
def test_a_detectable_difference_shrinks_with_more_tasks(share, n):
    for function in (detectable_difference, detectable_paired_difference):
        few, many = function(share, n), function(share, 2 * n)
        if few is not None:
            assert 0 < few <= 1
            assert many is not None
            assert many < few


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_holm_keeps_the_order_and_never_makes_anything_likelier_to_be_true(p_values, random):
    adjusted = holm(p_values)
    assert all(one <= other <= 1 for one, other in zip(p_values, adjusted, strict=True))
    ranked = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert sorted(adjusted) == [adjusted[index] for index in ranked]
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert holm([p_values[index] for index in order]) == [adjusted[index] for index in order]


crossings = st.tuples(st.integers(1, 4), st.integers(1, 8)).flatmap(
    lambda shape: st.tuples(
        *2
        * (
            st.lists(
                st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
            ),
        )
    )
)


@settings(max_examples=60)
@given(crossings)
def test_any_tables_of_successes_have_an_honest_difference(pair):
    first, second = np.array(pair, dtype=float)
    found = crossed_difference(first, second, bounds=(-1, 1))
    assert _is_ordered(found.difference, -1, 1)
    assert found.difference.high > found.difference.low
    assert 0 < found.p_value <= 1
    assert found.detectable is None or found.detectable > 0
    assert _is_ordered(hierarchical_bootstrap(first - second, bounds=(-1, 1)), -1, 1)
