"""Estimates with intervals, paired comparisons, and what a sample could have shown. Pure functions over arrays.

Two conventions run through this file:

- The independent unit is the *cluster*: one entry of the arrays. A rate per step is a ratio of sums over episodes,
  resampled by whole episodes, because the steps of one episode are not independent.
- A sample in which nothing varies does not prove that nothing can. Where the quantity has known bounds, the share of
  clusters that could differ unseen is bounded by Wilson's interval for "0 of n", and the estimate's interval is widened
  to what such a share could do at the worst ("0 failures in 12 episodes" is not "failures are impossible").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, bootstrap, norm, permutation_test

RESAMPLES = 9999
UNIT_INTERVAL = (0.0, 1.0)

Floats = NDArray[np.float64]
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its confidence interval.

    Attributes:
        value: The point estimate.
        low: Lower end of the interval; None where the sample is too small to say (a mean of one observation).
        high: Upper end; None together with ``low``.
    """

    value: float
    low: float | None
    high: float | None


def proportion(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """The share of successes among ``n`` independent trials, with Wilson's score interval.

    Raises:
        ValueError: ``n`` is not positive, or ``successes`` is not within 0 … n.
    """
    if n <= 0:
        raise ValueError(f"a proportion needs at least one trial, found n={n}")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie within 0 … {n}, found {successes}")
    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    # Rounding may carry the ends a hair beyond what is possible.
    return Estimate(successes / n, max(0.0, float(interval.low)), min(1.0, float(interval.high)))


def mean(values: ArrayLike, confidence: float = 0.95, seed: int = 0, bounds: Bounds | None = None) -> Estimate:
    """The mean of independent values, with a BCa bootstrap interval.

    Args:
        values: One number per cluster, shape [n].
        confidence: Coverage of the interval.
        seed: Seed of the resampling; the same input and seed give the same interval.
        bounds: Smallest and largest value that could occur, if known; see the module's second convention.

    Raises:
        ValueError: ``values`` is empty or not finite.
    """
    values = _clusters(values)
    return ratio(values, np.ones_like(values), confidence, seed, bounds)


def ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    confidence: float = 0.95,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> Estimate:
    """The sum of the numerators over the sum of the denominators, with a BCa bootstrap interval over clusters.

    Args:
        numerators: One sum per cluster (for example an episode's invalid actions), shape [n].
        denominators: One count per cluster (the episode's actions), shape [n]; zeros are fine, but not only zeros.
        confidence: Coverage of the interval.
        seed: Seed of the resampling.
        bounds: Smallest and largest value that a ratio could have, if known.

    Raises:
        ValueError: The arrays are empty, not finite, differ in length, or the denominators are negative or sum to zero.
    """
    numerators, denominators = _clusters(numerators), _clusters(denominators)
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} numerators for {len(denominators)} denominators")
    if (denominators < 0).any() or denominators.sum() == 0:
        raise ValueError("denominators must not be negative and must not all be zero")
    value = float(numerators.sum() / denominators.sum())
    # Clusters without a denominator (an episode that never acted) carry nothing unless their numerator does.
    silent = (denominators == 0) & (numerators == 0)
    numerators, denominators = numerators[~silent], denominators[~silent]
    if np.allclose(numerators, value * denominators, rtol=1e-12, atol=1e-12):
        return estimate_of_constant(value, len(numerators), confidence, bounds)
    if np.count_nonzero(denominators) < 2:
        return Estimate(value, None, None)
    # A resample may hold only clusters without a denominator: its ratio is then infinite, which sorts rightly.
    with np.errstate(divide="ignore", invalid="ignore"):
        interval = bootstrap(
            (numerators, denominators),
            _ratio_of_sums,
            n_resamples=RESAMPLES,
            batch=1000,
            vectorized=True,
            paired=True,
            confidence_level=confidence,
            method="BCa",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(interval.low), float(interval.high)
    return Estimate(value, low, high) if np.isfinite([low, high]).all() else Estimate(value, None, None)


def estimate_of_constant(value: float, n: int, confidence: float, bounds: Bounds | None) -> Estimate:
    """The estimate from ``n`` clusters that all show ``value``; see the module's second convention."""
    if bounds is None:
        return Estimate(value, None, None) if n == 1 else Estimate(value, value, value)
    unseen = proportion(0, n, confidence).high
    assert unseen is not None
    low, high = ((1 - unseen) * value + unseen * bound for bound in bounds)
    return Estimate(value, low, high)


def paired_difference(
    first: ArrayLike, second: ArrayLike, confidence: float = 0.95, seed: int = 0, bounds: Bounds | None = None
) -> Estimate:
    """The mean of ``first - second`` over the same tasks, with a BCa bootstrap interval over tasks.

    Args:
        first: One value per task, shape [n].
        second: The other agent's values on the same tasks, in the same order, shape [n].
        confidence: Coverage of the interval.
        seed: Seed of the resampling.
        bounds: Smallest and largest difference possible, if known: (-1, 1) for success.

    Raises:
        ValueError: The arrays are empty, not finite, or differ in length.
    """
    return mean(_paired(first, second), confidence, seed, bounds)


@dataclass(frozen=True, slots=True)
class McNemar:
    """McNemar's exact test: of the tasks that only one of two agents solved, is either side favoured?

    Attributes:
        only_first: Tasks that only the first agent solved.
        only_second: Tasks that only the second agent solved.
        p_value: Two-sided exact probability; 1 where no task tells them apart.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """McNemar's exact test on two agents' successes on the same tasks.

    Args:
        first: Success (0 or 1) per task, shape [n].
        second: The other agent's, in the same order, shape [n].

    Raises:
        ValueError: The arrays are empty, differ in length, or hold anything but 0 and 1.
    """
    for values in (first, second):
        if not np.isin(np.asarray(values, dtype=float), (0, 1)).all():
            raise ValueError("McNemar's test compares successes: every value must be 0 or 1")
    difference = _paired(first, second)
    only_first, only_second = int((difference > 0).sum()), int((difference < 0).sum())
    discordant = only_first + only_second
    p_value = float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first, only_second, p_value)


def sign_flips(first: ArrayLike, second: ArrayLike, seed: int = 0) -> float:
    """Two-sided probability of a mean difference as large, were the sides of each task exchanged at random.

    McNemar's test for values other than one 0 or 1 per task: rewards, or the means of several episodes or of several
    trained models, which a task binds together. It speaks of these models; for what holds of their method over
    trainings see ``crossed.py``.

    Args:
        first: One value per task, shape [n].
        second: The other agent's, in the same order, shape [n].
        seed: Of the exchanges, where there are too many to try all.

    Raises:
        ValueError: The arrays are empty, not finite, or differ in length.
    """
    difference = _paired(first, second)
    difference = difference[difference != 0]
    if len(difference) < 2:
        return 1.0
    found = permutation_test(
        (difference,),
        lambda values, axis: values.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being one family, in the same order: those below a level may all be called significant.

    The chance that any of them is a false alarm then stays below that level, whatever they have to do with each other.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".

    Raises:
        ValueError: A value does not lie within [0, 1].
    """
    if not all(0 <= value <= 1 for value in p_values):
        raise ValueError(f"a p-value lies within [0, 1], found {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def detectable_difference(baseline: float, n: int, confidence: float = 0.95, power: float = 0.8) -> float | None:
    """The smallest difference between two unpaired proportions that ``n`` trials each would show.

    Two-sided test of two proportions, normal approximation, unpooled variance under the alternative. The difference is
    taken on the side of the baseline where there is more room.

    Returns:
        A difference in (0, 1], or None where no difference could be shown with so few trials.

    Raises:
        ValueError: ``baseline`` is not within [0, 1] or ``n`` is not positive.
    """
    if not 0 <= baseline <= 1:
        raise ValueError(f"a baseline proportion must lie within [0, 1], found {baseline}")
    if n <= 0:
        raise ValueError(f"a comparison needs at least one trial, found n={n}")
    baseline = min(baseline, 1 - baseline)
    z_test, z_power = norm.ppf((1 + confidence) / 2), norm.ppf(power)

    def surplus(difference: float) -> float:
        other = baseline + difference
        middle = (baseline + other) / 2
        spread_null = np.sqrt(2 * middle * (1 - middle))
        spread = np.sqrt(baseline * (1 - baseline) + other * (1 - other))
        return float(difference * np.sqrt(n) - z_test * spread_null - z_power * spread)

    return _smallest_with_surplus(surplus, 1 - baseline)


def detectable_paired_difference(
    discordant: float, n: int, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The smallest difference in success between two agents that ``n`` common tasks would show (McNemar's test).

    What matters is the share of tasks on which only one of the two succeeds. It is taken as the observed one, but never
    smaller than the difference itself, which needs that many.

    Args:
        discordant: Observed share of tasks that only one of the agents solved, in [0, 1].
        n: Tasks that both played.
        confidence: One minus the test's level.
        power: Probability of showing a difference of the returned size.

    Returns:
        A difference in (0, 1], or None where no difference could be shown with so few tasks.

    Raises:
        ValueError: ``discordant`` is not within [0, 1] or ``n`` is not positive.
    """
    if not 0 <= discordant <= 1:
        raise ValueError(f"the discordant share must lie within [0, 1], found {discordant}")
    if n <= 0:
        raise ValueError(f"a comparison needs at least one task, found n={n}")
    z_test, z_power = norm.ppf((1 + confidence) / 2), norm.ppf(power)

    def surplus(difference: float) -> float:
        share = max(discordant, difference)
        return float(
            difference * np.sqrt(n) - z_test * np.sqrt(share) - z_power * np.sqrt(max(share - difference**2, 0.0))
        )

    return _smallest_with_surplus(surplus, 1.0)


def _smallest_with_surplus(surplus: Callable[[float], float], largest: float) -> float | None:
    """The root in (0, largest] of a ``surplus`` that starts below zero; None where even ``largest`` falls short."""
    if surplus(largest) < 0:
        return None
    return float(brentq(surplus, 1e-9, largest, xtol=1e-9))  # pyright: ignore[reportArgumentType]


def _ratio_of_sums(numerators: Floats, denominators: Floats, axis: int = -1) -> Floats:
    return numerators.sum(axis=axis) / denominators.sum(axis=axis)


def _paired(first: ArrayLike, second: ArrayLike) -> Floats:
    first, second = _clusters(first), _clusters(second)
    if len(first) != len(second):
        raise ValueError(
            f"a paired comparison needs the same tasks on both sides, found {len(first)} and {len(second)}"
        )
    return first - second


def _clusters(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"expected a list of at least one number, found an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("every value must be a finite number")
    return array
