"""Numbers of a method over its trainings agree with the plain ones where those say the same."""

import numpy as np
import pytest

from spanwise.evaluation.crossed import crossed_mean
from spanwise.evaluation.metrics import METRICS, estimate
from spanwise.evaluation.trainings import compare_trainings, estimate_over_trainings, task_means


@pytest.fixture
def trainings(make_record):
    """Three trained models on twenty tasks."""
    draw = np.random.default_rng(0)
    return [
        [
            make_record(f"t{task}", success=bool(draw.random() < 0.6), steps=int(draw.integers(4, 12)))
            for task in range(20)
        ]
        for _ in range(3)
    ]


def test_success_is_the_crossed_mean(trainings):
    table = np.array(
        [[record.success for record in sorted(one, key=lambda record: record.task_id)] for one in trainings]
    )
    expected = crossed_mean(table, bounds=(0.0, 1.0))
    found = estimate_over_trainings(METRICS["success_rate"], trainings)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_a_ratio_is_that_of_the_sums_and_its_interval_has_its_width(trainings):
    metric = METRICS["reasoning_tokens_per_step"]
    found = estimate_over_trainings(metric, trainings)
    together = estimate(metric, [record for one in trainings for record in one], 0.95, 0)
    assert found.value == pytest.approx(together.value)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(together.high - together.low, rel=0.5)


def test_one_training_is_a_plain_estimate(trainings):
    for name in ("success_rate", "steps"):
        expected = estimate(METRICS[name], trainings[0], 0.95, 0)
        assert estimate_over_trainings(METRICS[name], trainings[:1]) == expected


def test_trainings_that_never_fail_could_have(make_record):
    trainings = [[make_record(f"t{task}") for task in range(10)] for _ in range(2)]
    found = estimate_over_trainings(METRICS["success_rate"], trainings)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low < 0.8


def test_what_is_not_known_of_an_episode_is_not_known(make_record):
    trainings = [[make_record("a", seconds=None)], [make_record("a")]]
    assert estimate_over_trainings(METRICS["seconds_per_step"], trainings) is None


def test_episodes_of_a_task_are_taken_together(make_record):
    records = [make_record("b", 0, success=True), make_record("a", 0), make_record("b", 1, success=False)]
    assert task_means([records], lambda record: record.success).tolist() == [[1.0, 0.5]]


def test_only_seeds_that_both_have_are_compared(trainings, make_record):
    first = dict(enumerate(trainings))
    second = {1: [make_record(record.task_id, success=False) for record in trainings[1]]}
    found = compare_trainings(first, second)
    assert found.difference.seeds == 1
    assert found.difference.value == pytest.approx(np.mean([record.success for record in trainings[1]]))
    assert compare_trainings({0: trainings[0]}, second) is None


def test_other_episodes_are_refused(trainings, make_record):
    with pytest.raises(ValueError, match="have played the same episodes; these have not"):
        estimate_over_trainings(METRICS["success_rate"], [trainings[0], [make_record("elsewhere")]])
