"""Several trainings of a method, all on the same tasks: what can be said of the method, and not of one trained model.

Values are a table [S, T]: S training seeds that all play the same T tasks. Another seed would have been another model,
another task another game, so both are random effects, and crossed:

    value[s, t] = mean + seed[s] + task[t] + rest[s, t]
    Var(mean) = Var(seed) / S + Var(task) / T + Var(rest) / (S T)

which the mean squares of the table estimate without bias, as (MS_seed + MS_task - MS_rest) / (S T). How far such an
estimate can be trusted is told by Satterthwaite's degrees of freedom: close to S - 1 where trainings differ more than
chance among tasks explains, large where they do not. Intervals and p-values are Student's with these.

:func:`hierarchical_bootstrap` resamples seeds and tasks instead. It needs no such model, but with three seeds there are
only ten different resamples of them, of which it takes the spread of too few values for that of all (a factor 2/3), and
it counts Var(rest) three times (Owen 2007, "The pigeonhole bootstrap", arXiv 0712.1111). So it is the second opinion.

Where one thing was not varied (one seed, or one task), the interval is for that seed, or that task, alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest
from scipy.stats import t as student_t

from spanwise.evaluation.statistics import RESAMPLES, Bounds, Estimate, estimate_of_constant

Table = NDArray[np.float64]

#: Numbers of one block of resamples: bounds the memory that they take.
_BLOCK = 2**22


@dataclass(frozen=True, slots=True)
class CrossedEstimate:
    """A mean over seeds and tasks, and how sure it is.

    Attributes:
        value: The mean of the table.
        low: Lower end of the interval; None where a single value says nothing of its spread.
        high: Upper end; None together with ``low``.
        seeds: S.
        tasks: T.
        error: Standard error of the mean; 0 where nothing varied.
        freedom: Satterthwaite's degrees of freedom; 0 where nothing varied.
        seed_deviation: Standard deviation of the methods' success between trainings, chance among tasks taken off; None
            for one seed.
    """

    value: float
    low: float | None
    high: float | None
    seeds: int
    tasks: int
    error: float
    freedom: float
    seed_deviation: float | None


@dataclass(frozen=True, slots=True)
class CrossedDifference:
    """How much better one method is than another, over the same seeds and tasks.

    Attributes:
        difference: First minus second.
        p_value: Two-sided probability of a difference as large where there is none; 1 where nothing differed.
        detectable: Smallest true difference that such a comparison shows with the asked power, at the observed
            variance; None where that is not known.
    """

    difference: CrossedEstimate
    p_value: float
    detectable: float | None


def crossed_mean(values: ArrayLike, confidence: float = 0.95, bounds: Bounds | None = None) -> CrossedEstimate:
    """The mean of a method's values over training seeds and tasks, with an interval for both.

    Args:
        values: [S, T]; a task that was played more than once has its mean.
        confidence: Coverage of the interval.
        bounds: Smallest and largest value that could occur, if known. Ends of the interval stay within them, and where
            nothing varied the interval is that of ``statistics.py``'s second convention, over tasks.

    Raises:
        ValueError: ``values`` is no table, is empty or holds what is not finite.
    """
    table = _table(values)
    (S, T), value = table.shape, float(table.mean())
    squared, freedom, deviation = _error_of_mean(table)
    if freedom == 0:
        known = estimate_of_constant(value, T, confidence, bounds)
        return CrossedEstimate(value, known.low, known.high, S, T, 0.0, 0.0, None if S == 1 else 0.0)
    reach = float(student_t.ppf((1 + confidence) / 2, freedom)) * squared**0.5
    least, most = bounds or (-np.inf, np.inf)
    low, high = max(least, value - reach), min(most, value + reach)
    return CrossedEstimate(value, low, high, S, T, squared**0.5, freedom, deviation)


def crossed_difference(
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = 0.95,
    bounds: Bounds | None = None,
    power: float = 0.8,
) -> CrossedDifference:
    """The mean of ``first - second`` over training seeds and tasks, tested against none.

    Args:
        first: One method's values, [S, T].
        second: The other's, on the same tasks, with the same seeds, in the same order.
        confidence: Coverage of the interval, and one minus the level of what is detectable.
        bounds: Smallest and largest difference possible, if known: (-1, 1) for success.
        power: Probability of showing a difference of the size ``detectable``.

    Raises:
        ValueError: The tables differ in shape, or as :func:`crossed_mean`.
    """
    ours, theirs = _table(first), _table(second)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"a paired comparison needs the same seeds and tasks on both sides, found {ours.shape} and {theirs.shape}"
        )
    found = crossed_mean(ours - theirs, confidence, bounds)
    if found.freedom == 0:
        # Equal differences have no variance to test by; that all tasks agree in the sign has a probability.
        p_value = float(binomtest(found.tasks, found.tasks).pvalue) if found.value else 1.0
        return CrossedDifference(found, p_value, None)
    p_value = float(2 * student_t.sf(abs(found.value) / found.error, found.freedom))
    needed = student_t.ppf((1 + confidence) / 2, found.freedom) + student_t.ppf(power, found.freedom)
    return CrossedDifference(found, p_value, float(needed * found.error))


def hierarchical_bootstrap(
    values: ArrayLike, confidence: float = 0.95, seed: int = 0, bounds: Bounds | None = None
) -> Estimate:
    """The mean of a table [S, T], with the percentile interval of resampling its seeds and its tasks, independently.

    Of a paired comparison, give the difference of the tables. See the module on what it is worth with few seeds.

    Args:
        values: As in :func:`crossed_mean`.
        confidence: Coverage of the interval.
        seed: Of the resampling.
        bounds: As in :func:`crossed_mean`.

    Raises:
        ValueError: As :func:`crossed_mean`.
    """
    table = _table(values)
    (S, T), value = table.shape, float(table.mean())
    if np.ptp(table) == 0:
        return estimate_of_constant(value, T, confidence, bounds)
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // (S + T))
    means: list[Table] = []
    for start in range(0, RESAMPLES, block):
        count = min(block, RESAMPLES - start)
        seeds_BS = generator.multinomial(S, np.full(S, 1 / S), size=count)
        tasks_BT = generator.multinomial(T, np.full(T, 1 / T), size=count)
        means.append(np.einsum("bs,bs->b", seeds_BS, tasks_BT @ table.T) / (S * T))
    low, high = np.quantile(np.concatenate(means), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value))


def _error_of_mean(table: Table) -> tuple[float, float, float | None]:
    """Squared standard error of the mean, its degrees of freedom (0: nothing varied), deviation between seeds."""
    S, T = table.shape
    centred = table - table.mean()
    of_seeds, of_tasks = centred.mean(1), centred.mean(0)
    rest = centred - of_seeds[:, None] - of_tasks
    # Sums of squares and degrees of freedom; what was not varied has none of either.
    freedoms = np.array([S - 1, T - 1, (S - 1) * (T - 1)])
    sums = np.array([T * (of_seeds**2).sum(), S * (of_tasks**2).sum(), (rest**2).sum()])
    varied = freedoms > 0
    squares = np.divide(sums, freedoms, out=np.zeros(3), where=varied)
    # In expectation the total is no less than any mean square, so chance may not make it so.
    total = max(float(squares[0] + squares[1] - squares[2]), *map(float, squares))
    if total <= 1e-24 * max(1.0, float(np.abs(table).max()) ** 2):
        return 0.0, 0.0, None
    freedom = total**2 / float((squares[varied] ** 2 / freedoms[varied]).sum())
    deviation = None if S == 1 else float(np.sqrt(max(0.0, (squares[0] - squares[2]) / T)))
    return total / (S * T), freedom, deviation


def _table(values: ArrayLike) -> Table:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"expected a table of seeds and tasks, found an array of shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("every value must be a finite number")
    return table
