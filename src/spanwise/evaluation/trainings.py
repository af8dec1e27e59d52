"""A method over its trainings: several trained models that played the same episodes, as tables of seeds and tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spanwise.evaluation.crossed import CrossedDifference, crossed_difference, crossed_mean
from spanwise.evaluation.metrics import EpisodeRecord, Metric, estimate
from spanwise.evaluation.statistics import Estimate, estimate_of_constant

#: The episodes of one trained model.
Training = Sequence[EpisodeRecord]


def task_sums(trainings: Sequence[Training], value: Callable[[EpisodeRecord], float]) -> NDArray[np.float64]:
    """The sum of a value over each task's episodes, [S, T], tasks in the order of their ids.

    Raises:
        ValueError: The trainings did not all play the same episodes.
    """
    played = {frozenset((record.task_id, record.seed) for record in training) for training in trainings}
    if len(played) > 1:
        raise ValueError("trainings that are taken together have played the same episodes; these have not")
    rows = []
    for training in trainings:
        sums: dict[str, float] = defaultdict(float)
        for record in training:
            sums[record.task_id] += value(record)
        rows.append([sums[task] for task in sorted(sums)])
    return np.array(rows)


def task_means(trainings: Sequence[Training], value: Callable[[EpisodeRecord], float]) -> NDArray[np.float64]:
    """The mean of a value over each task's episodes, [S, T]; raises as :func:`task_sums`."""
    return task_sums(trainings, value) / task_sums(trainings, lambda record: 1)


def estimate_over_trainings(metric: Metric, trainings: Sequence[Training], confidence: float = 0.95) -> Estimate | None:
    """A metric of a method, with an interval over seeds and tasks; None where it is not known of all episodes.

    A ratio of sums R = A / B has the error of the mean of (a - R b) / mean(b) over the table, which is its linear part.
    With one training the interval is that of ``metrics.py``, over tasks alone.

    Raises:
        ValueError: The trainings did not all play the same episodes.
    """
    if len(trainings) == 1:
        return estimate(metric, trainings[0], confidence, seed=0)
    records = [record for training in trainings for record in training]
    if any(metric.numerator(record) is None for record in records) or not any(map(metric.denominator, records)):
        return None
    above = task_sums(trainings, lambda record: metric.numerator(record) or 0)
    below = task_sums(trainings, metric.denominator)
    value = float(above.sum() / below.sum())
    around = crossed_mean((above - value * below) / below.mean(), confidence)
    if around.freedom == 0 or around.low is None or around.high is None:
        return estimate_of_constant(value, above.shape[1], confidence, metric.bounds)
    least, most = metric.bounds or (0.0, np.inf)  # of counts and seconds
    return Estimate(value, max(least, value + around.low), min(most, value + around.high))


def compare_trainings(
    first: Mapping[int, Training],
    second: Mapping[int, Training],
    confidence: float = 0.95,
    value: Callable[[EpisodeRecord], float] = lambda record: record.success,
) -> CrossedDifference | None:
    """How much more often one method succeeds than another, over the seeds that both have; None where they have none.

    Args:
        first: The episodes of one method's trained models, by training seed.
        second: The other's.
        confidence: Coverage of the interval.
        value: What is compared, within [0, 1].

    Raises:
        ValueError: The trainings did not all play the same episodes.
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    table = task_means([*(first[seed] for seed in seeds), *(second[seed] for seed in seeds)], value)
    return crossed_difference(table[: len(seeds)], table[len(seeds) :], confidence, bounds=(-1.0, 1.0))
